/* problem.c: legal problems, visible keys, and merge: two partial results into one.
 *
 * Idea       A partial result is a mean and the weight that it stands for, as a logarithm. Of two, the second one's
 *            share is w = e^b / (e^a + e^b) = 1 / (1 + e^(a-b)), and the mean of both is out_a + w (out_b - out_a).
 * Invariant  Whatever the split, and in whatever order its pieces are merged, it is the softmax over all of them.
 *            Nothing overflows: only differences of logarithms are put into exp, and an infinite one gives a share of
 *            0 or 1.
 * Cost       Two exponentials and d multiplications a row, against n_k x d for the rows' attention: next to nothing.
 * Gets wrong Every merge rounds. With partial results in float32 that is lost in the noise; where they were rounded to
 *            bfloat16 first, the error grows with the number of merges.
 * Source     Milakov & Gimelshein 2018; the form with w is that of ring-flash-attention.
 */
#include "problem.h"

#include <errno.h>

static bool rises(const struct at_positions *p, uint32_t rows)
{
    const struct at_run *a = &p->run[0], *b = &p->run[1];
    if ((uint64_t)a->count + b->count != rows)
        return false;
    for (int i = 0; i < 2; i++) {
        const struct at_run *r = &p->run[i];
        if (r->count && (r->step == 0 || r->first > INT64_MAX || (INT64_MAX - r->first) / r->step < r->count - 1u))
            return false;
    }
    return !a->count || !b->count || a->first + a->step * (a->count - 1u) < b->first;
}

int at_check(const struct at_problem *p, uint32_t parts)
{
    if (parts == 0 || p->batch == 0 || p->heads == 0 || p->kv_heads == 0 || p->heads % p->kv_heads)
        return -EINVAL;
    if (p->d == 0 || p->d > AT_MAX_D || (p->type != AT_F32 && p->type != AT_BF16) || !isfinite(p->scale))
        return -EINVAL;
    return !p->causal || (rises(&p->q, p->n_q) && rises(&p->k, p->n_k)) ? 0 : -EINVAL;
}

uint32_t at_visible(const struct at_problem *p, uint32_t i)
{
    if (!p->causal)
        return p->n_k;
    uint64_t at = at_position(&p->q, i), seen = 0;
    for (int n = 0; n < 2; n++) {
        const struct at_run *r = &p->k.run[n];
        if (r->count && at >= r->first) {
            uint64_t here = (at - r->first) / r->step + 1;
            seen += here < r->count ? here : r->count;
        }
    }
    return (uint32_t)seen;
}

static void merge_row(uint32_t d, float *a, float *a_lse, const float *b, float b_lse)
{
    if (b_lse == -INFINITY)
        return;
    if (*a_lse == -INFINITY) {
        memcpy(a, b, d * sizeof *a);
        *a_lse = b_lse;
        return;
    }
    double apart = (double)b_lse - (double)*a_lse;
    float share = (float)(1 / (1 + exp(-apart)));
    *a_lse = (float)((apart > 0 ? b_lse : *a_lse) + log1p(exp(-fabs(apart))));
    for (uint32_t c = 0; c < d; c++)
        a[c] += share * (b[c] - a[c]);
}

void at_merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++) {
            size_t first = (size_t)(b * (uint64_t)p->heads + h) * p->n_q;
            for (uint32_t i = 0; i < p->n_q; i++)
                merge_row(p->d, at_out_row(&into->out, b, h, i), &into->lse[first + i], at_out_row(&from->out, b, h, i),
                          from->lse[first + i]);
        }
}
