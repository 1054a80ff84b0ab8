/* A wrong answer to fast-ring: its author believed that halving is fast.
 *
 * It is fast in instructions. Of 19 looks into 400,000 points 16 are at lines of their own, one after the other.
 */
#include "ring.h"

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = ring_lookup,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(fast_ring, "fast-ring", "a ring with a mistake", &ops);
