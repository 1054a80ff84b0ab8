/* guide.h: where to begin to look on a ring. fast_ring.c has the essay. */
#ifndef GUIDE_H
#define GUIDE_H

#include "ring.h"

struct guide {
    uint32_t bits;   /* leading ones of a key */
    uint32_t *first; /* [2^bits] index of the first point with these leading bits or more; ring.count: none */
};

/* A guide for a ring of so many points, not filled in. 0 or -ENOMEM. */
int guide_create(struct guide *g, const struct ring *r, size_t points);
void guide_fill(struct guide *g, const struct ring *r);

static inline size_t guide_bytes(const struct guide *g)
{
    return g->first ? sizeof *g->first << g->bits : 0;
}

/* The point of `key`: the first at or after it, round again. There has to be one. */
static inline size_t guide_search(const struct guide *g, const struct ring *r, uint64_t key)
{
    size_t i = g->first[key >> (64 - g->bits)];
    for (key >>= r->shift; i < r->count && r->position[i] < key; i++)
        ;
    return i < r->count ? i : 0;
}

/* add and remove for maps that are a ring with a guide. */
struct guided_ring {
    struct ring ring;
    struct guide guide;
};

int guided_add(void *map, const struct ch_node *node, uint32_t count);
int guided_remove(void *map, uint32_t id);
void guided_destroy(void *map);
size_t guided_bytes(const void *map);

#endif
