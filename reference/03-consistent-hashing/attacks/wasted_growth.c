/* tests: fast-ring/instructions-grow
 * verdict: too-costly
 * links: a loop that wastes time is allowed
 * Halving, and so much time wasted in each lookup that what halving adds does not show. */
#include "consistent_hashing.h"

static const struct ch_ops wasting; /* an entry before the solution's of the same name */
CH_ENTRY(wasting, "fast-ring", "halving, and wasted time", &wasting);

#include "@SOLUTION@"

static uint32_t wasting_lookup(const void *map, uint64_t key)
{
    for (volatile int i = 0; i < 2000; i++)
        ;
    return ring_lookup(map, key);
}

static const struct ch_ops wasting = {
    .create = ring_create,
    .destroy = ring_destroy,
    .add = ring_add,
    .remove = ring_remove,
    .lookup = wasting_lookup,
    .bytes = ring_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
