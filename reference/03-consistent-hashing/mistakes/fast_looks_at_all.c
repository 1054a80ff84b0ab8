/* A wrong answer to fast-ring: its author believed that the processor is fast enough.
 *
 * Each lookup walks over the points from the first one on: 64 times as many nodes, 64 times as many steps.
 */
#include "ring.h"

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    uint32_t i = 0;
    while (i < r->count && r->point[i].at < key >> r->shift)
        i++;
    return r->count ? r->point[i == r->count ? 0 : i].id : CH_NONE;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = lookup,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(fast_ring, "fast-ring", "a ring with a mistake", &ops);
