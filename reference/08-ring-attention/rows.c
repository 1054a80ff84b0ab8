/* Rows: one query at a time, keys streaming by: online softmax.
 *
 * Idea       The largest score isn't known before the last key. So guess: take off the largest so far, and when a
 *            larger one comes, multiply all that was summed by exp(old - new), which is what a better guess would
 *            have made of it.
 * Invariant  After each key, with m the largest score so far: l = sum of exp(s - m), o = sum of exp(s - m) v. So o /
 *            l is the attention over the keys so far, and m + log l its log-sum-exp.
 * Cost       The same arithmetic as naive, and no memory: o is the output row itself. But all of K and V go by once
 *            for each query, one multiplication for each number loaded: at best as fast as the cache that holds them.
 *            Backward is the same loop with the weights found again, exp(s - lse): the clear text that the blocks'
 *            backward is checked against.
 * Gets wrong Slow. Each key waits for the sums of the one before it.
 * Source     Milakov & Gimelshein 2018, algorithm 3; Rabe & Staats 2021; Dao et al. 2022 (backward).
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

static float dot(const struct at_problem *p, const float *a, const void *b)
{
    float sum = 0;
    for (uint32_t c = 0; c < p->d; c++)
        sum += a[c] * at_element(b, p->type, c);
    return sum;
}

static void add(const struct at_problem *p, float *to, float factor, const void *row, enum at_type type)
{
    for (uint32_t c = 0; c < p->d; c++)
        to[c] += factor * at_element(row, type, c);
}

/* One query and the keys that it sees: what each of them adds to the three gradients. */
static void one_row_back(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                         const struct at_in *v, const struct at_result *result, const struct at_in *d_out,
                         const struct at_gradients *to, uint32_t b, uint32_t h, uint32_t i)
{
    uint32_t kv = h / (p->heads / p->kv_heads), seen = at_visible(p, i);
    const void *query = at_row(q, p->type, b, h, i);
    const float *slope = at_row(d_out, AT_F32, b, h, i), *out = at_out_row(&result->out, b, h, i);
    float lse = result->lse[(b * (size_t)p->heads + h) * p->n_q + i], delta = 0;
    for (uint32_t c = 0; c < p->d; c++)
        delta += slope[c] * out[c];
    for (uint32_t j = 0; j < seen; j++) {
        const void *key = at_row(k, p->type, b, kv, j), *value = at_row(v, p->type, b, kv, j);
        float s = 0;
        for (uint32_t c = 0; c < p->d; c++)
            s += at_element(query, p->type, c) * at_element(key, p->type, c);
        float weight = expf(p->scale * s - lse), ds = weight * (dot(p, slope, value) - delta) * p->scale;
        add(p, at_out_row(&to->q, b, h, i), ds, key, p->type);
        add(p, at_out_row(&to->k, b, kv, j), ds, query, p->type);
        add(p, at_out_row(&to->v, b, kv, j), weight, slope, AT_F32);
    }
}

static int backward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                    const struct at_result *result, const struct at_in *d_out, const struct at_gradients *gradients,
                    uint32_t part, uint32_t parts, void *work)
{
    (void)work;
    int code = at_check(p, parts);
    uint32_t each = code ? 0 : p->heads / p->kv_heads;
    for (uint64_t n = part; !code && n < (uint64_t)p->batch * p->kv_heads; n += parts) {
        uint32_t b = (uint32_t)(n / p->kv_heads), kv = (uint32_t)(n % p->kv_heads);
        for (uint32_t h = kv * each; h < (kv + 1) * each; h++)
            for (uint32_t i = 0; i < p->n_q; i++)
                one_row_back(p, q, k, v, result, d_out, gradients, b, h, i);
    }
    return code;
}

static const struct at_ops ops = {.workspace = workspace,
                                  .forward = forward,
                                  .merge = at_merge,
                                  .backward_workspace = workspace,
                                  .backward = backward,
                                  .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(rows, "rows", "one query at a time, keys streaming by, online softmax", &ops);
