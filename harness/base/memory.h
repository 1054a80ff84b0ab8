/* memory.h: memory for programs that cannot go on without it. Never for what runs in the host: there a refusal is told. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* As without the x, realloc for n elements; n may be 0; out of memory ends the program with exit code 3. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *memory, size_t n, size_t size);
char *xstrdup(const char *text);

#endif
