/* A wrong answer to ring: its author believed that a list of nodes may be added up to the one that fails.
 *
 * The caller is told that it failed, and half of it is there.
 */
#include "ring.h"

static int add(void *map, const struct ch_node *node, uint32_t n)
{
    int code = 0;
    for (uint32_t i = 0; i < n && code == 0; i++)
        code = ring_add(map, &node[i], 1);
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
