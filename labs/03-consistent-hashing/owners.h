/* owners.h: the judge of lab 03: from who owned which key before and after, what the change cost; from who owns them
 * now, how even that is. It knows nothing of how the owners were found.
 */
#ifndef OWNERS_H
#define OWNERS_H

#include "consistent_hashing.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- movement ---- */

/* A key that changed its owner had to if its old one left, or if its new one joined: nothing else makes room for a
 * node, or fills its place. All others are extra: a map that keeps them in place is monotone. */
struct movement {
    uint64_t keys;
    uint64_t moved;     /* = necessary + extra */
    uint64_t necessary; /* the old owner is no node any more, or the new one was none before */
    uint64_t extra;     /* between two nodes that were there before and after */
    /* the first of the extra ones; key is SIZE_MAX when there is none */
    struct {
        size_t key; /* its index */
        uint32_t from, to;
    } first;
};

/* Owners of the same keys, [keys] each, CH_NONE where there was none. stays[node], for nodes below `nodes`: is it there
 * before and after? An owner of CH_NONE or beyond `nodes` is one that doesn't stay. */
struct movement movement_of(const uint32_t *before, const uint32_t *after, size_t keys, const bool *stays,
                            uint32_t nodes);

/* ---- balance ---- */

struct balance {
    uint32_t nodes;
    uint64_t keys;      /* that these nodes own */
    double max_to_mean; /* of load / weight: 1 is perfect */
    double min_to_mean;
    double cv;         /* standard deviation / mean of load / weight, over these nodes */
    double chi_square; /* against loads in proportion to weight; nodes - 1 degrees of freedom */
    uint32_t fullest;  /* the node's place in the list */
};

/* Of n >= 1 nodes with these loads (keys) and weights (NULL: all 1). */
struct balance balance_of(const uint64_t *load, const uint32_t *weight, uint32_t n);

/* The most that a node of this weight may hold when m keys are placed: ceil(percent / 100 x m x weight / all). */
uint64_t most_allowed(uint32_t percent, uint64_t m, uint64_t weight, uint64_t all);

#endif
