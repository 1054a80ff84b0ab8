/* Ring: keys and values go round, queries stay.
 *
 * Idea       Each rank holds its rows of Q, K, V and the output, and never sees the others': they come by, one rank's
 *            at a time. While a rank computes with a block, it sends that block on and the next one arrives.
 *
 *                step 0   rank 0: K0 V0    rank 1: K1 V1    rank 2: K2 V2
 *                step 1           K2 V2            K0 V0            K1 V1
 *                step 2           K1 V1            K2 V2            K0 V0
 *
 * Invariant  In step s rank r holds the block of rank r - s, and its result is attention over the blocks of r, r - 1,
 *            ..., r - s. A block is only read while it is both computed with and sent.
 * Cost       P - 1 rotations, not P: its own block a rank has already. c rows a rank (d wide, w bytes a number) make
 *            2 c d w bytes a rotation and 4 c^2 d operations: at F operations/s and B bytes/s the transfer is hidden
 *            when c >= w F / 2 B: 2 F / B in float32, whatever d is. Memory: two blocks of keys and values, a partial
 *            result, nothing that grows with P.
 * Gets wrong Waits for the slowest rank in each step (ring_layout.c has what to do about that), and for the slowest
 *            link. Every block visits every rank, even those that see nothing of it.
 * Source     Liu, Zaharia & Abbeel 2023.
 */
#include "ring.h"

#include <errno.h>

static int ring_forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct ring_rank r;
    size_t bytes;
    int code = ring_lay_out(ring, mine, &r, workspace, &bytes);
    if (code)
        return code;
    ring_pack(ring, mine, ring_rows(ring, r.me), r.here);
    for (uint32_t step = 0; step < ring->ranks && code == 0; step++) {
        uint32_t whose = ring_whose(ring, r.me, step), next = ring_whose(ring, r.me, step + 1);
        if (next != r.me)
            code = r.link->begin(r.link->self, r.here, ring_block(ring, ring_rows(ring, whose)), r.there,
                                 ring_block(ring, ring_rows(ring, next)));
        if (code == 0)
            code = ring_attend(&r, whose, r.here, step == 0);
        int ended = r.link->wait(r.link->self); /* whatever went wrong: nothing may write here when we are gone */
        code = code ? code : ended;
        void *free_now = r.here;
        r.here = r.there;
        r.there = free_now;
    }
    return code;
}

static const struct at_ops ops = {.shard = ring_shard,
                                  .ring_workspace = ring_workspace,
                                  .ring_forward = ring_forward,
                                  .ring_backward_workspace = ring_backward_workspace,
                                  .ring_backward = ring_backward,
                                  .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(ring, "ring", "keys and values go round, and travel while ranks compute", &ops);
