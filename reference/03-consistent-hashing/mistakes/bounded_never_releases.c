/* A wrong answer to bounded-loads: its author believed that keys only ever come.
 *
 * What is gone still fills its node.
 */
#include "ring.h"

static int release(void *map, uint32_t id)
{
    struct ring *r = map;
    return id < CH_MAX_NODES && r->load[id] ? 0 : -ENOENT;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = ring_lookup,
                                  .place = ring_place,
                                  .release = release,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(bounded_ring, "bounded-ring", "a ring with a mistake", &ops);
