/* A wrong answer to ring: its author believed that a node which is there already may join again.
 *
 * It then has two points at each of its positions, and one of each stays when it leaves.
 */
#include "ring.h"

static int add(void *map, const struct ch_node *node, uint32_t n)
{
    struct ring *r = map;
    const int code = ring_add(map, node, n);
    if (code != -EEXIST)
        return code;
    for (uint32_t i = 0; i < n; i++)
        ring_append(r, node[i].id, r->points * node[i].weight, ch_point);
    qsort(r->point, r->count, sizeof *r->point, ring_order);
    return 0;
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
