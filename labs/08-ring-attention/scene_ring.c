/* scene_ring.c: a ring of ranks, carried out in the host: each gets its shard, and no rank sees another's. */
#include "scene_host.h"

#include "book.h"

#include <errno.h>
#include <stdlib.h>

struct one {
    struct at_positions at;
    uint32_t n;
    float *q, *k, *v, *out, *lse;
    struct at_ranked mine;
    struct room room;
    struct scene_rank says;
};

struct all {
    const struct scene *scene;
    const struct at_ops *ops;
    struct at_ring ring;
    struct one rank[SCENE_RANKS];
    float *out, *lse; /* (batch, heads, total, d) and (batch, heads, total) */
};

/* ---- shards ---- */

static bool usable(const struct at_positions *at, uint64_t total, uint32_t *n)
{
    uint64_t rows = 0;
    for (int i = 0; i < 2; i++) {
        const struct at_run *r = &at->run[i];
        if (r->count == 0)
            continue;
        if (r->count > total || r->first >= total || r->step == 0 || r->step > total ||
            r->first + r->step * (r->count - 1) >= total)
            return false;
        rows += r->count;
    }
    *n = (uint32_t)rows;
    return rows <= total;
}

static bool shard(struct all *a, uint32_t rank)
{
    struct one *one = &a->rank[rank];
    int code = a->ops->shard(&a->ring, rank, &one->at);
    one->says.shard_code = (uint32_t)-code;
    if (code)
        return false;
    for (int i = 0; i < 2; i++) {
        one->says.run[i][0] = (uint32_t)one->at.run[i].first;
        one->says.run[i][1] = (uint32_t)one->at.run[i].step;
        one->says.run[i][2] = one->at.run[i].count;
    }
    return usable(&one->at, a->ring.total, &one->n);
}

/* ---- a rank's rows ---- */

/* From one row to the next; between them stays what is there. */
static uint32_t row_step(const struct all *a)
{
    return a->ring.d + a->scene->gap;
}

static float *rows_of(const struct all *a, uint32_t heads, uint32_t n)
{
    return calloc((size_t)a->ring.batch * heads * n * row_step(a) + 1, sizeof(float));
}

/* Copies rows between the whole, (heads, total, d), and a rank's, (heads, n, d + gap), for all batches. */
static void rows_copy(const struct all *a, const struct one *one, uint32_t heads, float *mine, float *whole, bool out)
{
    uint32_t d = a->ring.d;
    for (uint32_t h = 0; h < a->ring.batch * heads; h++)
        for (uint32_t i = 0; i < one->n; i++) {
            float *here = mine + ((size_t)h * one->n + i) * row_step(a);
            float *there = whole + (h * (size_t)a->ring.total + at_position(&one->at, i)) * d;
            memcpy(out ? there : here, out ? here : there, d * sizeof *here);
        }
}

/* The rows that book.h speaks of. */
static void rows_book(const struct all *a, const struct one *one, uint32_t heads, float *name, float *value)
{
    uint32_t d = row_step(a);
    for (uint32_t h = 0; h < a->ring.batch * heads; h++)
        for (uint32_t i = 0; i < one->n; i++) {
            uint32_t token = (uint32_t)at_position(&one->at, i);
            name[((size_t)h * one->n + i) * d] = (float)token;
            if (value)
                value[((size_t)h * one->n + i) * d + token] = 1;
        }
}

static struct at_in laid_out(const float *data, uint32_t heads, uint32_t n, uint32_t row)
{
    return (struct at_in){data, (size_t)heads * n * row, (size_t)n * row, row};
}

static bool between_rows(const struct all *a, const struct one *one)
{
    const uint32_t *out = (const uint32_t *)(const void *)one->out, row = row_step(a);
    bool written = false;
    for (size_t i = 0; i < (size_t)a->ring.batch * a->ring.heads * one->n * row; i++)
        written |= i % row >= a->ring.d && out[i] != SCENE_UNTOUCHED;
    return written;
}

static bool prepare(struct all *a, uint32_t rank)
{
    struct one *one = &a->rank[rank];
    uint32_t heads = a->ring.heads, kv = a->ring.kv_heads, d = a->ring.d, row = row_step(a), n = one->n;
    size_t rows = (size_t)a->ring.batch * heads * n, bytes = 0;
    one->q = rows_of(a, heads, n);
    one->k = rows_of(a, kv, n);
    one->v = rows_of(a, kv, n);
    one->out = rows_of(a, heads, n);
    one->lse = malloc((rows + 1) * sizeof(float));
    if (!one->q || !one->k || !one->v || !one->out || !one->lse)
        return false;
    if (a->scene->ring.own) {
        /* Only read from, in this direction. */
        float *q = (float *)(uintptr_t)a->scene->data;
        float *k = q + (size_t)a->ring.batch * heads * a->ring.total * d;
        rows_copy(a, one, heads, one->q, q, false);
        rows_copy(a, one, kv, one->k, k, false);
        rows_copy(a, one, kv, one->v, k + (size_t)a->ring.batch * kv * a->ring.total * d, false);
    } else {
        rows_book(a, one, heads, one->q, NULL);
        rows_book(a, one, kv, one->k, one->v);
    }
    scene_fill((uint32_t *)(void *)one->out, rows * row, SCENE_UNTOUCHED);
    scene_fill((uint32_t *)(void *)one->lse, rows, SCENE_UNTOUCHED);
    struct at_in out = laid_out(one->out, heads, n, row);
    one->mine = (struct at_ranked){.q = laid_out(one->q, heads, n, row),
                                   .k = laid_out(one->k, kv, n, row),
                                   .v = laid_out(one->v, kv, n, row),
                                   .result = {{one->out, out.batch, out.head, out.row}, one->lse}};
    one->says.asked = (uint32_t)-a->ops->ring_workspace(&a->ring, &one->mine, &bytes);
    one->says.bytes_low = (uint32_t)bytes;
    one->says.bytes_high = (uint32_t)((uint64_t)bytes >> 32);
    if (one->says.asked == 0 && room_make(&one->room, bytes) != 0)
        one->says.asked = ENOMEM;
    return true;
}

static void finish(struct all *a, uint32_t rank)
{
    struct one *one = &a->rank[rank];
    one->says.outside = room_end(&one->room) ? 1 : one->out && between_rows(a, one) ? 2 : 0;
    if (one->out && one->lse) {
        size_t rows = (size_t)a->ring.batch * a->ring.heads;
        rows_copy(a, one, a->ring.heads, one->out, a->out, true);
        for (size_t h = 0; h < rows; h++)
            for (uint32_t i = 0; i < one->n; i++)
                a->lse[h * a->ring.total + at_position(&one->at, i)] = one->lse[h * one->n + i];
    }
    free(one->q), free(one->k), free(one->v), free(one->out), free(one->lse);
}

/* ---- the run ---- */

static int body(void *context, const struct at_link *link)
{
    struct all *a = context;
    struct one *one = &a->rank[link->rank];
    struct at_ring ring = a->ring; /* a copy: what one rank changes no other sees */
    struct at_ranked mine = one->mine;
    mine.link = link;
    return a->ops->ring_forward(&ring, &mine, one->room.at);
}

static int turn(struct all *a, uint32_t *head, struct decision_log *log)
{
    struct loop_record record = {.room = 2 * SCENE_EVENTS};
    struct loop_settings settings = a->scene->ring.loop;
    struct scene_event *called = calloc(SCENE_EVENTS, sizeof *called);
    record.event = calloc(record.room, sizeof *record.event);
    if (!called || !record.event)
        return free(called), free(record.event), -ENOMEM;
    bool ready = true;
    for (uint32_t r = 0; r < a->ring.ranks; r++)
        ready &= a->rank[r].says.asked == 0;
    book_strange = 0;
    settings.ranks = a->ring.ranks;
    head[RING_CODE] = ready ? (uint32_t)-loop_run(&settings, body, a, &record) : EINVAL;
    head[RING_STRANGE] = book_strange;
    uint32_t n = 0;
    for (size_t i = 0; i < record.events && n < SCENE_EVENTS; i++) {
        const struct loop_event *e = &record.event[i];
        if (e->what != LOOP_TRANSFER)
            called[n++] = (struct scene_event){e->rank, e->what, (uint32_t)e->amount};
    }
    head[RING_EVENTS] = n;
    for (uint32_t r = 0; r < a->ring.ranks; r++) {
        const struct loop_rank *from = &record.rank[r];
        struct scene_rank *says = &a->rank[r].says;
        says->code = (uint32_t)-from->code;
        says->waited = from->waited;
        says->out = from->out;
        says->what = from->what;
        says->on = from->on;
        says->amount = (uint32_t)from->amount;
    }
    for (uint32_t r = 0; r < a->ring.ranks; r++)
        finish(a, r);
    scene_log(log, head, RING_HEAD);
    for (uint32_t r = 0; r < a->ring.ranks; r++)
        scene_log(log, &a->rank[r].says, SCENE_RANK_RECORDS);
    scene_log(log, called, SCENE_EVENTS * SCENE_EVENT_RECORDS);
    free(called);
    free(record.event);
    return 0;
}

int scene_run_ring(const struct scene *s, const struct plugin *plugin, const struct at_ops *ops,
                   struct decision_log *log)
{
    const struct at_problem *p = &s->problem;
    const struct at_ops *own = plugin_find(plugin, "blockwise");
    uint32_t head[RING_HEAD] = {0};
    if (!ops->shard || !ops->ring_workspace || !ops->ring_forward ||
        (s->ring.own && (!own || !own->workspace || !own->forward || !own->merge)))
        return -ENOSYS;
    struct all *a = calloc(1, sizeof *a);
    size_t rows = (size_t)p->batch * p->heads * s->ring.total;
    if (!a)
        return -ENOMEM;
    *a = (struct all){.scene = s,
                      .ops = ops,
                      .ring = {.total = s->ring.total,
                               .ranks = s->ring.ranks,
                               .layout = s->ring.layout,
                               .causal = p->causal,
                               .batch = p->batch,
                               .heads = p->heads,
                               .kv_heads = p->kv_heads,
                               .d = p->d,
                               .scale = p->scale,
                               .type = AT_F32,
                               .partial = AT_F32,
                               .blocks = s->ring.own ? own : &book_ops},
                      .out = malloc(rows * (p->d + 1) * sizeof(float))};
    int code = a->out ? 0 : -ENOMEM;
    bool usable_shards = true;
    if (!code) {
        a->lse = a->out + rows * p->d;
        scene_fill((uint32_t *)(void *)a->out, rows * (p->d + 1), SCENE_UNTOUCHED);
        for (uint32_t r = 0; r < s->ring.ranks; r++)
            usable_shards &= shard(a, r);
        for (uint32_t r = 0; r < s->ring.ranks && !code; r++)
            if (!usable_shards)
                a->rank[r].n = 0, a->rank[r].says.asked = EINVAL;
            else
                code = prepare(a, r) ? 0 : -ENOMEM;
    }
    if (!code)
        code = turn(a, head, log);
    if (!code)
        scene_log(log, a->out, rows * (p->d + 1));
    free(a->out);
    free(a);
    return code;
}
