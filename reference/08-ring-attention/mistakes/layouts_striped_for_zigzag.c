/* A wrong answer to ring: its author believed that stripes are as good as a zigzag.
 *
 * They balance nearly as well. But whoever asked for a zigzag has dealt out tokens and reads results by it.
 */
#include "ring.h"

static int shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions)
{
    struct at_ring other = *ring;
    if (ring->layout == AT_ZIGZAG)
        other.layout = AT_STRIPED;
    return ring_shard(&other, rank, positions);
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
