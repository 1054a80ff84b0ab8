/* Idea: every fact is read from the place where the processor or the kernel states it (cpuid, /proc, /sys), and where
 * nothing states it, the answer is a reason and not a guess.
 *
 * A guest's processor name and model number are what the hypervisor lets it see: a guest was met that calls itself
 * family 6 model 167, has feature flags that no processor of that number has, and misleads every tool that maps by the
 * number. So the flags are part of the identity.
 */
#include "measure/machine_probe.h"

#include "base/memory.h"
#include "measure/clock.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

/* ---- files of one line ---- */

/* The first line of a file, without its end. */
static bool first_line(const char *path, char *text)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    bool read = fgets(text, PROBE_TEXT, file) != NULL;
    fclose(file);
    if (!read)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return *text != '\0';
}

static bool reason(char *text, const char *why)
{
    snprintf(text, PROBE_TEXT, "%s", why);
    return false;
}

unsigned long long probe_hash(unsigned long long seed, const char *text)
{
    for (; *text; text++)
        seed = (seed ^ (unsigned char)*text) * 0x100000001b3u;
    return seed;
}

/* ---- the processor ---- */

/* The value of the first of `fields` (ends with NULL) that /proc/cpuinfo has; earlier fields count more. */
static bool cpuinfo(const char *const *fields, char *value, size_t size)
{
    char line[8192];
    size_t best = 0;
    bool found = false;
    while (fields[best])
        best++;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && best > 0 && fgets(line, sizeof line, file))
        for (size_t i = 0; i < best; i++) {
            size_t n = strlen(fields[i]);
            const char *colon = strchr(line, ':');
            if (!colon || strncmp(line, fields[i], n) != 0 || !strchr("\t :", line[n]))
                continue;
            colon += 1 + strspn(colon + 1, " \t");
            snprintf(value, size, "%.*s", (int)strcspn(colon, "\n"), colon);
            best = i;
            found = true;
        }
    if (file)
        fclose(file);
    return found;
}

/* x86 has "model name" in /proc/cpuinfo; many arm64 machines have no name anywhere but in the device tree. */
void probe_cpu_name(char *text)
{
    static const char *const fields[] = {"model name", "Model", "cpu model", "Hardware", NULL};
    if (!cpuinfo(fields, text, PROBE_TEXT) && !first_line("/proc/device-tree/model", text))
        snprintf(text, PROBE_TEXT, "unknown");
}

bool probe_cpu_id(char *text)
{
    static const char *const parts[][3] = {{"vendor_id", "CPU implementer", NULL},
                                           {"cpu family", "CPU architecture", NULL},
                                           {"model", "CPU part", NULL}, /* "model name" is another field */
                                           {"stepping", "CPU revision", NULL}};
    static const char *const flags[] = {"flags", "Features", NULL};
    char value[4][32], all[8192];
    for (size_t i = 0; i < 4; i++)
        if (!cpuinfo(parts[i], value[i], sizeof value[i]))
            return reason(text, "/proc/cpuinfo does not say vendor, family, model and stepping");
    if (!cpuinfo(flags, all, sizeof all))
        *all = '\0';
    snprintf(text, PROBE_TEXT, "%s %s-%s-%s, flags %016llx", value[0], value[1], value[2], value[3],
             probe_hash(HASH_START, all));
    return true;
}

/* ---- hypervisor ---- */

#if defined(__x86_64__)
/* A hypervisor sets a bit that is 0 on every bare processor, and gives its signature in the leaf kept for it. */
static bool cpuid_hypervisor(char *text)
{
    static const char *const known[][2] = {
        {"KVMKVMKVM", "kvm"},     {"Microsoft Hv", "hyper-v"},    {"VMwareVMware", "vmware"}, {"XenVMMXenVMM", "xen"},
        {"TCGTCGTCGTCG", "qemu"}, {"VBoxVBoxVBox", "virtualbox"}, {"bhyve bhyve ", "bhyve"},  {"ACRNACRNACRN", "acrn"}};
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 31 & 1)) {
        snprintf(text, PROBE_TEXT, "no");
        return true;
    }
    char signature[13] = "";
    __cpuid(0x40000000, a, b, c, d);
    memcpy(signature, &b, 4);
    memcpy(signature + 4, &c, 4);
    memcpy(signature + 8, &d, 4);
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(signature, known[i][0]) == 0) {
            snprintf(text, PROBE_TEXT, "%s", known[i][1]);
            return true;
        }
    for (char *p = signature; *p; p++)
        if (!isprint((unsigned char)*p))
            *p = '?';
    snprintf(text, PROBE_TEXT, "yes (signature \"%s\")", signature);
    return true;
}
#endif

/* No cpuid: the device tree or the firmware's tables name a hypervisor where there is one they know of. */
#if !defined(__x86_64__)
static bool named_hypervisor(char *text)
{
    static const char *const known[][2] = {
        {"QEMU", "qemu"}, {"KVM", "kvm"}, {"VMware", "vmware"}, {"innotek", "virtualbox"}, {"Xen", "xen"}};
    static const char *const files[] = {"/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name"};
    if (first_line("/proc/device-tree/hypervisor/compatible", text))
        return true;
    for (size_t f = 0; f < COUNT(files); f++)
        for (size_t i = 0; first_line(files[f], text) && i < COUNT(known); i++)
            if (strstr(text, known[i][0])) {
                snprintf(text, PROBE_TEXT, "%s", known[i][1]);
                return true;
            }
    return reason(text, "neither the device tree nor the firmware's tables (DMI) name a hypervisor, and this processor "
                        "has no instruction that would tell");
}
#endif

bool probe_virtualised(char *text)
{
    if (first_line("/sys/hypervisor/type", text)) /* Xen, also where its guests are paravirtual */
        return true;
#if defined(__x86_64__)
    return cpuid_hypervisor(text);
#else
    return named_hypervisor(text);
#endif
}

/* ---- what the kernel was told ---- */

bool probe_governor(char *text)
{
    if (first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text))
        return true;
    return reason(text, "the kernel has no cpufreq here: who sets the clock can't be seen (usual in a guest)");
}

bool probe_boost(char *text)
{
    char line[PROBE_TEXT];
    bool turned = first_line("/sys/devices/system/cpu/intel_pstate/no_turbo", line);
    if (!turned && !first_line("/sys/devices/system/cpu/cpufreq/boost", line))
        return reason(text, "the kernel has no switch for boost here (usual in a guest)");
    snprintf(text, PROBE_TEXT, "%s", (*line == '1') != turned ? "on" : "off");
    return true;
}

bool probe_clocksource(char *text)
{
    if (first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", text))
        return true;
    return reason(text, "/sys does not say which clock source is used");
}

/* The choice is the word in brackets: "always [madvise] never". */
bool probe_huge_pages(char *text)
{
    char line[PROBE_TEXT];
    const char *open = first_line("/sys/kernel/mm/transparent_hugepage/enabled", line) ? strchr(line, '[') : NULL;
    const char *close = open ? strchr(open, ']') : NULL;
    if (!close)
        return reason(text, "this kernel has no transparent huge pages");
    snprintf(text, PROBE_TEXT, "%.*s", (int)(close - open - 1), open + 1);
    return true;
}

/* ---- time stamp counter ---- */

#if defined(__x86_64__)
/* Counter and clock at one moment: of some tries the one with the shortest time between two clock readings. */
static void moment(uint64_t *ticks, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 20; i++) {
        uint64_t before = clock_now_ns(), now = __rdtsc(), after = clock_now_ns();
        if (after - before < best) {
            best = after - before;
            *ticks = now;
            *ns = before + (after - before) / 2;
        }
    }
}

/* cpuid has leaves for the counter's frequency, which hypervisors like to leave empty; so it is measured. */
bool probe_tsc(bool *invariant, double *mhz, char *text)
{
    unsigned a, b, c, d;
    uint64_t ticks[2] = {0, 0}, ns[2] = {0, 0};
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(d >> 4 & 1))
        return reason(text, "this processor has no time stamp counter");
    *invariant = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
    moment(&ticks[0], &ns[0]);
    while (clock_now_ns() < ns[0] + 2000000)
        ;
    moment(&ticks[1], &ns[1]);
    *mhz = 1e3 * (double)(ticks[1] - ticks[0]) / (double)(ns[1] - ns[0]);
    return true;
}
#else
bool probe_tsc(bool *invariant, double *mhz, char *text)
{
    *invariant = false;
    *mhz = 0;
    return reason(text, "only x86 has a time stamp counter of that name");
}
#endif
