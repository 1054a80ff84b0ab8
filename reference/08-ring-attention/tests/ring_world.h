/* ring_world.h: a whole sequence, cut over the ranks of a loop and put together again. */
#ifndef RING_WORLD_H
#define RING_WORLD_H

#include "loop.h"
#include "oracle.h"
#include "problem.h"

#define MOST_RANKS 16u

struct ring_world {
    struct at_ring ring;
    struct world whole; /* its problem has all rows as queries and as keys */
    const struct at_ops *ops;
    size_t bytes;     /* of workspace that each rank asked for */
    uint32_t outside; /* bytes written round it */
    struct loop_record record;
    uint32_t broken_rank; /* its calls of the link fail from the start; MOST_RANKS: none's */
    uint32_t gap;         /* elements between one row and the next of a shard */
};

/* 97 positions over 3 ranks, contiguous, one head of 16, all of it float32, over `blockwise`: to be changed at will. */
struct at_ring ring_of(uint32_t ranks, uint64_t total, enum at_layout layout);

/* The entry that is called so. */
const struct at_ops *entry_called(const char *name);

void ring_world_make(struct ring_world *w, const struct at_ring *ring, const char *entry, uint64_t seed);
void ring_world_end(struct ring_world *w);

/* What loop_run says. The result stands in w->whole.result then. */
int ring_world_run(struct ring_world *w, const struct loop_settings *settings);

/* One number of rank `rank` of row i: which of q 0, k 1, v 2; dense (batch, heads, rows, d), to free. */
void *ring_shard_of(const struct ring_world *w, int which, uint32_t rank, uint32_t gap, struct at_in *in);

/* `blocks` that count what they are asked for on the loop's clock (a unit for each pair that is seen), and compute with
 * blockwise. */
extern const struct at_ops counting_blocks;

#endif
