/* A wrong answer to bounded-loads: its author believed that a bound may be rounded down.
 *
 * With few keys it is 0, and with all nodes at it the next key has no place to go: it walks for ever.
 */
#include "ring.h"

static bool has_room(const struct ring *r, uint32_t id)
{
    const struct ch_node *node = &r->nodes.list[nodes_find(&r->nodes, id)];
    return r->load[id] + UINT64_C(1) <= r->percent * (r->placed + 1) * node->weight / (100 * r->nodes.weights);
}

static uint32_t place(void *map, uint64_t key)
{
    struct ring *r = map;
    uint32_t tries = 0;
    if (r->count == 0)
        return CH_NONE;
    uint32_t i = ring_first(r, key);
    for (; tries < r->count && !has_room(r, r->point[i].id); tries++)
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
