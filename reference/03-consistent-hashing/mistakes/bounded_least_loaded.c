/* A wrong answer to bounded-loads: its author believed that a key whose node is full may go to the least loaded.
 *
 * That is even, but nobody can work out where the key is without knowing all loads, and it is another node each time.
 */
#include "ring.h"

static uint32_t place(void *map, uint64_t key)
{
    struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    uint32_t best = r->point[ring_first(r, key)].id;
    if (ring_has_room(r, best))
        return ring_put(r, best);
    for (uint32_t i = 0; i < r->nodes.count; i++) {
        const uint32_t id = r->nodes.list[i].id;
        best = r->load[id] < r->load[best] ? id : best;
    }
    return ring_put(r, best);
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
