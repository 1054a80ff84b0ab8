/* ring_step.c: one step of a ring, the same for those that compute while the next block travels and those that wait:
 * where things lie, and what becomes of a block once it is here.
 *
 * Idea       A partial result over the block, merged into the result so far. The result of the first block, which is a
 *            rank's own, is the result so far.
 * Invariant  After s blocks the result is exact attention over those s: not a sum that is still to be divided. So
 *            there is no last step that can be forgotten, and a rank could stop at any time.
 * Cost       A block that nobody here sees is passed on and not computed. A merge reads and writes the result once:
 *            about 5 n d operations beside the block's 4 n^2 d.
 * Tried      Results rounded to bfloat16 (ring->partial), as kernels give them out. Rounded only when they come from
 *            the kernel and summed in float32, their errors average out: with the result kept in bfloat16 too, as
 *            when each merge is a kernel of its own, every merge adds one. README.md has figures.
 * Source     Rabe & Staats 2021; ring-flash-attention, issues 22 and 42.
 */
#include "ring.h"

#include <errno.h>

static bool place(size_t *end, size_t *at, uint64_t a, uint64_t b, uint64_t c)
{
    size_t bytes;
    *at = *end;
    return !__builtin_mul_overflow(a, b, &bytes) && !__builtin_mul_overflow(bytes, c, &bytes) &&
           !__builtin_add_overflow(bytes, *end, end) && !__builtin_add_overflow(*end, AT_ALIGN - 1, end) &&
           ((*end &= ~(size_t)(AT_ALIGN - 1)), true);
}

int ring_lay_out(const struct at_ring *ring, const struct at_ranked *mine, struct ring_rank *rank, void *workspace,
                 size_t *bytes)
{
    size_t blocks, here, there, out, lse, work, end = 0;
    int code = ring_check(ring);
    if (code == 0)
        code = ring_most(ring, ring->blocks->workspace, &blocks);
    if (code)
        return code;
    uint64_t rows = ring_most_rows(ring), heads = (uint64_t)ring->batch * ring->heads;
    uint64_t pairs = (uint64_t)ring->batch * ring->kv_heads, row = 2 * ring_width(ring) * ring->d;
    if (!place(&end, &here, pairs, rows, row) || !place(&end, &there, pairs, rows, row) ||
        !place(&end, &out, heads, rows, ring->d * sizeof(float)) || !place(&end, &lse, heads, rows, sizeof(float)) ||
        !place(&end, &work, blocks, 1, 1))
        return -EOVERFLOW;
    *bytes = end;
    if (!rank)
        return 0;
    char *at = workspace;
    size_t head = (size_t)ring_rows(ring, mine->link->rank) * ring->d;
    float *partial = (float *)(void *)(at + out);
    *rank = (struct ring_rank){.ring = ring,
                               .mine = mine,
                               .link = mine->link,
                               .me = mine->link->rank,
                               .here = at + here,
                               .there = at + there,
                               .partial = {{partial, ring->heads * head, head, ring->d}, (float *)(void *)(at + lse)},
                               .work = at + work};
    return 0;
}

int ring_workspace(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    return ring_lay_out(ring, mine, NULL, NULL, bytes);
}

/* To the nearest, the even one of two; what it is given is finite. */
static float rounded(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return at_from_bf16((uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16));
}

static void round_all(const struct at_problem *p, const struct at_out *out)
{
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++) {
                float *row = at_out_row(out, b, h, i);
                for (uint32_t c = 0; c < p->d; c++)
                    row[c] = rounded(row[c]);
            }
}

int ring_attend(const struct ring_rank *r, uint32_t whose, const void *block, bool first)
{
    const struct at_ops *blocks = r->ring->blocks;
    struct at_problem p = ring_problem(r->ring, r->me, whose);
    struct at_in k = ring_keys(r->ring, p.n_k, block), v = ring_values(r->ring, p.n_k, block);
    if (first)
        return blocks->forward(&p, &r->mine->q, &k, &v, &r->mine->result, 0, 1, r->work);
    if (at_visible(&p, p.n_q - 1) == 0) /* the last row sees most */
        return 0;
    int code = blocks->forward(&p, &r->mine->q, &k, &v, &r->partial, 0, 1, r->work);
    if (code)
        return code;
    if (r->ring->partial == AT_BF16) {
        round_all(&p, &r->mine->result.out);
        round_all(&p, &r->partial.out);
    }
    blocks->merge(&p, &r->mine->result, &r->partial);
    return 0;
}
