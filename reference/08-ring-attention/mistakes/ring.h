/* ring.h: what the mistakes of tasks 4 to 6 share: a rank of the ring, in pieces. All of it is right, and so is the
 * "blockwise" that comes with it, for the test in which the ring computes with it. */
#ifndef MISTAKES_RING_H
#define MISTAKES_RING_H

#include "blocks.h"

/* ---- layouts ---- */

/* Run `which` of `runs` over `total` tokens. */
static inline struct at_run run_of(uint64_t total, uint32_t which, uint32_t runs)
{
    const uint64_t each = total / runs, more = total % runs;
    return (struct at_run){which * each + (which < more ? which : more), 1, (uint32_t)(each + (which < more))};
}

static inline int ring_shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions)
{
    struct at_run one = run_of(ring->total, rank, ring->ranks), other = {0, 1, 0};
    if (ring->layout == AT_STRIPED)
        one = (struct at_run){rank, ring->ranks, one.count};
    if (ring->layout == AT_ZIGZAG) {
        one = run_of(ring->total, rank, 2 * ring->ranks);
        other = run_of(ring->total, 2 * ring->ranks - 1 - rank, 2 * ring->ranks);
    }
    *positions = (struct at_positions){.run = {one, other}};
    return 0;
}

typedef int shard_by(const struct at_ring *ring, uint32_t rank, struct at_positions *positions);

static inline uint32_t rows_of(const struct at_ring *ring, shard_by *shard, uint32_t rank)
{
    struct at_positions at = {0};
    shard(ring, rank, &at);
    return at.run[0].count + at.run[1].count;
}

static inline uint32_t most_rows(const struct at_ring *ring, shard_by *shard)
{
    uint32_t most = 0;
    for (uint32_t r = 0; r < ring->ranks; r++)
        most = rows_of(ring, shard, r) > most ? rows_of(ring, shard, r) : most;
    return most;
}

/* ---- one rank's turn ---- */

struct turn {
    const struct at_ring *ring;
    const struct at_ranked *mine;
    const struct at_link *link;
    shard_by *shard;
    uint32_t longest; /* shard that there is room for */
    float *block[2];  /* keys, then values */
    struct at_result partial;
    void *rest; /* what `blocks` works in */
};

/* Bytes of a block of n keys and values, (batch, kv_heads, n, d) each. */
static inline size_t block_bytes(const struct at_ring *ring, uint32_t n)
{
    return 2 * (size_t)ring->batch * ring->kv_heads * n * ring->d * sizeof(float);
}

static inline size_t whole_lines(size_t bytes)
{
    return (bytes + AT_ALIGN - 1) / AT_ALIGN * AT_ALIGN;
}

/* The block of rank `from` is with rank `rank`. */
static inline struct at_problem meeting(const struct turn *t, uint32_t rank, uint32_t from)
{
    const struct at_ring *ring = t->ring;
    struct at_problem p = {.batch = ring->batch,
                           .heads = ring->heads,
                           .kv_heads = ring->kv_heads,
                           .d = ring->d,
                           .scale = ring->scale,
                           .type = ring->type,
                           .causal = ring->causal};
    t->shard(ring, rank, &p.q);
    t->shard(ring, from, &p.k);
    p.n_q = p.q.run[0].count + p.q.run[1].count;
    p.n_k = p.k.run[0].count + p.k.run[1].count;
    return p;
}

/* Where in the workspace the second block, the partial result and the rest begin, and the whole ends; in bytes. */
struct offsets {
    size_t block, out, lse, rest, end;
};

static inline int turn_offsets(const struct turn *t, struct offsets *o)
{
    const struct at_ring *ring = t->ring;
    const size_t rows = (size_t)ring->batch * ring->heads * t->longest;
    size_t rest = 0;
    for (uint32_t r = 0; r < ring->ranks; r++)
        for (uint32_t from = 0; from < ring->ranks; from++) {
            const struct at_problem p = meeting(t, r, from);
            size_t some = 0;
            const int code = ring->blocks->workspace(&p, 1, &some);
            if (code)
                return code;
            rest = some > rest ? some : rest;
        }
    o->block = whole_lines(block_bytes(ring, t->longest));
    o->out = 2 * o->block;
    o->lse = o->out + whole_lines(rows * ring->d * sizeof(float));
    o->rest = o->lse + whole_lines(rows * sizeof(float));
    o->end = o->rest + rest;
    return 0;
}

static inline void pack(const struct at_ring *ring, const struct at_in *t, uint32_t n, float *to)
{
    for (uint32_t b = 0; b < ring->batch; b++)
        for (uint32_t h = 0; h < ring->kv_heads; h++)
            for (uint32_t i = 0; i < n; i++, to += ring->d)
                memcpy(to, (const float *)t->data + b * t->batch + h * t->head + i * t->row, ring->d * sizeof *to);
}

/* Ready to go round, with its own keys and values in block 0 and room for shards of `longest` rows. */
static inline int turn_begin_with(struct turn *t, const struct at_ring *ring, const struct at_ranked *mine,
                                  shard_by *shard, uint32_t longest, void *workspace)
{
    char *at = workspace;
    struct offsets o;
    *t = (struct turn){.ring = ring, .mine = mine, .link = mine->link, .shard = shard, .longest = longest};
    const int code = turn_offsets(t, &o);
    if (code)
        return code;
    const uint32_t n = rows_of(ring, shard, mine->link->rank);
    const size_t head = (size_t)n * ring->d;
    t->block[0] = (float *)(void *)at;
    t->block[1] = (float *)(void *)(at + o.block);
    t->partial.out = (struct at_out){(float *)(void *)(at + o.out), ring->heads * head, head, ring->d};
    t->partial.lse = (float *)(void *)(at + o.lse);
    t->rest = at + o.rest;
    pack(ring, &mine->k, n, t->block[0]);
    pack(ring, &mine->v, n, t->block[0] + block_bytes(ring, n) / 2 / sizeof(float));
    return 0;
}

static inline int turn_begin(struct turn *t, const struct at_ring *ring, const struct at_ranked *mine, shard_by *shard,
                             void *workspace)
{
    return turn_begin_with(t, ring, mine, shard, most_rows(ring, shard), workspace);
}

/* Whose block is here in step s. */
static inline uint32_t owner(const struct turn *t, uint32_t s)
{
    return (t->link->rank + t->ring->ranks - s % t->ring->ranks) % t->ring->ranks;
}

static inline size_t bytes_in_step(const struct turn *t, uint32_t s)
{
    return block_bytes(t->ring, rows_of(t->ring, t->shard, owner(t, s)));
}

/* Our queries meet a block, as `p` says. The first one's result needs no merge. */
static inline int meet_as(const struct turn *t, const struct at_problem *p, const float *block, bool first)
{
    const size_t head = (size_t)p->n_k * p->d, batch = p->kv_heads * head;
    const struct at_in k = {block, batch, head, p->d}, v = {block + p->batch * batch, batch, head, p->d};
    const struct at_ops *blocks = t->ring->blocks;
    const int code = blocks->forward(p, &t->mine->q, &k, &v, first ? &t->mine->result : &t->partial, 0, 1, t->rest);
    if (code == 0 && !first)
        blocks->merge(p, &t->mine->result, &t->partial);
    return code;
}

static inline int meet(const struct turn *t, uint32_t s, const float *block, bool first)
{
    const struct at_problem p = meeting(t, t->link->rank, owner(t, s));
    return meet_as(t, &p, block, first);
}

/* What is here in step s goes out, what is here in the next one comes in. */
static inline int pass_on(const struct turn *t, uint32_t s, const float *out, float *in)
{
    return t->link->begin(t->link->self, out, bytes_in_step(t, s), in, bytes_in_step(t, s + 1));
}

/* Whatever else happened, what was begun has to end. */
static inline int arrive(const struct turn *t, int code)
{
    const int arrived = t->link->wait(t->link->self);
    return code ? code : arrived;
}

/* ---- the operations as they should be, of any layout ---- */

static inline int ring_workspace_with(shard_by *shard, const struct at_ring *ring, uint32_t longest, size_t *bytes)
{
    const struct turn t = {.ring = ring, .shard = shard, .longest = longest};
    struct offsets o;
    const int code = turn_offsets(&t, &o);
    if (code == 0)
        *bytes = o.end;
    return code;
}

static inline int ring_workspace_by(shard_by *shard, const struct at_ring *ring, size_t *bytes)
{
    return ring_workspace_with(shard, ring, most_rows(ring, shard), bytes);
}

static inline int go_round(const struct turn *t)
{
    int code = 0;
    for (uint32_t s = 0; s < t->ring->ranks && code == 0; s++) {
        const bool more = s + 1 < t->ring->ranks;
        if (more)
            code = pass_on(t, s, t->block[s % 2], t->block[(s + 1) % 2]);
        if (code == 0)
            code = meet(t, s, t->block[s % 2], s == 0);
        if (more)
            code = arrive(t, code);
    }
    return code;
}

static inline int ring_forward_by(shard_by *shard, const struct at_ring *ring, const struct at_ranked *mine,
                                  void *workspace)
{
    struct turn t;
    const int code = turn_begin(&t, ring, mine, shard, workspace);
    return code ? code : go_round(&t);
}

static inline int ring_workspace(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    (void)mine;
    return ring_workspace_by(ring_shard, ring, bytes);
}

static inline int ring_forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    return ring_forward_by(ring_shard, ring, mine, workspace);
}

static const struct at_ops blocks_ops = {
    .workspace = blocks_workspace, .forward = blocks_forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks as they should be", &blocks_ops);

#endif
