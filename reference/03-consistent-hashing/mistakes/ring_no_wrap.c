/* A wrong answer to ring: its author believed that a key behind the last point belongs to the last point.
 *
 * The ring has no end, the list has: the keys behind its last point belong to its first.
 */
#include "ring.h"

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    const uint32_t i = ring_at(r, key >> r->shift);
    return r->point[i == r->count ? i - 1 : i].id;
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
