/* keys.h: real keys: the lines of a file, or what an access log was asked for, hashed.
 *
 * A line is a key as it stands. A log (its first line is one in Common or Combined Log Format) gives the path of each
 * request, or the client. Hashed with XXH3 (xxHash), 64 bits.
 */
#ifndef KEYS_H
#define KEYS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys {
    uint64_t *request;  /* [requests] the key of each line, in order */
    uint64_t *distinct; /* [count] each key once, the smallest first */
    uint32_t *times;    /* [count] how often it was asked for */
    size_t requests, count;
    bool log;           /* it was an access log ... */
    uint64_t malformed; /* ... and so many lines were none, or a line was empty or too long */
};

/* 0, or -errno and a sentence. clients: of a log, the clients in place of the paths. */
int keys_read(const char *path, bool clients, struct keys *out, struct error *err);
void keys_free(struct keys *keys);

#endif
