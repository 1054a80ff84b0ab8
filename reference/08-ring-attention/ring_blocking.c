/* Ring, blocking: each block is computed with, then passed on, and the next one waited for.
 *
 * Idea       What one writes first. To be measured against.
 * Invariant  That of ring.c.
 * Cost       A step takes compute + transfer, where ring.c takes the longer of the two. The same bytes, and the same
 *            two buffers.
 * Tried      send and receive, ranks with even numbers sending first and the others receiving first: nobody waits
 *            forever, but of each rank's two links one is idle at any time, so that a step takes compute + two
 *            transfers. All send first: stands still as soon as a block is more than a link holds.
 * Gets wrong All of the time that a transfer takes.
 * Source     MPI_Sendrecv_replace, as it stands in most first versions.
 */
#include "ring.h"

static int pass_on(struct ring_rank *r, uint32_t whose, uint32_t next)
{
    const struct at_link *link = r->link;
    int code = link->begin(link->self, r->here, ring_block(r->ring, ring_rows(r->ring, whose)), r->there,
                           ring_block(r->ring, ring_rows(r->ring, next)));
    code = code ? code : link->wait(link->self);
    void *free_now = r->here;
    r->here = r->there;
    r->there = free_now;
    return code;
}

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
        code = ring_attend(&r, whose, r.here, step == 0);
        if (code == 0 && next != r.me)
            code = pass_on(&r, whose, next);
    }
    return code;
}

static const struct at_ops ops = {.shard = ring_shard,
                                  .ring_workspace = ring_workspace,
                                  .ring_forward = ring_forward,
                                  .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(ring_blocking, "ring-blocking", "the same ring, but it computes, then sends, then waits", &ops);
