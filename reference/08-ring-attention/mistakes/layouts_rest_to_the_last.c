/* A wrong answer to ring: its author believed that the last rank may have all that is left over.
 *
 * Every rank has to work out everybody's shard, so all go by one rule: the first ones have a row more.
 */
#include "ring.h"

static int shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions)
{
    struct at_ring whole = *ring;
    if (ring->layout != AT_CONTIGUOUS)
        return ring_shard(ring, rank, positions);
    whole.total = ring->total / ring->ranks * ring->ranks;
    const int code = ring_shard(&whole, rank, positions);
    if (rank + 1 == ring->ranks)
        positions->run[0].count += (uint32_t)(ring->total - whole.total);
    return code;
}

static int workspace_of_these(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    (void)mine;
    return ring_workspace_by(shard, ring, bytes);
}

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    return ring_forward_by(shard, ring, mine, workspace);
}

static const struct at_ops ops = {
    .shard = shard, .ring_workspace = workspace_of_these, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
