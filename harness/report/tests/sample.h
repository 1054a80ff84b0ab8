/* sample.h: labs to make reports of, tame and hostile. For tests. */
#ifndef REPORT_TESTS_SAMPLE_H
#define REPORT_TESTS_SAMPLE_H

#include <jansson.h>

/* One lab with two claims, of which the first holds, and one plot with a line and points; `odd` is put into every text.
 * The caller's. */
json_t *sample_lab(const char *id, const char *odd);

/* What a text may bring along: markup, quotes of every kind, references, a control character, what gnuplot or a shell
 * would expand. */
extern const char sample_hostile[];

/* A whole file as text; the caller's. Fails the test when it can't be read. */
char *sample_read(const char *folder, const char *name);

/* A new folder, which the test removes again. path holds FILE_PATH bytes. */
const char *sample_folder(char *path);

#endif
