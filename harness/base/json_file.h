/* json_file.h: results as JSON.
 *
 * Keys are sorted and numbers have twelve digits, so that the same result is the same bytes.
 */
#ifndef BASE_JSON_FILE_H
#define BASE_JSON_FILE_H

#include "base/error.h"

#include <jansson.h>

/* Writes value to path, whole or not at all; "-" is standard output. NULL counts as out of memory. 0, or -errno with a
 * sentence in err (may be NULL). */
int json_file_write(const char *path, const json_t *value, struct error *err);

#endif
