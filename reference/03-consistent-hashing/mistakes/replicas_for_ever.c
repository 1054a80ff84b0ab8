/* A wrong answer to replicas: its author believed that there are always more nodes than copies.
 *
 * With fewer the walk goes round and round.
 */
#include "ring.h"

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct ring *r = map;
    uint32_t found = 0;
    for (uint32_t i = r->count ? ring_first(r, key) : 0; r->count && found < most; i = ring_next(r, i)) {
        if (!is_among(node, found, r->point[i].id))
            node[found++] = r->point[i].id;
    }
    return found;
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
