/* A wrong answer to ring: its author believed that a message is gone when it is sent.
 *
 * Where the link holds nothing, send waits for the other side to receive. Here all of them send.
 */
#include "ring.h"

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    for (uint32_t s = 0; s < ring->ranks && code == 0; s++) {
        code = meet(&t, s, t.block[s % 2], s == 0);
        if (code || s + 1 == ring->ranks)
            return code;
        code = t.link->send(t.link->self, t.block[s % 2], bytes_in_step(&t, s));
        if (code == 0)
            code = t.link->receive(t.link->self, t.block[(s + 1) % 2], bytes_in_step(&t, s + 1));
    }
    return code;
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
