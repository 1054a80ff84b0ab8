/* ring.h: the points of a ring in order, built and rebuilt: what ring.c, fast_ring.c, ring_eytzinger.c and ketama.c
 * share. They differ in how they search.
 *
 * Two arrays rather than one of pairs: a search reads many positions and one owner.
 */
#ifndef RING_H
#define RING_H

#include "nodes.h"

struct ring {
    struct nodes nodes;
    uint32_t points;    /* for each unit of weight */
    uint32_t shift;     /* of 64 bits, to have a position */
    size_t count;       /* of points */
    uint64_t *position; /* [count] ascending, equal ones by owner */
    uint32_t *owner;    /* [count] */
};

struct ring_point {
    uint64_t position;
    uint32_t owner;
};

#define RING_CAN (CH_POINTS | CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE)

/* Operations of entries that search these two arrays; map_size: of the map, which begins with the ring. */
int ring_create(size_t map_size, const struct ch_config *config, void **map);
void ring_destroy(void *map);
int ring_add(void *map, const struct ch_node *node, uint32_t count);
int ring_remove(void *map, uint32_t id);
size_t ring_bytes(const void *map);

/* The points clockwise from `at`: the first of each node. Nodes without a point come last, by number. */
uint32_t ring_replicas(const struct ring *r, size_t at, uint32_t most, uint32_t *node);

/* Sorts the n points (which are its own to move about) and merges them in. 0, or -ENOMEM and nothing has changed. */
int ring_merge(struct ring *r, struct ring_point *fresh, size_t n);
/* Takes out the points of `id`. */
void ring_filter(struct ring *r, uint32_t id);
/* How many points there will be with these nodes. */
size_t ring_count_with(const struct ring *r, const struct ch_node *node, uint32_t count);

/* Index of the first point at or after `position`; count when there is none. Binary search. */
static inline size_t ring_search(const struct ring *r, uint64_t position)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->position[middle] < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
