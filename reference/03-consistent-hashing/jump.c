/* Jump: no table at all. Each key computes the few moments at which it would have moved as the nodes grew in number.
 *
 * Idea       Let buckets join one after the other. For shares to stay equal, a key moves to the n-th one when that
 *            joins with probability 1/n. Rather than ask each bucket, draw where the next move is: from bucket b the
 *            next one is at j or beyond with probability (b+1)/j, so j = floor((b+1) / r) with r uniform in (0, 1].
 *            Jump from move to move; the last one below n is the answer. A linear congruential generator that starts
 *            at the key gives the r.
 * Invariant  The jumps depend on the key alone, n only says where to stop. So adding a bucket moves keys to that one
 *            and nothing else, and shares are equal.
 * Cost       H_n jumps on average, about ln n + 0.58: a multiplication and a division each, and a mispredicted end.
 *            No memory but the names of the buckets.
 * Gets wrong Buckets are numbers 0 … n-1, so only the last one can leave: removing another would mean to number anew.
 *            Fit for shards, which grow; not for servers, which die (anchor.c and memento.c mend that). No weights.
 *            As published the jump is computed in doubles, and a port that rounds otherwise puts keys elsewhere.
 * Source     Lamping & Veach 2014, "A fast, minimal memory, consistent hash algorithm". Their test values hold here.
 */
#include "jump.h"

#define CAN CH_MONOTONE

static int create(const struct ch_config *config, void **out)
{
    (void)config;
    return nodes_create(sizeof(struct nodes), CAN, out);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct nodes *n = map;
    return n->count ? n->id[jump(key, n->count)] : CH_NONE;
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
CH_ENTRY(jump, "jump", "no table: computes when the key would have moved; only the last node can leave", &ops);
