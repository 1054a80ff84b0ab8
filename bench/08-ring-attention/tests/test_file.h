/* test_file.h: files of a test, in a folder that goes when its process ends. */
#ifndef TEST_FILE_H
#define TEST_FILE_H

#include <stddef.h>

/* The path of `name`, in out (FILE_PATH bytes). With data, the file is written. */
const char *test_file(char *out, const char *name, const void *data, size_t size);

#endif
