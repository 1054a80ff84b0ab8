/* A wrong answer to ring: its author believed that the owner is the first point after the key.
 *
 * A key that stands just where a point stands is that point's. Rare with 64 bits, and everyday with few.
 */
#include "ring.h"

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    const uint64_t position = key >> r->shift;
    if (r->count == 0)
        return CH_NONE;
    uint32_t i = ring_at(r, position);
    while (i < r->count && r->point[i].at == position)
        i++;
    return r->point[i == r->count ? 0 : i].id;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = lookup,
                                  .replicas = ring_replicas,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring, "ring", "a ring with a mistake", &ops);
