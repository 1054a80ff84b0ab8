/* blocks.h: what the mistakes of tasks 1 to 3 share: merging, and attention in blocks of keys, one query at a time. All
 * of it is right; each mistake puts something else in the place of one piece. */
#ifndef MISTAKES_BLOCKS_H
#define MISTAKES_BLOCKS_H

#include "ring_attention.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define KEYS 64u

/* The workspace: the keys of a block that the query sees. */
struct block {
    uint32_t n;
    float score[KEYS];
    const float *value[KEYS];
};

/* Of one query: the largest score so far, and the sum of weights relative to it. The sum of weighted values, which is
 * relative to it too, is kept in the output. */
struct sums {
    float most, sum;
};

struct pieces {
    void (*rows)(uint32_t n, uint32_t part, uint32_t parts, uint32_t *first, uint32_t *end);
    uint32_t (*kv_head)(const struct at_problem *p, uint32_t head);
    const float *(*row)(const struct at_problem *p, const struct at_in *t, uint32_t b, uint32_t h, uint32_t i);
    uint32_t (*keys)(const struct at_problem *p); /* how many are gone through */
    bool (*sees)(const struct at_problem *p, uint32_t i, uint32_t j);
    float (*score)(const struct at_problem *p, const float *q, const float *k, uint32_t i, uint32_t j);
    float lowest; /* the largest score before there is any */
    void (*take)(struct sums *s, const struct block *block, float *out, uint32_t d);
    void (*finish)(const struct sums *s, float *out, float *lse, uint32_t d);
};

/* ---- each piece as it should be ---- */

static inline void right_rows(uint32_t n, uint32_t part, uint32_t parts, uint32_t *first, uint32_t *end)
{
    *first = (uint32_t)((uint64_t)n * part / parts);
    *end = (uint32_t)((uint64_t)n * (part + 1) / parts);
}

static inline uint32_t right_kv_head(const struct at_problem *p, uint32_t head)
{
    return head / (p->heads / p->kv_heads);
}

static inline const float *right_row(const struct at_problem *p, const struct at_in *t, uint32_t b, uint32_t h,
                                     uint32_t i)
{
    (void)p;
    return (const float *)t->data + b * t->batch + h * t->head + i * t->row;
}

static inline uint32_t right_keys(const struct at_problem *p)
{
    return p->n_k;
}

static inline bool right_sees(const struct at_problem *p, uint32_t i, uint32_t j)
{
    return !p->causal || at_position(&p->k, j) <= at_position(&p->q, i);
}

static inline float right_score(const struct at_problem *p, const float *q, const float *k, uint32_t i, uint32_t j)
{
    float sum = 0;
    (void)i, (void)j;
    for (uint32_t c = 0; c < p->d; c++)
        sum += q[c] * k[c];
    return p->scale * sum;
}

static inline float largest(float most, const struct block *block)
{
    for (uint32_t n = 0; n < block->n; n++)
        most = block->score[n] > most ? block->score[n] : most;
    return most;
}

static inline void scale_row(float *out, float factor, uint32_t d)
{
    for (uint32_t c = 0; c < d; c++)
        out[c] *= factor;
}

/* out += weight x value. */
static inline void add_row(float *out, float weight, const float *value, uint32_t d)
{
    for (uint32_t c = 0; c < d; c++)
        out[c] += weight * value[c];
}

static inline void right_take(struct sums *s, const struct block *block, float *out, uint32_t d)
{
    const float most = largest(s->most, block), factor = s->most == -INFINITY ? 0 : expf(s->most - most);
    s->most = most;
    s->sum *= factor;
    scale_row(out, factor, d);
    for (uint32_t n = 0; n < block->n; n++) {
        const float weight = expf(block->score[n] - most);
        s->sum += weight;
        add_row(out, weight, block->value[n], d);
    }
}

static inline void right_finish(const struct sums *s, float *out, float *lse, uint32_t d)
{
    *lse = s->sum > 0 ? s->most + logf(s->sum) : -INFINITY;
    if (s->sum > 0)
        scale_row(out, 1 / s->sum, d);
}

/* The larger one is taken off both, so nothing overflows; with nothing on one side there is nothing to do. */
static inline void right_merge(float *out, float *lse, const float *from, float from_lse, uint32_t d)
{
    if (from_lse == -INFINITY)
        return;
    const float most = *lse > from_lse ? *lse : from_lse, own = expf(*lse - most), other = expf(from_lse - most);
    for (uint32_t c = 0; c < d; c++)
        out[c] = (own * out[c] + other * from[c]) / (own + other);
    *lse = most + logf(own + other);
}

static const struct pieces right = {.rows = right_rows,
                                    .kv_head = right_kv_head,
                                    .row = right_row,
                                    .keys = right_keys,
                                    .sees = right_sees,
                                    .score = right_score,
                                    .lowest = -INFINITY,
                                    .take = right_take,
                                    .finish = right_finish};

/* ---- put together ---- */

static inline float *out_row(const struct at_out *t, uint32_t b, uint32_t h, uint32_t i)
{
    return t->data + b * t->batch + h * t->head + i * t->row;
}

static inline float *lse_of(const struct at_problem *p, const struct at_result *result, uint32_t b, uint32_t h,
                            uint32_t i)
{
    return result->lse + (b * (size_t)p->heads + h) * p->n_q + i;
}

static inline void query_by(const struct pieces *by, const struct at_problem *p, const float *q, const struct at_in *k,
                            const struct at_in *v, uint32_t b, uint32_t kv, uint32_t i, float *out, float *lse,
                            struct block *block)
{
    struct sums sums = {by->lowest, 0};
    const uint32_t keys = by->keys(p);
    memset(out, 0, p->d * sizeof *out);
    for (uint32_t from = 0; from < keys; from += KEYS) {
        block->n = 0;
        for (uint32_t j = from; j < keys && j < from + KEYS; j++) {
            if (!by->sees(p, i, j))
                continue;
            block->score[block->n] = by->score(p, q, by->row(p, k, b, kv, j), i, j);
            block->value[block->n++] = by->row(p, v, b, kv, j);
        }
        if (block->n > 0)
            by->take(&sums, block, out, p->d);
    }
    by->finish(&sums, out, lse, p->d);
}

static inline int forward_by(const struct pieces *by, const struct at_problem *p, const struct at_in *q,
                             const struct at_in *k, const struct at_in *v, const struct at_result *result,
                             uint32_t part, uint32_t parts, void *workspace)
{
    uint32_t first, end;
    by->rows(p->n_q, part, parts, &first, &end);
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = first; i < end; i++)
                query_by(by, p, by->row(p, q, b, h, i), k, v, b, by->kv_head(p, h), i, out_row(&result->out, b, h, i),
                         lse_of(p, result, b, h, i), workspace);
    return 0;
}

/* Not in blocks: all scores of a query first, as in naive. Those of the next query lie `next` behind; 0: over them. */
static inline void forward_at_once(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                                   const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                                   float *score, size_t next)
{
    uint32_t first, end;
    right_rows(p->n_q, part, parts, &first, &end);
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = first; i < end; i++) {
                const uint32_t kv = right_kv_head(p, h);
                float *s = score + (i - first) * next, *out = out_row(&result->out, b, h, i);
                struct sums sums = {-INFINITY, 0};
                memset(out, 0, p->d * sizeof *out);
                for (uint32_t j = 0; j < p->n_k; j++) {
                    s[j] = right_sees(p, i, j)
                               ? right_score(p, right_row(p, q, b, h, i), right_row(p, k, b, kv, j), i, j)
                               : -INFINITY;
                    sums.most = s[j] > sums.most ? s[j] : sums.most;
                }
                for (uint32_t j = 0; j < p->n_k && sums.most > -INFINITY; j++) {
                    const float weight = expf(s[j] - sums.most);
                    sums.sum += weight;
                    add_row(out, weight, right_row(p, v, b, kv, j), p->d);
                }
                right_finish(&sums, out, lse_of(p, result, b, h, i), p->d);
            }
}

/* Each row of `from` into that of `into`, by `row`. */
static inline void merge_by(void (*row)(float *out, float *lse, const float *from, float from_lse, uint32_t d),
                            const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++)
                row(out_row(&into->out, b, h, i), lse_of(p, into, b, h, i), out_row(&from->out, b, h, i),
                    *lse_of(p, from, b, h, i), p->d);
}

/* ---- the operations as they should be ---- */

static inline int blocks_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts;
    *bytes = sizeof(struct block);
    return 0;
}

static inline int blocks_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                                 const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                                 void *workspace)
{
    return forward_by(&right, p, q, k, v, result, part, parts, workspace);
}

static inline void blocks_merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    merge_by(right_merge, p, into, from);
}

#define BLOCKS_CAN (AT_CAUSAL | AT_CONSTANT)

#endif
