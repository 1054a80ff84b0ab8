/* A wrong answer to ring: its author believed that all shards are as long as its own.
 *
 * They are where the number of ranks divides the length.
 */
#include "ring.h"

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    const size_t bytes = block_bytes(ring, rows_of(ring, ring_shard, t.link->rank));
    for (uint32_t s = 0; s < ring->ranks && code == 0; s++) {
        const bool more = s + 1 < ring->ranks;
        if (more)
            code = t.link->begin(t.link->self, t.block[s % 2], bytes, t.block[(s + 1) % 2], bytes);
        if (code == 0)
            code = meet(&t, s, t.block[s % 2], s == 0);
        if (more)
            code = arrive(&t, code);
    }
    return code;
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
