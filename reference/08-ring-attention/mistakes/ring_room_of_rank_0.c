/* A wrong answer to ring: its author believed that no shard is longer than that of rank 0.
 *
 * The first runs have a row more. In zigzag a rank has two runs, and others than rank 0 may have it in both.
 */
#include "ring.h"

static int workspace_of_rank_0(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    (void)mine;
    return ring_workspace_with(ring_shard, ring, rows_of(ring, ring_shard, 0), bytes);
}

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    const int code = turn_begin_with(&t, ring, mine, ring_shard, rows_of(ring, ring_shard, 0), workspace);
    return code ? code : go_round(&t);
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = workspace_of_rank_0, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
