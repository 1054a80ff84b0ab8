/* Rows: one query at a time, keys streaming by: online softmax.
 *
 * Idea       The largest score isn't known before the last key. So guess: take off the largest so far, and when a
 *            larger one comes, multiply all that was summed by exp(old - new), which is what a better guess would
 *            have made of it.
 * Invariant  After each key, with m the largest score so far: l = sum of exp(s - m), o = sum of exp(s - m) v. So o /
 *            l is the attention over the keys so far, and m + log l its log-sum-exp.
 * Cost       The same arithmetic as naive, and no memory: o is the output row itself. But all of K and V go by once
 *            for each query, one multiplication for each number loaded: at best as fast as the cache that holds them.
 * Gets wrong Slow. Each key waits for the sums of the one before it.
 * Source     Milakov & Gimelshein 2018, algorithm 3; Rabe & Staats 2021.
 */
#include "problem.h"

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    int code = at_check(p, parts);
    if (!code)
        *bytes = 0;
    return code;
}

static float one_row(const struct at_problem *p, const void *q, const struct at_in *k, const struct at_in *v,
                     uint32_t b, uint32_t h, uint32_t seen, float *out)
{
    float m = -INFINITY, l = 0;
    memset(out, 0, p->d * sizeof *out);
    for (uint32_t j = 0; j < seen; j++) {
        const void *key = at_row(k, p->type, b, h, j), *value = at_row(v, p->type, b, h, j);
        float s = 0;
        for (uint32_t c = 0; c < p->d; c++)
            s += at_element(q, p->type, c) * at_element(key, p->type, c);
        s *= p->scale;
        if (s > m) {
            float shrink = expf(m - s); /* the first time exp(-inf): there is nothing to keep */
            for (uint32_t c = 0; c < p->d; c++)
                out[c] *= shrink;
            l *= shrink;
            m = s;
        }
        float weight = expf(s - m);
        l += weight;
        for (uint32_t c = 0; c < p->d; c++)
            out[c] += weight * at_element(value, p->type, c);
    }
    if (!seen)
        return -INFINITY;
    for (uint32_t c = 0; c < p->d; c++)
        out[c] /= l;
    return m + logf(l);
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *work)
{
    (void)work;
    int code = at_check(p, parts);
    if (code)
        return code;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++) {
            uint32_t kv = h / (p->heads / p->kv_heads);
            float *lse = result->lse + (size_t)(b * (uint64_t)p->heads + h) * p->n_q;
            /* Every parts-th row: with a causal mask the later ones have more to do. */
            for (uint32_t i = part; i < p->n_q; i += parts)
                lse[i] = one_row(p, at_row(q, p->type, b, h, i), k, v, b, kv, at_visible(p, i),
                                 at_out_row(&result->out, b, h, i));
        }
    return 0;
}

static const struct at_ops ops = {
    .workspace = workspace, .forward = forward, .merge = at_merge, .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(rows, "rows", "one query at a time, keys streaming by, online softmax", &ops);
