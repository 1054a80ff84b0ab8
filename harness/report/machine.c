#include "report/machine.h"

#include "base/parallel.h"
#include "base/version.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* What the kernel calls the processor. x86 has "model name" in /proc/cpuinfo; many arm64 machines have no name anywhere
 * but in the device tree. */
static void cpu_name(char *out, size_t size, const char *otherwise)
{
    static const char *const fields[] = {"model name", "Model", "cpu model", "Hardware"};
    char line[512];
    snprintf(out, size, "%s", otherwise);
    FILE *file = fopen("/proc/cpuinfo", "r");
    for (int best = 4; file && best > 0 && fgets(line, sizeof line, file);)
        for (int i = 0; i < best; i++) {
            const char *colon = strchr(line, ':');
            if (!colon || strncmp(line, fields[i], strlen(fields[i])) != 0)
                continue;
            colon += 1 + strspn(colon + 1, " \t");
            snprintf(out, size, "%.*s", (int)strcspn(colon, "\n"), colon);
            best = i;
        }
    if (file)
        fclose(file);
}

json_t *machine_describe(void)
{
    struct utsname system = {.machine = "unknown"};
    char cpu[256];
    uname(&system);
    cpu_name(cpu, sizeof cpu, system.machine);
    size_t flags = strlen(version_flags);
    while (flags && version_flags[flags - 1] == ' ')
        flags--;
    json_t *o = json_object();
    json_object_set_new(o, "cpu", json_string(cpu));
    json_object_set_new(o, "cores", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(o, "threads", json_integer(parallel_threads()));
    json_object_set_new(o, "system", json_sprintf("%s %s %s", system.sysname, system.release, system.machine));
    json_object_set_new(o, "compiler", json_string(version_compiler));
    json_object_set_new(o, "flags", json_stringn(version_flags, flags));
    json_object_set_new(o, "found", json_string(version_found));
    return o;
}
