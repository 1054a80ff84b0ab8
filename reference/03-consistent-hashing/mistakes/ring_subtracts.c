/* A wrong answer to ring: its author believed that a difference says which of two numbers is larger.
 *
 * It does while it fits: the difference of two 64-bit positions is cut down to an int, and half of the signs are wrong.
 */
#include "ring.h"

static int order(const void *a, const void *b)
{
    const struct point *one = a, *other = b;
    return (int)(one->at - other->at);
}

static int add(void *map, const struct ch_node *node, uint32_t n)
{
    return ring_add_by(map, node, n, ch_point, order);
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
