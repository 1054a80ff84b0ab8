/* jump.h: jump hash, the function. jump.c has the essay. */
#ifndef JUMP_H
#define JUMP_H

#include "nodes.h"

#define JUMP_FACTOR UINT64_C(2862933555777941757)

/* The bucket of `key` among n >= 1. */
static inline uint32_t jump(uint64_t key, uint32_t n)
{
    int64_t bucket, next = 0;
    do {
        bucket = next;
        key = key * JUMP_FACTOR + 1;
        next = (int64_t)((double)(bucket + 1) * (0x1p31 / (double)(int64_t)((key >> 33) + 1)));
    } while (next < n);
    return (uint32_t)bucket;
}

#if defined(__x86_64__)
/* jump_simd.c: the first keys, in groups of 16, with AVX-512 or with AVX2, where the processor has that. Returns how
 * many were done. */
size_t jump_eight_lanes(const struct nodes *m, const uint64_t *key, uint32_t *node, size_t n);
size_t jump_four_lanes(const struct nodes *m, const uint64_t *key, uint32_t *node, size_t n);
#endif

#endif
