/* A wrong answer to ring: its author believed that taking turns is all there is to it.
 *
 * Even ranks send first, odd ones receive first: nothing stands still for ever, and all of it in every step.
 */
#include "ring.h"

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    for (uint32_t s = 0; s < ring->ranks && code == 0; s++) {
        const struct at_link *link = t.link;
        code = meet(&t, s, t.block[s % 2], s == 0);
        if (code || s + 1 == ring->ranks)
            return code;
        for (uint32_t i = 0; i < 2 && code == 0; i++)
            if (i == link->rank % 2)
                code = link->send(link->self, t.block[s % 2], bytes_in_step(&t, s));
            else
                code = link->receive(link->self, t.block[(s + 1) % 2], bytes_in_step(&t, s + 1));
    }
    return code;
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
