/* A wrong answer to replicas: its author believed that the next points are the next nodes.
 *
 * Of a node with a hundred points the next one may well be its own: both copies are on one machine, and die with it.
 */
#include "ring.h"

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct ring *r = map;
    const uint32_t n = most < r->nodes.count ? most : r->nodes.count;
    for (uint32_t i = r->count ? ring_first(r, key) : 0, found = 0; found < n; i = ring_next(r, i))
        node[found++] = r->point[i].id;
    return n;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = ring_lookup,
                                  .replicas = replicas,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring, "ring", "a ring with a mistake", &ops);
