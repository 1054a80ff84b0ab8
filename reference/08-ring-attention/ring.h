/* ring.h: what the entries of a ring share: who holds which rows, blocks of keys and values, one step's attention. */
#ifndef RING_H
#define RING_H

#include "problem.h"

/* 0; -EINVAL: a ring that is none. */
int ring_check(const struct at_ring *ring);

/* at_ops.shard. */
int ring_shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions);

/* Below: for rings that ring_check finds right, and ranks that are there. */

uint32_t ring_rows(const struct at_ring *ring, uint32_t rank);
uint32_t ring_most_rows(const struct at_ring *ring);

/* Whose block rank `me` holds after so many rotations: each one hands on what it got from the one before. */
static inline uint32_t ring_whose(const struct at_ring *ring, uint32_t me, uint32_t step)
{
    return (me + ring->ranks - step % ring->ranks) % ring->ranks;
}

/* The queries of one rank and the keys of one rank, maybe the same. */
struct at_problem ring_problem(const struct at_ring *ring, uint32_t queries, uint32_t keys);

/* The most that `ask` says for one part of any such problem. */
int ring_most(const struct at_ring *ring, int (*ask)(const struct at_problem *, uint32_t, size_t *), size_t *bytes);

/* Bytes of a number of q, k or v. */
static inline size_t ring_width(const struct at_ring *ring)
{
    return ring->type == AT_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* A block of keys and values, as it lies in a buffer and on the wire: (batch, kv_heads, rows, d) of keys, then the same
 * of values. Its buffer's bytes; and of float32 gradients of the same shapes. */
size_t ring_block(const struct at_ring *ring, uint32_t rows);
size_t ring_gradients(const struct at_ring *ring, uint32_t rows);

void ring_pack(const struct at_ring *ring, const struct at_ranked *mine, uint32_t rows, void *block);
struct at_in ring_keys(const struct at_ring *ring, uint32_t rows, const void *block);
struct at_in ring_values(const struct at_ring *ring, uint32_t rows, const void *block);

/* What a rank works with. */
struct ring_rank {
    const struct at_ring *ring;
    const struct at_ranked *mine;
    const struct at_link *link;
    uint32_t me;
    void *here, *there;       /* the block it computes with, and the one that arrives meanwhile */
    struct at_result partial; /* dense */
    void *work;               /* of ring->blocks */
};

/* Lays it out in a workspace; with `rank` NULL it only says how large that must be. -EINVAL; -EOVERFLOW; -errno of
 * blocks->workspace. */
int ring_lay_out(const struct at_ring *ring, const struct at_ranked *mine, struct ring_rank *rank, void *workspace,
                 size_t *bytes);

/* My queries meet the keys of rank `whose` in `block`; the result so far takes in what they find. The first time there
 * is none yet. */
int ring_attend(const struct ring_rank *rank, uint32_t whose, const void *block, bool first);

/* at_ops.ring_workspace, of those who use the above; at_ops.ring_backward and its workspace. */
int ring_workspace(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes);
int ring_backward_workspace(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes);
int ring_backward(const struct at_ring *ring, const struct at_ranked *mine, const struct at_in *d_out,
                  const struct at_gradients *gradients, void *workspace);

#endif
