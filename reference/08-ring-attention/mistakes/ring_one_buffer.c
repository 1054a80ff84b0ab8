/* A wrong answer to ring: its author believed that what arrives can take the place of what leaves.
 *
 * Both are under way at once: one is overwritten before it has been read, by the link and by forward.
 */
#include "ring.h"

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    t.block[1] = t.block[0];
    return code ? code : go_round(&t);
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
