/* Gather: every rank collects all keys and values first, then computes once.
 *
 * Idea       What a ring is an answer to; and still what many use, since it takes any kernel as it is: an all-gather,
 *            and one call of attention over the whole sequence, with this rank's queries.
 * Invariant  Blocks are put where their positions are, so that keys lie in the order of the sequence, whatever the
 *            layout; the mask is that of the whole sequence.
 * Cost       The bytes of the ring. Memory: all of K and V, P times the ring's blocks: that is what grows. No partial
 *            results and no merges, so none is rounded either: its error is that of one call.
 * Gets wrong Nothing is computed until everything is here.
 * Source     Llama 3 (Grattafiori et al. 2024, 3.3.2), and the llama3 variant of ring-flash-attention.
 */
#include "ring.h"

#include <errno.h>

struct gather {
    struct ring_rank r;
    char *keys, *values; /* (batch, kv_heads, total, d) */
};

/* The ring's places, and behind them room for everything. */
static int lay_out(const struct at_ring *ring, const struct at_ranked *mine, struct gather *g, void *workspace,
                   size_t *bytes)
{
    size_t first, blocks, all;
    int code = ring_lay_out(ring, mine, g ? &g->r : NULL, workspace, &first);
    if (code)
        return code;
    if (ring->total > UINT32_MAX)
        return -EOVERFLOW;
    struct at_problem p = ring_problem(ring, 0, 0);
    p.n_k = (uint32_t)ring->total;
    p.k = at_positions_from(0, p.n_k);
    code = ring->blocks->workspace(&p, 1, &blocks);
    if (code)
        return code;
    if (__builtin_mul_overflow(ring_block(ring, 1), (size_t)ring->total, &all) || all > SIZE_MAX / 4 - blocks)
        return -EOVERFLOW;
    blocks = (blocks + AT_ALIGN - 1) & ~(size_t)(AT_ALIGN - 1);
    *bytes = first + blocks + all;
    if (g) {
        g->r.work = (char *)workspace + first;
        g->keys = (char *)workspace + first + blocks;
        g->values = g->keys + all / 2;
    }
    return 0;
}

static int gather_workspace(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    return lay_out(ring, mine, NULL, NULL, bytes);
}

/* Rows of rank `whose` to where their positions are. */
static void put(const struct gather *g, uint32_t whose)
{
    const struct at_ring *ring = g->r.ring;
    struct at_problem p = ring_problem(ring, whose, whose);
    struct at_in from[2] = {ring_keys(ring, p.n_k, g->r.here), ring_values(ring, p.n_k, g->r.here)};
    char *to[2] = {g->keys, g->values};
    size_t row = ring->d * ring_width(ring);
    for (int n = 0; n < 2; n++)
        for (uint32_t b = 0; b < ring->batch; b++)
            for (uint32_t h = 0; h < ring->kv_heads; h++)
                for (uint32_t i = 0; i < p.n_k; i++)
                    memcpy(to[n] + (((size_t)b * ring->kv_heads + h) * ring->total + at_position(&p.k, i)) * row,
                           at_row(&from[n], ring->type, b, h, i), row);
}

static int ring_forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct gather g;
    size_t bytes;
    int code = lay_out(ring, mine, &g, workspace, &bytes);
    if (code)
        return code;
    struct ring_rank *r = &g.r;
    ring_pack(ring, mine, ring_rows(ring, r->me), r->here);
    for (uint32_t step = 0; step < ring->ranks && code == 0; step++) {
        uint32_t whose = ring_whose(ring, r->me, step), next = ring_whose(ring, r->me, step + 1);
        if (next != r->me)
            code = r->link->begin(r->link->self, r->here, ring_block(ring, ring_rows(ring, whose)), r->there,
                                  ring_block(ring, ring_rows(ring, next)));
        put(&g, whose);
        int ended = r->link->wait(r->link->self);
        code = code ? code : ended;
        void *free_now = r->here;
        r->here = r->there;
        r->there = free_now;
    }
    if (code)
        return code;
    struct at_problem p = ring_problem(ring, r->me, 0);
    p.n_k = (uint32_t)ring->total;
    p.k = at_positions_from(0, p.n_k);
    struct at_in k = ring_keys(ring, p.n_k, g.keys), v = k;
    v.data = g.values;
    return ring->blocks->forward(&p, &mine->q, &k, &v, &mine->result, 0, 1, r->work);
}

static const struct at_ops ops = {.shard = ring_shard,
                                  .ring_workspace = gather_workspace,
                                  .ring_forward = ring_forward,
                                  .can = AT_CAUSAL | AT_TAKES_BF16};
AT_ENTRY(ring_gather, "ring-gather", "all keys and values are collected first, then one call", &ops);
