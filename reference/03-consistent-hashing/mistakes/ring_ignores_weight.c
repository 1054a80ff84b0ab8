/* A wrong answer to ring: its author believed that all nodes are alike.
 *
 * A machine of twice the size gets as many points as any other.
 */
#include "ring.h"

static int add(void *map, const struct ch_node *node, uint32_t n)
{
    struct ring *r = map;
    int code = nodes_add(&r->nodes, node, n, true);
    for (uint32_t i = 0; i < n && code == 0; i++)
        code = ring_append(r, node[i].id, r->points, ch_point);
    if (code == 0)
        qsort(r->point, r->count, sizeof *r->point, ring_order);
    return code;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = add,
                                  .remove = ring_remove,
                                  .lookup = ring_lookup,
                                  .replicas = ring_replicas,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring, "ring", "a ring with a mistake", &ops);
