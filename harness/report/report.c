#include "report/report.h"

#include "base/file.h"
#include "report/claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int report_write(const char *folder, const json_t *labs, struct error *err)
{
    char path[FILE_PATH];
    char *text = json_dumps(labs, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    int code = text ? file_write(file_path(path, "%s/claims.json", folder), text, strlen(text), err) : -ENOMEM;
    free(text);
    return code;
}

void report_print_claims(FILE *out, const json_t *lab)
{
    json_dumpf(lab, out, JSON_INDENT(1));
}

