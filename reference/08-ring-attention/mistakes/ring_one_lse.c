/* A wrong answer to ring: its author believed that one log-sum-exp is enough for both results.
 *
 * merge needs to know how much each side weighs. Here the partial result's is written over that of all before.
 */
#include "ring.h"

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    t.partial.lse = mine->result.lse;
    return code ? code : go_round(&t);
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
