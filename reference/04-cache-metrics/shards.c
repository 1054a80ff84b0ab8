/* SHARDS: the same curve from a sample of the keys, in memory that does not grow.
 *
 * Idea       A key is watched if its hash is below a threshold; so all requests for it are, or none. With a share R of
 *            the keys, distances among them are R times as long: divide by R. When more keys are watched than there may
 *            be, the one with the largest hash goes, and its hash is the new threshold: R falls as keys come.
 * Counting   A request that is watched stands for 1 / R requests, with R as it is then. (The paper scales all counts
 *            down each time that R falls; their ratio is the same.)
 * Adjusted   All of these together should come to n. What is missing, since a few hot keys were or were not among the
 *            watched, is added to the shortest distance (the paper's SHARDS-adj): a hot key hits at every size. So the
 *            misses are what was counted as misses, and nothing is scaled to make up for the rest.
 * Cost       A hash a request; of the watched ones O(log s), s being the most that are watched. About 100 s bytes.
 * Law        An error of the miss ratio of about 1 / sqrt(s); published: below 0.01 on average with s = 8192.
 * Gets wrong Capacities below 1 / R: distances come in steps of that. The hash is fixed: who picks keys by it can fool
 *            it.
 * Source     Waldspurger, Park, Garthwaite & Ahmad 2015, "Efficient MRC construction with SHARDS" (FAST).
 */
#include "heap.h"
#include "stack.h"

struct sample {
    struct stack stack;
    struct heap heap;   /* of the watched keys, the largest hash first */
    uint64_t threshold; /* a key is watched when its hash is at most this */
};

/* Not the hash of the index. No two keys have the same. */
static uint64_t hash_of(uint64_t key)
{
    return rng_splitmix64(&key);
}

/* How many keys a watched one stands for: 1 / R. */
static double stands_for(const struct sample *s)
{
    return 0x1p64 / ((double)s->threshold + 1);
}

/* A key that has just come is watched from now on, unless there are too many and it has the largest hash. */
static bool watch(struct sample *s, uint32_t n, uint64_t hash, uint32_t most)
{
    struct object *o = s->stack.store->object;
    if (!heap_reserve(&s->heap))
        return false;
    heap_add(&s->heap, o, n, ~hash);
    if (s->heap.count <= most)
        return true;
    const struct heap_entry largest = *heap_least(&s->heap);
    heap_remove(&s->heap, o, largest.object);
    stack_forget(&s->stack, largest.object);
    s->threshold = ~largest.rank - 1;
    return true;
}

/* The first capacity at which a request at this distance is a hit. */
static uint32_t first_hit(const uint64_t *capacity, uint32_t capacities, double distance)
{
    uint32_t low = 0;
    for (uint32_t high = capacities; low < high;) {
        const uint32_t middle = low + (high - low) / 2;
        if ((double)capacity[middle] < distance)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* hits[k]: of the requests for keys[0 ... n-1], those that are hits from capacity k on, and were none before. Gives all
 * requests that the watched ones stand for, or -1: no memory. */
static double walk(struct sample *s, uint32_t most, const uint64_t *key, size_t n, const uint64_t *capacity,
                   uint32_t capacities, double *hits)
{
    double all = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t hash = hash_of(key[i]);
        uint32_t distance;
        if (hash > s->threshold)
            continue;
        const double weight = stands_for(s);
        const uint32_t object = stack_ask(&s->stack, key[i], &distance);
        if (!object || (!distance && !watch(s, object, hash, most)))
            return -1;
        const uint32_t k = distance ? first_hit(capacity, capacities, (distance - 1) * weight + 1) : capacities;
        if (k < capacities)
            hits[k] += weight;
        all += weight;
    }
    return all;
}

static int misses(const struct cm_curve_config *config, const uint64_t *key, size_t n, const uint64_t *capacity,
                  uint32_t capacities, double *misses_at)
{
    struct sample s = {.threshold = UINT64_MAX};
    double left = -1;
    for (uint32_t k = 0; k < capacities; k++)
        misses_at[k] = 0;
    if (stack_create(&s.stack) == 0)
        left = walk(&s, config->most_sampled ? config->most_sampled : 1, key, n, capacity, capacities, misses_at);
    stack_end(&s.stack);
    free(s.heap.entry);
    if (left < 0)
        return -ENOMEM;
    for (uint32_t k = 0; k < capacities; k++) {
        left -= misses_at[k];
        misses_at[k] = left < 0 ? 0 : left < (double)n ? left : (double)n;
    }
    return 0;
}

static const struct cm_curve_ops ops = {.misses = misses};
CM_CURVE(shards, "shards", "the same from a sample of the keys, in constant memory", &ops);
