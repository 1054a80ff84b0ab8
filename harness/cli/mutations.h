/* mutations.h: the places of a C file where one small change makes another program, as a person might get it wrong. */
#ifndef CLI_MUTATIONS_H
#define CLI_MUTATIONS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct mutation {
    const char *kind;   /* "operator", "number", "statement left out", ... */
    size_t from, to;    /* bytes of the file that are replaced ... */
    char instead[300];  /* ... by this */
    char function[100]; /* the function or struct that they are in ... */
    size_t begin, end;  /* ... and its bytes */
};

/* All of a file, in the order of the text, into *out, the caller's to free. `text` is the file's content, `flags` what
 * the compiler needs to read it, ends with NULL. How many, or -ENOSYS: this was built without libclang, or it can't be
 * loaded here; -EINVAL: the file can't be read as C. */
int mutations_find(const char *path, const char *text, size_t size, const char *const *flags, struct mutation **out,
                   struct error *err);

#endif
