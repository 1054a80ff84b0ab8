/* A wrong answer to bounded-loads: its author believed that a double is exact enough for a bound.
 *
 * 100 x 1.1 is 110.00000000000001, and rounded up 111: one key too many.
 */
#include "ring.h"

static double bound(const struct ring *r, const struct ch_node *node)
{
    double x = (double)r->percent / 100 * (double)(r->placed + 1) * node->weight / (double)r->nodes.weights;
    const double whole = (double)(uint64_t)x;
    return whole < x ? whole + 1 : whole;
}

static uint32_t place(void *map, uint64_t key)
{
    struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    uint32_t i = ring_first(r, key);
    while (r->load[r->point[i].id] + 1.0 > bound(r, &r->nodes.list[nodes_find(&r->nodes, r->point[i].id)]))
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
