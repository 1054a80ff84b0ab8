/* A wrong answer to bounded-loads: its author believed that a key counts only when it is placed.
 *
 * The bound is the share of all keys, this one included: without it the first key finds no room at all.
 */
#include "ring.h"

static uint32_t place(void *map, uint64_t key)
{
    struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    if (r->placed == 0)
        return ring_place(map, key);
    r->placed--;
    uint32_t i = ring_first(r, key), tries = 0;
    for (; tries < r->count && !ring_has_room(r, r->point[i].id); tries++)
        i = ring_next(r, i);
    r->placed++;
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
