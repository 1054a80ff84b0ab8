/* test_file.c: files of a test, in a folder that goes when its process ends. */
#include "test_file.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static char folder[FILE_PATH];

static void clean(void)
{
    file_remove_tree(folder);
}

const char *test_file(char *out, const char *name, const void *data, size_t size)
{
    struct error err;
    if (!*folder) {
        cr_assert(file_temp_dir(folder, "recall-test", &err) == 0, "%s", err.text);
        atexit(clean);
    }
    file_path(out, "%s/%s", folder, name);
    if (data)
        cr_assert(file_write(out, data, size, &err) == 0, "%s", err.text);
    return out;
}
