/* compile.h: plugins of the tests' own, from a text. */
#ifndef HOST_TESTS_COMPILE_H
#define HOST_TESTS_COMPILE_H

#include "base/file.h"

extern char plugin[FILE_PATH]; /* what compile made last */
void compile(const char *text);

#endif
