/* A wrong answer to fast-ring: its author believed that a table with an owner for each of 4,096 slices is as good
 * as the ring.
 *
 * Two points that stand in one slice are one: nearly the same owners are other owners.
 */
#include "ring.h"

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    key >>= r->shift;
    if (64 - r->shift > 12)
        key = key >> (64 - r->shift - 12) << (64 - r->shift - 12);
    return ring_lookup(map, key << r->shift);
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = lookup,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(fast_ring, "fast-ring", "a ring with a mistake", &ops);
