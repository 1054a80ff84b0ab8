/* Modulo: key mod n. What everybody writes first, and what the other entries are the cure for.
 *
 * Idea       Number the n nodes 0 … n-1, here in the order of their ids; the key's remainder says which.
 * Invariant  Shares are equal to one key in 2^64 / n. Perfect, as long as nobody comes or goes.
 * Cost       One division, one load.
 * Gets wrong Everything when n changes. From n to n+1 a key stays only if both remainders name the same node:
 *            n/(n+1) of all keys move, where 1/(n+1) would have to. The fleet's caches are cold all at once, at the
 *            moment at which somebody wanted to help them.
 * Source     Karger, Lehman, Leighton, Panigrahy, Levine & Lewin 1997, "Consistent hashing and random trees", states
 *            the problem.
 */
#include "nodes.h"

#define CAN (CH_ANY_NODE | CH_ORDER_FREE)

static int create(const struct ch_config *config, void **out)
{
    (void)config;
    return nodes_create(sizeof(struct nodes), CAN, out);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct nodes *n = map;
    return n->count ? n->id[key % n->count] : CH_NONE;
}

/* The order of preference is that of the ids from there on, round again. */
static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct nodes *n = map;
    if (most > n->count)
        most = n->count;
    for (uint32_t i = 0; i < most; i++)
        node[i] = n->id[(key % n->count + i) % n->count];
    return most;
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = nodes_end,
                                  .add = nodes_add,
                                  .remove = nodes_remove,
                                  .lookup = lookup,
                                  .replicas = replicas,
                                  .bytes = nodes_bytes,
                                  .can = CAN};
CH_ENTRY(modulo, "modulo", "the key's remainder: moves nearly everything when a node comes or goes", &ops);
