/* A wrong answer to ring: its author believed that a link holds whatever is sent.
 *
 * If it did, a send, then the work, then a receive would overlap. Where it holds less than a block, all stand still.
 */
#include "ring.h"

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    for (uint32_t s = 0; s < ring->ranks && code == 0; s++) {
        const struct at_link *link = t.link;
        const bool more = s + 1 < ring->ranks;
        if (more)
            code = link->send(link->self, t.block[s % 2], bytes_in_step(&t, s));
        if (code == 0)
            code = meet(&t, s, t.block[s % 2], s == 0);
        if (code == 0 && more)
            code = link->receive(link->self, t.block[(s + 1) % 2], bytes_in_step(&t, s + 1));
    }
    return code;
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
