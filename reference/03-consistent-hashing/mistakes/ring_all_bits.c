/* A wrong answer to ring: its author believed that a position always has 64 bits.
 *
 * With fewer bits points fall together, and then the smaller number counts.
 */
#include "ring.h"

static int create(const struct ch_config *config, void **map)
{
    struct ch_config all = *config;
    all.bits = 64;
    return ring_create(&all, map);
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = ring_lookup,
                                  .replicas = ring_replicas,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring, "ring", "a ring with a mistake", &ops);
