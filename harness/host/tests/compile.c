/* compile.c: builds plugins and the world for the host's tests. */
#include "compile.h"

#include "base/process.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

char plugin[FILE_PATH], world[FILE_PATH];
static char folder[FILE_PATH];

static const char world_text[] =
    "#include \"host/plugin.h\"\n"
    "#include <errno.h>\n"
    "static int run(const struct plugin *p, const char *entry, const void *scenario, size_t size, struct decision_log "
    "*log, struct error *err)\n"
    "{\n"
    "    int (*f)(const void *, size_t, struct decision_log *, struct error *) = plugin_find(p, entry);\n"
    "    return f ? f(scenario, size, log, err) : -ENOENT;\n"
    "}\n"
    "WORLD_DEFINE(\"99\", run);\n";

static void clean(void)
{
    file_remove_tree(folder);
}

static void build(const char *text, const char *name, const char *out, const char *with)
{
    char path[FILE_PATH];
    struct error err;
    cr_assert(file_write(file_path(path, "%s/%s", folder, name), text, strlen(text), &err) == 0, "%s", err.text);
    char soname[FILE_PATH], search[FILE_PATH];
    const char *argv[] = {"gcc",
                          "-g",
                          "-O0",
                          "-fPIC",
                          "-shared",
                          "-fvisibility=hidden",
                          "-Iharness",
                          "-Wl,--no-as-needed",
                          file_path(soname, "-Wl,-soname,%s", strrchr(out, '/') + 1),
                          file_path(search, "-Wl,-rpath,%s", folder),
                          path,
                          "harness/base/error.c",
                          "-o",
                          out,
                          with,
                          NULL};
    struct process p = {.argv = argv, .wall_ms = 30000, .output_limit = 4000};
    struct process_result r;
    cr_assert(process_run(&p, &r, &err) == 0 && r.status == 0, "the test's %s does not build: %s", name, r.output);
    process_result_free(&r);
}

void compile(const char *text)
{
    struct error err;
    cr_assert(file_temp_dir(folder, "host-test", &err) == 0, "%s", err.text);
    atexit(clean);
    file_path(world, "%s/world.so", folder);
    file_path(plugin, "%s/plugin.so", folder);
    build(world_text, "world.c", world, NULL);
    build(text, "plugin.c", plugin, world);
}
