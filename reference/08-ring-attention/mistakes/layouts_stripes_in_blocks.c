/* A wrong answer to ring: its author believed that stripes are small blocks.
 *
 * The r-th of P runs is the contiguous layout under another name; a stripe is every P-th token.
 */
#include "ring.h"

static int shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions)
{
    struct at_ring other = *ring;
    if (ring->layout == AT_STRIPED)
        other.layout = AT_CONTIGUOUS;
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
