/* A wrong answer to replicas: its author believed that the copies may go to the nodes with the next numbers.
 *
 * Then all that a node holds has its copy on one other: when that node dies its whole load lands there. On a ring a
 * hundred points have a hundred different followers.
 */
#include "ring.h"

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct ring *r = map;
    const uint32_t n = most < r->nodes.count ? most : r->nodes.count;
    uint32_t place = r->count ? nodes_find(&r->nodes, ring_lookup(map, key)) : 0;
    for (uint32_t i = 0; i < n; i++)
        node[i] = r->nodes.list[(place + i) % r->nodes.count].id;
    return n;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = ring_lookup,
                                  .replicas = replicas,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring, "ring", "a ring with a mistake", &ops);
