/* Break it: the sequence that keeps a database busiest behind an LRU cache, at a given hit ratio.
 *
 * Idea       All places but one are held by keys that are asked for in turn, so what is in the last place is always the
 *            oldest. There the two most expensive keys evict each other, once a round, until the misses are used up.
 * Bound      Of m misses no two that follow each other are of one key: m/2 x the dearest + m/2 x the second. This comes
 *            within the first round's misses of it, which are of other keys; those are the dearest that are left.
 */
#include "cache_metrics.h"

#include <errno.h>
#include <stdlib.h>

struct priced {
    uint32_t key, cost;
};

static int dearest_first(const void *a, const void *b)
{
    const struct priced *one = a, *other = b;
    return one->cost > other->cost ? -1 : one->cost < other->cost ? 1 : one->key < other->key ? -1 : 1;
}

static int make(const struct cm_bounds *bounds, uint32_t *key)
{
    struct priced *price = malloc(bounds->keys * sizeof *price);
    if (!price)
        return -ENOMEM;
    for (uint32_t i = 0; i < bounds->keys; i++)
        price[i] = (struct priced){i, bounds->cost_us[i]};
    qsort(price, bounds->keys, sizeof *price, dearest_first);
    const uint32_t held = bounds->capacity - 1; /* in turn: price[2] to price[held + 1] */
    uint32_t misses = held;
    for (uint32_t i = 0; i < bounds->requests; i++) {
        const uint32_t at = i % bounds->capacity, round = i / bounds->capacity;
        const bool miss = at == held && misses < bounds->most_misses;
        misses += miss;
        key[i] = price[miss ? round % 2 : at < held ? 2 + at : 2].key;
    }
    free(price);
    return 0;
}

static const struct cm_sequence_ops ops = {.make = make};
CM_SEQUENCE(break_it, "break-it", "two keys evict each other in the last place", &ops);
