/* A wrong answer to ring: its author believed that the block of the next rank comes first.
 *
 * Blocks go to the next rank, so they come from the one before: in step s it is the block of rank r - s.
 */
#include "ring.h"

static uint32_t next_owner(const struct turn *t, uint32_t s)
{
    return (t->link->rank + s) % t->ring->ranks;
}

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct turn t;
    int code = turn_begin(&t, ring, mine, ring_shard, workspace);
    for (uint32_t s = 0; s < ring->ranks && code == 0; s++) {
        const bool more = s + 1 < ring->ranks;
        const struct at_problem now = meeting(&t, t.link->rank, next_owner(&t, s));
        const struct at_problem then = meeting(&t, t.link->rank, next_owner(&t, s + 1));
        if (more)
            code = t.link->begin(t.link->self, t.block[s % 2], block_bytes(ring, now.n_k), t.block[(s + 1) % 2],
                                 block_bytes(ring, then.n_k));
        if (code == 0)
            code = meet_as(&t, &now, t.block[s % 2], s == 0);
        if (more)
            code = arrive(&t, code);
    }
    return code;
}

static const struct at_ops ops = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "a ring with a mistake", &ops);
