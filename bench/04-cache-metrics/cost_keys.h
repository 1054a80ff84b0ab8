/* cost_keys.h: keys that caches are asked for when their costs are measured: drawn beforehand, over and over, and shared
 * by all entries. */
#ifndef COST_KEYS_H
#define COST_KEYS_H

#include <stdint.h>

struct cost_keys {
    uint64_t objects, seed; /* what it was made for */
    uint32_t n;             /* a power of two */
    uint64_t *key;          /* [n] */
    double *u;              /* [n] uniform in (0, 1] */
    uint32_t *next;         /* [n] after how many requests the same key comes again, when they come over and over */
};

/* As often as Zipf's law with exponent 1 says (by_zipf) or all alike, of so many objects; about ten requests for each,
 * at most a million in all. NULL: no memory. It stays until the program ends: the next who asks for the same gets the
 * same. */
const struct cost_keys *cost_keys(uint64_t objects, int by_zipf, uint64_t seed);

#endif
