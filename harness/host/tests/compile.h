/* compile.h: plugins of the tests' own, from a text, and a world that does no more than call an entry. */
#ifndef HOST_TESTS_COMPILE_H
#define HOST_TESTS_COMPILE_H

#include "base/file.h"

extern char plugin[FILE_PATH]; /* what compile made last */
extern char world[FILE_PATH];

/* An entry is a function: int entry(const void *scenario, size_t size, struct decision_log *log, struct error *err). */
void compile(const char *text);

#endif
