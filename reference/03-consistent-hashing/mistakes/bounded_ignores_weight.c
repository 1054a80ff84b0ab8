/* A wrong answer to bounded-loads: its author believed that the bound is the same for all.
 *
 * A machine of four times the size is full at the average, and the small ones get what is its own.
 */
#include "ring.h"

static bool has_room(const struct ring *r, uint32_t id)
{
    const uint64_t share = r->percent * (r->placed + 1), whole = UINT64_C(100) * r->nodes.count;
    return r->load[id] + UINT64_C(1) <= (share + whole - 1) / whole;
}

static uint32_t place(void *map, uint64_t key)
{
    struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    uint32_t i = ring_first(r, key);
    while (!has_room(r, r->point[i].id))
        i = ring_next(r, i);
    return ring_put(r, r->point[i].id);
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = ring_lookup,
                                  .place = place,
                                  .release = ring_release,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(bounded_ring, "bounded-ring", "a ring with a mistake", &ops);
