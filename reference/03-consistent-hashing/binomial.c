/* Binomial: jump's answer in constant time, from the bits of a hash.
 *
 * Idea       With n = 2^k buckets the last k bits of a hash say which. From 2^k to 2^(k+1) one more bit counts: half of
 *            the keys stay, the others move up. For an n in between, M < n <= E = 2 M, take a bucket of E at random; if
 *            it is in the upper half and there, that is it; if it is there no more (n or beyond), draw again; if it is
 *            in the lower half, the key stays where it is with M buckets. About two draws at the worst.
 *            One thing is in the way: the bits that led to the upper half say also where in the lower one the key is,
 *            so what is drawn again would not be spread evenly. So within the upper half, and each half of the lower
 *            one (a level of a binomial tree), the bucket is drawn anew, by another hash.
 * Invariant  None of the draws depends on n; n says which is the first that counts. When a bucket joins, draws that
 *            named it in vain count now: keys move to it, and only to it. From M to E the lower halves agree.
 * Cost       Between one and two draws; a hash or two. No memory but the buckets' names.
 * Gets wrong As jump: only the last bucket can leave, no weights. After 64 vain draws, which is as likely as 2^-64, the
 *            key stays below; the paper stops after a few, and is that much uneven.
 * Source     Coluzzi, Brocco, Antonucci & Leidi 2024, "BinomialHash: a constant time, minimal memory consistent hashing
 *            algorithm". Written from its text.
 */
#include "nodes.h"

#define CAN CH_MONOTONE

/* A bucket of the level of b, drawn anew: [2^i, 2^(i+1)), with i the highest bit of b. 0 and 1 are levels of one. */
static uint32_t within_level(uint64_t key, uint32_t b)
{
    if (b < 2)
        return b;
    uint32_t level = UINT32_C(1) << (31 - __builtin_clz(b));
    return level | ((uint32_t)ch_mix(key ^ level) & (level - 1));
}

static uint32_t bucket(uint64_t key, uint32_t n)
{
    if (n < 2)
        return 0;
    uint32_t lower = UINT32_C(1) << (31 - __builtin_clz(n - 1)); /* M < n <= 2 M */
    uint32_t b = within_level(key, (uint32_t)key & (2 * lower - 1));
    if (b < n) /* in the lower half: the bucket among M */
        return b;
    uint32_t below = within_level(key, (uint32_t)key & (lower - 1));
    uint64_t draw = key;
    for (uint32_t i = 0; i < 64; i++) {
        draw = ch_again(draw);
        b = (uint32_t)draw & (2 * lower - 1); /* these bits say nothing of where in the lower half */
        if (b < n)
            return b < lower ? below : b;
    }
    return below;
}

static int create(const struct ch_config *config, void **out)
{
    (void)config;
    return nodes_create(sizeof(struct nodes), CAN, out);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct nodes *n = map;
    return n->count ? n->id[bucket(key, n->count)] : CH_NONE;
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    return replicas_again(map, lookup, key, most, node);
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = nodes_end,
                                  .add = nodes_add,
                                  .remove = nodes_remove,
                                  .lookup = lookup,
                                  .replicas = replicas,
                                  .bytes = nodes_bytes,
                                  .can = CAN};
CH_ENTRY(binomial, "binomial", "jump's promise in constant time, from bits; only the last node can leave", &ops);
