/* book.c: attention that keeps books. */
#include "book.h"

#include "loop.h"

#include <errno.h>
#include <math.h>

uint32_t book_strange;

static int book_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts;
    *bytes = 0;
    return 0;
}

static const float *row_of(const struct at_in *t, uint32_t b, uint32_t h, uint32_t i)
{
    return (const float *)t->data + b * t->batch + h * t->head + i * t->row;
}

/* A token's number, from the row of its query or key; what is none (poison, say) is no token's. */
static uint32_t token(const float *row)
{
    return row[0] >= 0 && row[0] < BOOK_TOTAL ? (uint32_t)row[0] : BOOK_TOTAL;
}

static bool book_row(const struct at_problem *p, uint32_t i, const float *q, const struct at_in *k,
                     const struct at_in *v, uint32_t b, uint32_t kv, float *out, float *lse, uint64_t *work)
{
    bool strange = p->causal && token(q) != at_position(&p->q, i);
    uint32_t met = 0;
    for (uint32_t c = 0; c < p->d; c++)
        out[c] = 0;
    for (uint32_t j = 0; j < p->n_k; j++) {
        const float *key = row_of(k, b, kv, j), *value = row_of(v, b, kv, j);
        uint32_t t = token(key);
        strange |= t >= p->d || value[t] != 1 || (p->causal && t != at_position(&p->k, j));
        if (p->causal && at_position(&p->k, j) > at_position(&p->q, i))
            continue;
        met++;
        for (uint32_t c = 0; c < p->d; c++)
            out[c] += value[c];
    }
    *lse = met ? (float)met : -INFINITY;
    *work += met;
    return strange;
}

static int book_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                        const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    uint64_t work = 0;
    bool strange = false;
    (void)workspace;
    if (parts == 0 || part >= parts || p->kv_heads == 0 || p->heads % p->kv_heads || p->type != AT_F32)
        return -EINVAL;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = part; i < p->n_q; i += parts) {
                float *out = result->out.data + b * result->out.batch + h * result->out.head + i * result->out.row;
                float *lse = result->lse + (b * (size_t)p->heads + h) * p->n_q + i;
                strange |= book_row(p, i, row_of(q, b, h, i), k, v, b, h / (p->heads / p->kv_heads), out, lse, &work);
            }
    book_strange += strange;
    loop_work(work);
    return 0;
}

static void book_merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++) {
                float *to = into->out.data + b * into->out.batch + h * into->out.head + i * into->out.row;
                const float *add = from->out.data + b * from->out.batch + h * from->out.head + i * from->out.row;
                float *lse = into->lse + (b * (size_t)p->heads + h) * p->n_q + i;
                float more = from->lse[(b * (size_t)p->heads + h) * p->n_q + i];
                if (more == -INFINITY)
                    continue;
                bool first = *lse == -INFINITY;
                *lse = first ? more : *lse + more;
                for (uint32_t c = 0; c < p->d; c++)
                    to[c] = first ? add[c] : to[c] + add[c];
            }
}

const struct at_ops book_ops = {
    .workspace = book_workspace, .forward = book_forward, .merge = book_merge, .can = AT_CAUSAL | AT_CONSTANT};
