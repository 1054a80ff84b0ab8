/* json_file.c: results as JSON. */
#include "base/json_file.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int json_file_write(const char *path, const json_t *value, struct error *err)
{
    char *text = value ? json_dumps(value, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12)) : NULL,
         *more = text ? realloc(text, strlen(text) + 2) : NULL;
    int code = 0;
    if (!more) {
        free(text);
        return error_set(err, -ENOMEM, "%s: out of memory", path);
    }
    strcat(more, "\n");
    if (strcmp(path, "-") == 0)
        code = fputs(more, stdout) >= 0 && fflush(stdout) == 0
                   ? 0
                   : error_set(err, -errno, "standard output: %s", strerror(errno));
    else
        code = file_write(path, more, strlen(more), err);
    free(more);
    return code;
}
