/* Lab 08: your attention, in blocks and in a ring. This is the one file that you hand in.
 *
 * The contract, with what every operation promises, is in ring_attention.h; the tasks and their rules are in README.md.
 * `naive` below is complete: it is what fails in the article, and it shows how an entry is made, how rows are reached,
 * and what workspace is. So is the contiguous layout. The rest is yours. Inputs are float32 throughout this lab.
 *
 *     make check LAB=08                         all public tests, with your points
 *     make check LAB=08 TEST=two-halves         one of them
 *     make hint  LAB=08 TEST=merge              the next of three hints
 */
#include "ring_attention.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ---- what all entries need, complete ---- */

/* Row i of head h of batch b. */
static const float *row_of(const struct at_in *t, uint32_t b, uint32_t h, uint32_t i)
{
    return (const float *)t->data + b * t->batch + h * t->head + i * t->row;
}

static float *out_row_of(const struct at_out *t, uint32_t b, uint32_t h, uint32_t i)
{
    return t->data + b * t->batch + h * t->head + i * t->row;
}

static float *lse_of(const struct at_problem *p, const struct at_result *result, uint32_t b, uint32_t h)
{
    return result->lse + (b * (size_t)p->heads + h) * p->n_q;
}

static float dot(const float *a, const float *b, uint32_t d)
{
    float sum = 0;
    for (uint32_t c = 0; c < d; c++)
        sum += a[c] * b[c];
    return sum;
}

/* The first of n rows that part `part` of `parts` has: the others begin where it ends. */
static uint32_t first_of(uint32_t n, uint32_t part, uint32_t parts)
{
    return (uint32_t)((uint64_t)n * part / parts);
}

/* ---- naive, complete: all scores of a part's rows at once, 4 n_q n_k bytes for a head ---- */

static int naive_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    uint32_t rows = p->n_q / parts + (p->n_q % parts != 0);
    *bytes = (size_t)rows * p->n_k * sizeof(float);
    return 0;
}

static int naive_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                         const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                         void *workspace)
{
    uint32_t first = first_of(p->n_q, part, parts), end = first_of(p->n_q, part + 1, parts);
    float *score = workspace;
    if (p->causal || p->type != AT_F32)
        return -ENOTSUP;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++) {
            uint32_t kv = h / (p->heads / p->kv_heads);
            for (uint32_t i = first; i < end; i++)
                for (uint32_t j = 0; j < p->n_k; j++)
                    score[(i - first) * (size_t)p->n_k + j] =
                        p->scale * dot(row_of(q, b, h, i), row_of(k, b, kv, j), p->d);
            for (uint32_t i = first; i < end; i++) {
                const float *s = score + (i - first) * (size_t)p->n_k;
                float *out = out_row_of(&result->out, b, h, i), most = -INFINITY, sum = 0;
                memset(out, 0, p->d * sizeof *out);
                for (uint32_t j = 0; j < p->n_k; j++)
                    most = fmaxf(most, s[j]);
                for (uint32_t j = 0; j < p->n_k; j++) {
                    float weight = expf(s[j] - most); /* never above 1, so nothing overflows */
                    sum += weight;
                    for (uint32_t c = 0; c < p->d; c++)
                        out[c] += weight * row_of(v, b, kv, j)[c];
                }
                for (uint32_t c = 0; c < p->d && p->n_k > 0; c++)
                    out[c] /= sum;
                lse_of(p, result, b, h)[i] = p->n_k ? most + logf(sum) : -INFINITY;
            }
        }
    return 0;
}

static const struct at_ops naive = {.workspace = naive_workspace, .forward = naive_forward};
AT_ENTRY(naive, "naive", "the whole matrix of scores", &naive);

/* ---- task 1: merge ----------------------------------------------------------------------------------------------- */

/* Two results over keys that have none in common become one over both, in `into`. */
static void blockwise_merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    (void)p, (void)into, (void)from; /* yours */
}

/* ---- tasks 2 and 3: attention in blocks, with a mask by position ------------------------------------------------- */

/* Bytes that blockwise_forward needs for a part, however long the sequence is. */
static int blockwise_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts, (void)bytes;
    return -ENOTSUP; /* yours */
}

static int blockwise_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                             const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                             void *workspace)
{
    (void)p, (void)q, (void)k, (void)v, (void)result, (void)part, (void)parts, (void)workspace;
    return -ENOTSUP; /* yours */
}

static const struct at_ops blockwise = {.workspace = blockwise_workspace,
                                        .forward = blockwise_forward,
                                        .merge = blockwise_merge,
                                        .can = AT_CAUSAL | AT_CONSTANT};
AT_ENTRY(blockwise, "blockwise", "blocks of keys with online softmax", &blockwise);

/* ---- tasks 4 to 6: a rank of the ring ---------------------------------------------------------------------------- */

/* Run `which` of `runs` runs over `total` tokens. The first ones have a token more when it doesn't divide. */
static struct at_run run_of(uint64_t total, uint32_t which, uint32_t runs)
{
    uint64_t each = total / runs, more = total % runs;
    return (struct at_run){which * each + (which < more ? which : more), 1, (uint32_t)(each + (which < more))};
}

/* Task 5: the contiguous layout is complete. Striped and zigzag are yours. */
static int ring_shard(const struct at_ring *ring, uint32_t rank, struct at_positions *positions)
{
    if (ring->layout != AT_CONTIGUOUS)
        return -ENOTSUP; /* yours */
    *positions = (struct at_positions){.run = {run_of(ring->total, rank, ring->ranks), {0, 1, 0}}};
    return 0;
}

/* Bytes that ring_forward needs. Two blocks of keys and values, a partial result, and what ring->blocks asks for. */
static int ring_workspace(const struct at_ring *ring, const struct at_ranked *mine, size_t *bytes)
{
    (void)ring, (void)mine, (void)bytes;
    return -ENOTSUP; /* yours */
}

/* Called on every rank at the same time. The neighbours are behind mine->link. */
static int ring_forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    (void)ring, (void)mine, (void)workspace;
    return -ENOTSUP; /* yours */
}

static const struct at_ops ring = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = ring_forward, .can = AT_CAUSAL};
AT_ENTRY(ring, "ring", "keys and values go round, everybody's queries stay", &ring);
