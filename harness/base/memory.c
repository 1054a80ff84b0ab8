/* memory.c: memory for programs that cannot go on without it. */
#include "base/memory.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

void *xcalloc(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);
    if (!memory)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return memory;
}

void *xrealloc(void *memory, size_t n, size_t size)
{
    memory = reallocarray(memory, n ? n : 1, size);
    if (!memory)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return memory;
}

char *xstrdup(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return copy;
}
