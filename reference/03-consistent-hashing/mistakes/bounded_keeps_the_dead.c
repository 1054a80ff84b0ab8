/* A wrong answer to bounded-loads: its author believed that keys of a node which left are still placed.
 *
 * They are counted, so the bound is too high; and the node comes back with its old load.
 */
#include "ring.h"

static int leave(void *map, uint32_t id)
{
    struct ring *r = map;
    const uint32_t load = id < CH_MAX_NODES ? r->load[id] : 0;
    const int code = ring_remove(map, id);
    if (code == 0) {
        r->load[id] = load;
        r->placed += load;
    }
    return code;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = leave,
                                  .lookup = ring_lookup,
                                  .place = ring_place,
                                  .release = ring_release,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(bounded_ring, "bounded-ring", "a ring with a mistake", &ops);
