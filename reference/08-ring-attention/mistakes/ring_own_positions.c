/* A wrong answer to ring: its author believed that keys stand where the queries do.
 *
 * They do in the first step. Then the block is another rank's, and so are its positions.
 */
#include "ring.h"

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    for (uint32_t s = 0; s < ring->ranks && code == 0; s++) {
        const bool more = s + 1 < ring->ranks;
        struct at_problem p = meeting(&t, t.link->rank, owner(&t, s));
        p.k = p.q;
        if (more)
            code = pass_on(&t, s, t.block[s % 2], t.block[(s + 1) % 2]);
        if (code == 0)
            code = meet_as(&t, &p, t.block[s % 2], s == 0);
        if (more)
            code = arrive(&t, code);
    }
    return code;
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
