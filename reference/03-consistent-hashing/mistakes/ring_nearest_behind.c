/* A wrong answer to ring: its author believed that it makes no difference in which direction the ring is walked.
 *
 * It makes none to the balance, and all to whoever walks the other way.
 */
#include "ring.h"

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    const uint32_t i = ring_at(r, key >> r->shift);
    return r->point[i == 0 ? r->count - 1 : i - 1].id;
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
