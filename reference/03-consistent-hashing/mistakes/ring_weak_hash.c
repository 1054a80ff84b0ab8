/* A wrong answer to ring: its author believed that any formula with a large constant is a hash.
 *
 * Points of one node stand side by side, and numbers that differ in the last digit are neighbours: one of them gets
 * nearly all.
 */
#include "ring.h"

static uint64_t weak(uint32_t id, uint32_t i)
{
    return id * UINT64_C(0x9e3779b97f4a7c15) + i * UINT64_C(0x10001);
}

static int add(void *map, const struct ch_node *node, uint32_t n)
{
    return ring_add_by(map, node, n, weak, ring_order);
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
