/* turns.c: rings on the loop transport (runs.h). */
#include "runs.h"

#include "book.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct mine {
    struct at_positions at;
    uint32_t n;
    float *q, *k, *v, *out, *lse;
    void *work;
};

struct turn {
    const struct at_ops *ops;
    struct at_ring ring;
    struct head whole; /* with real attention: what all ranks together have */
    struct mine rank[LOOP_MAX_RANKS];
};

static void take(const struct turn *t, struct mine *m)
{
    uint32_t d = t->ring.d;
    m->n = m->at.run[0].count + m->at.run[1].count;
    size_t floats = (size_t)m->n * d;
    m->q = xcalloc(floats, sizeof(float));
    m->k = xcalloc(floats, sizeof(float));
    m->v = xcalloc(floats, sizeof(float));
    m->out = xcalloc(floats, sizeof(float));
    m->lse = xcalloc(m->n, sizeof(float));
    for (uint32_t i = 0; i < m->n; i++) {
        size_t from = at_position(&m->at, i) * d, to = (size_t)i * d;
        if (t->ring.blocks == &book_ops) {
            m->q[to] = m->k[to] = (float)at_position(&m->at, i);
            m->v[to + at_position(&m->at, i)] = 1;
            continue;
        }
        memcpy(m->q + to, t->whole.q + from, d * sizeof(float));
        memcpy(m->k + to, t->whole.k + from, d * sizeof(float));
        memcpy(m->v + to, t->whole.v + from, d * sizeof(float));
    }
}

static struct at_ranked ranked(const struct turn *t, const struct mine *m, const struct at_link *link)
{
    uint32_t d = t->ring.d;
    return (struct at_ranked){{m->q, 0, 0, d}, {m->k, 0, 0, d}, {m->v, 0, 0, d}, {{m->out, 0, 0, d}, m->lse}, link};
}

static int body(void *context, const struct at_link *link)
{
    struct turn *t = context;
    struct at_ranked mine = ranked(t, &t->rank[link->rank], link);
    return t->ops->ring_forward(&t->ring, &mine, t->rank[link->rank].work);
}

static bool all_met(const struct turn *t)
{
    for (uint32_t r = 0; r < t->ring.ranks; r++)
        for (uint32_t i = 0; i < t->rank[r].n; i++)
            for (uint32_t j = 0; j < t->ring.total; j++) {
                bool must = !t->ring.causal || j <= at_position(&t->rank[r].at, i);
                if (t->rank[r].out[(size_t)i * t->ring.d + j] != (float)must)
                    return false;
            }
    return true;
}

/* Of each rank's rows against float64. */
static double *errors(struct turn *t)
{
    const struct head *h = &t->whole;
    double *out = xcalloc((size_t)h->p.n_q * h->p.d, sizeof *out), *lse = xcalloc(h->p.n_q, sizeof *lse);
    double *error = xcalloc(t->ring.ranks, sizeof *error);
    head_truth(h, out, lse);
    for (uint32_t r = 0; r < t->ring.ranks; r++) {
        const struct mine *m = &t->rank[r];
        for (uint32_t i = 0; i < m->n; i++)
            for (uint32_t c = 0; c < h->p.d; c++) {
                double off = (double)m->out[(size_t)i * h->p.d + c] - out[at_position(&m->at, i) * h->p.d + c];
                error[r] += off * off;
            }
        error[r] = sqrt(error[r] / ((double)m->n * h->p.d));
    }
    free(out);
    free(lse);
    return error;
}

struct ring_result ring_case_run(const struct ring_case *c)
{
    struct ring_result result = {.met = false};
    struct turn *t = xcalloc(1, sizeof *t);
    uint64_t total = (uint64_t)c->ranks * c->each;
    t->ops = runs_entry(c->entry);
    t->ring = (struct at_ring){.total = total,
                               .ranks = c->ranks,
                               .layout = c->layout,
                               .causal = c->causal,
                               .batch = 1,
                               .heads = 1,
                               .kv_heads = 1,
                               .d = c->d ? c->d : (uint32_t)total,
                               .type = AT_F32,
                               .partial = c->partial,
                               .blocks = c->blocks ? runs_entry(c->blocks) : &book_ops};
    t->ring.scale = (float)(1 / sqrt(t->ring.d));
    if (c->blocks) {
        t->whole = head_create((uint32_t)total, (uint32_t)total, t->ring.d, c->seed);
        t->whole.p.causal = c->causal;
    }
    for (uint32_t r = 0; r < c->ranks; r++) {
        int code = t->ops->shard(&t->ring, r, &t->rank[r].at);
        if (code)
            run_failed("shard", code);
        take(t, &t->rank[r]);
        struct at_ranked mine = ranked(t, &t->rank[r], NULL);
        code = t->ops->ring_workspace(&t->ring, &mine, &result.workspace);
        if (code)
            run_failed("ring_workspace", code);
        t->rank[r].work = run_workspace(result.workspace);
    }
    struct loop_settings settings = c->loop;
    settings.ranks = c->ranks;
    int code = loop_run(&settings, body, t, &result.record);
    if (code)
        run_failed(c->entry, code);
    if (c->blocks)
        result.error = errors(t);
    else
        result.met = all_met(t);
    for (uint32_t r = 0; r < c->ranks; r++) {
        struct mine *m = &t->rank[r];
        free(m->q), free(m->k), free(m->v), free(m->out), free(m->lse), free(m->work);
    }
    if (c->blocks)
        head_destroy(&t->whole);
    free(t);
    return result;
}
