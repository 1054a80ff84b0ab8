#include "compile.h"

#include "base/process.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

char plugin[FILE_PATH];
static char folder[FILE_PATH];

static void clean(void)
{
    file_remove_tree(folder);
}

void compile(const char *text)
{
    char path[FILE_PATH];
    struct error err;
    cr_assert(file_temp_dir(folder, "host-test", &err) == 0, "%s", err.text);
    atexit(clean);
    file_path(path, "%s/plugin.c", folder);
    file_path(plugin, "%s/plugin.so", folder);
    cr_assert(file_write(path, text, strlen(text), &err) == 0, "%s", err.text);
    const char *argv[] = {"gcc",       "-g",           "-O0", "-fPIC", "-shared", "-fvisibility=hidden",
                          "-Iharness", "-Dpause_()=0", path,  "-o",    plugin,    NULL};
    struct process p = {.argv = argv, .wall_ms = 30000, .output_limit = 4000};
    struct process_result r;
    cr_assert(process_run(&p, &r, &err) == 0 && r.status == 0, "the test's plugin does not build: %s", r.output);
    process_result_free(&r);
}
