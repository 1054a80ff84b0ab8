/* Ring, blocking: each block is computed with, then passed on, and the next one waited for. Two entries.
 *
 * Idea       What one writes first. To be measured against. "ring-blocking" sends and receives at the same time.
 *            "ring-in-turns" has only send and receive: ranks with even numbers send first and the others receive
 *            first, so nobody waits forever. (All send first: stands still as soon as a block is more than a link
 *            holds.)
 * Invariant  That of ring.c.
 * Cost       A step takes compute + transfer, where ring.c takes the longer of the two. In turns it takes compute + two
 *            transfers: of each rank's two links one is idle at any time. With an odd number of ranks, two neighbours
 *            send first, and somewhere a step waits for a third. The same bytes, and the same two buffers.
 * Gets wrong All of the time that a transfer takes.
 * Source     MPI_Sendrecv_replace, as it stands in most first versions; odd and even, as in MPI's own introductions.
 */
#include "ring.h"

/* A block goes out of r->here, and one comes into r->there. */
typedef int pass_on(const struct ring_rank *r, size_t out, size_t in);

static int at_once(const struct ring_rank *r, size_t out, size_t in)
{
    int code = r->link->begin(r->link->self, r->here, out, r->there, in);
    return code ? code : r->link->wait(r->link->self);
}

static int in_turns(const struct ring_rank *r, size_t out, size_t in)
{
    int code = 0;
    for (uint32_t turn = 0; turn < 2 && code == 0; turn++)
        code = (r->me + turn) % 2 == 0 ? r->link->send(r->link->self, r->here, out)
                                       : r->link->receive(r->link->self, r->there, in);
    return code;
}

static int forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace, pass_on *pass)
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
            code = pass(&r, ring_block(ring, ring_rows(ring, whose)), ring_block(ring, ring_rows(ring, next)));
        void *free_now = r.here;
        r.here = r.there;
        r.there = free_now;
    }
    return code;
}

static int ring_blocking(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    return forward(ring, mine, workspace, at_once);
}

static int ring_in_turns(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    return forward(ring, mine, workspace, in_turns);
}

static const struct at_ops blocking = {.shard = ring_shard,
                                       .ring_workspace = ring_workspace,
                                       .ring_forward = ring_blocking,
                                       .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(ring_blocking, "ring-blocking", "the same ring, but it computes, then sends, then waits", &blocking);

static const struct at_ops turns = {.shard = ring_shard,
                                    .ring_workspace = ring_workspace,
                                    .ring_forward = ring_in_turns,
                                    .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(ring_in_turns, "ring-in-turns", "the same, but a rank sends, then receives, or the other way round", &turns);
