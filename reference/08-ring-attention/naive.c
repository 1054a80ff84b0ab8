/* Naive: the whole matrix of scores, then softmax, then the mean. As the formula is written.
 *
 * Idea       S = Q K^T; each row of S through softmax; O = S V. Three passes, each of them plain to see.
 * Invariant  The largest score is taken off each row before exp, so that exp is at most 1.
 * Cost       4 n_k d floating point operations a query, and 4 n_q n_k bytes: 1 GiB at 16,384 tokens, 4 GiB at 32,768,
 *            for one head, before anything is computed. The memory wall that the lab is about. All of it goes through
 *            the caches twice, so speed falls when it outgrows them.
 * Gets wrong Nothing but that: it is what the others are compared with.
 * Source     Vaswani et al. 2017, section 3.2.1.
 */
#include "problem.h"

#include <errno.h>

/* One head's rows of this part, for all keys. */
static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    int code = at_check(p, parts);
    uint64_t rows = (uint64_t)p->n_q / (parts ? parts : 1) + 1, need;
    if (!code && (__builtin_mul_overflow(rows * sizeof(float), p->n_k, &need) || need > PTRDIFF_MAX))
        code = -EOVERFLOW;
    if (!code)
        *bytes = (size_t)need;
    return code;
}

static void scores(const struct at_problem *p, const void *q, const struct at_in *k, uint32_t b, uint32_t h, float *s)
{
    for (uint32_t j = 0; j < p->n_k; j++) {
        const void *key = at_row(k, p->type, b, h, j);
        float sum = 0;
        for (uint32_t c = 0; c < p->d; c++)
            sum += at_element(q, p->type, c) * at_element(key, p->type, c);
        s[j] = p->scale * sum;
    }
}

/* The first `seen` scores become weights that add up to 1, the others 0. */
static float softmax(float *s, uint32_t seen, uint32_t n)
{
    float top = -INFINITY, sum = 0;
    for (uint32_t j = 0; j < seen; j++)
        top = fmaxf(top, s[j]);
    for (uint32_t j = 0; j < n; j++) {
        s[j] = j < seen ? expf(s[j] - top) : 0;
        sum += s[j];
    }
    for (uint32_t j = 0; j < seen; j++)
        s[j] /= sum;
    return seen ? top + logf(sum) : -INFINITY;
}

static void mean(const struct at_problem *p, const float *s, const struct at_in *v, uint32_t b, uint32_t h, float *out)
{
    memset(out, 0, p->d * sizeof *out);
    for (uint32_t j = 0; j < p->n_k; j++) {
        const void *value = at_row(v, p->type, b, h, j);
        for (uint32_t c = 0; c < p->d; c++)
            out[c] += s[j] * at_element(value, p->type, c);
    }
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *work)
{
    size_t bytes;
    int code = workspace(p, parts, &bytes);
    if (code)
        return code;
    float *s = work;
    uint32_t first = at_first_of(p->n_q, part, parts), end = at_first_of(p->n_q, part + 1, parts);
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++) {
            uint32_t kv = h / (p->heads / p->kv_heads);
            float *lse = result->lse + (size_t)(b * (uint64_t)p->heads + h) * p->n_q;
            for (uint32_t i = first; i < end; i++)
                scores(p, at_row(q, p->type, b, h, i), k, b, kv, s + (size_t)(i - first) * p->n_k);
            for (uint32_t i = first; i < end; i++)
                lse[i] = softmax(s + (size_t)(i - first) * p->n_k, at_visible(p, i), p->n_k);
            for (uint32_t i = first; i < end; i++)
                mean(p, s + (size_t)(i - first) * p->n_k, v, b, kv, at_out_row(&result->out, b, h, i));
        }
    return 0;
}

static const struct at_ops ops = {
    .workspace = workspace, .forward = forward, .merge = at_merge, .can = AT_CAUSAL | AT_TAKES_BF16};
AT_ENTRY(naive, "naive", "the whole matrix of scores in memory", &ops);
