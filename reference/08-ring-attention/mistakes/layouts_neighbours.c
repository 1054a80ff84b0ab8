/* A wrong answer to ring: its author believed that a rank has two runs which are neighbours.
 *
 * Runs 2r and 2r + 1 are a contiguous layout in two pieces: the last rank has nearly twice the work again.
 */
#include "ring.h"

static int shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions)
{
    const int code = ring_shard(ring, rank, positions);
    if (code == 0 && ring->layout == AT_ZIGZAG) {
        positions->run[0] = run_of(ring->total, 2 * rank, 2 * ring->ranks);
        positions->run[1] = run_of(ring->total, 2 * rank + 1, 2 * ring->ranks);
    }
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
