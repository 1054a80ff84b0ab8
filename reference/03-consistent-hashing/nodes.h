/* nodes.h: which nodes a map has, their weights and their order: what every entry needs and none is about.
 *
 * A map begins with its `struct nodes`. What an entry can (its `can`) says what has to be kept: weights only for
 * CH_WEIGHTS; a list in the order of ids for CH_ORDER_FREE, in the order of joining for those that lose only the last;
 * none for the others, which have buckets of their own.
 *
 * Joining is in two steps, so that what fails changes nothing: nodes_admit says whether they may, and makes room; then
 * the entry makes room for what it needs itself; nodes_join can't fail any more.
 */
#ifndef NODES_H
#define NODES_H

#include "consistent_hashing.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct nodes {
    uint32_t count;
    unsigned can;
    size_t map_size;
    uint64_t total;    /* of all weights; without weights, count */
    uint32_t *id;      /* [count] the list */
    uint64_t *present; /* [words] a bit for each id */
    uint16_t *weight;  /* [64 words] by id, of those present */
    uint32_t words, room;
    uint64_t unused; /* fills the line of memory, so that what an entry's lookup reads begins with the next */
};
_Static_assert(sizeof(struct nodes) == 64, "a line of memory");

/* A map of map_size bytes, zeroed but for its nodes, at a multiple of 64. 0 or -ENOMEM. */
int nodes_create(size_t map_size, unsigned can, void **map);
void nodes_end(void *map);           /* the nodes and the map; an entry's destroy when it has nothing else */
size_t nodes_bytes(const void *map); /* of the map and its nodes */

/* Everything that `add` promises about nodes. 0: nodes_join may follow. */
int nodes_admit(struct nodes *n, const struct ch_node *node, uint32_t count);
void nodes_join(struct nodes *n, const struct ch_node *node, uint32_t count);
/* 0, -ENOENT, or -ENOTSUP when it isn't the last one and only that may leave. */
int nodes_may_leave(const struct nodes *n, uint32_t id);
void nodes_leave(struct nodes *n, uint32_t id);

/* add and remove for entries that need nothing but the list. */
int nodes_add(void *map, const struct ch_node *node, uint32_t count);
int nodes_remove(void *map, uint32_t id);

static inline bool nodes_has(const struct nodes *n, uint32_t id)
{
    return id / 64 < n->words && n->present[id / 64] >> id % 64 & 1;
}

static inline uint32_t nodes_weight(const struct nodes *n, uint32_t id)
{
    return n->weight ? n->weight[id] : 1;
}

/* Where the bits of a hash fall among n: floor(hash x n / 2^64). A multiplication, where % would be a division. */
static inline uint64_t nodes_share(uint64_t hash, uint64_t n)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)hash * n >> 64);
}

/* For tables that are read all over: from the begin of a line on, and large ones in large pages, else every miss in the
 * cache is one in the TLB too. Otherwise as malloc. */
void *nodes_space(size_t bytes);

/* ---- orders of preference ---------------------------------------------------------------------------------------- */

/* The nodes that one has named already. A list of a few is searched; for more there is a bit for each id. */
struct named {
    uint32_t *node;
    uint32_t count;
    bool few;
    uint64_t bits[CH_MAX_NODES / 64];
};

void named_start(struct named *s, const struct nodes *n, uint32_t *node, uint32_t most);
bool named_add(struct named *s, uint32_t id); /* false: it was there */
/* Adds the first present node from `id` on, by number and round again, that isn't named. There has to be one. */
void named_next(struct named *s, const struct nodes *n, uint32_t id);

/* An order of preference for whatever has none of its own: lookup of the key, then of what ch_again makes of it, and so
 * on. After 16 answers in vain the next number that is not named yet has its turn; so it ends, and who asks for more
 * names gets the same first ones. */
uint32_t replicas_again(const void *map, uint32_t (*lookup)(const void *map, uint64_t key), uint64_t key, uint32_t most,
                        uint32_t *node);

#endif
