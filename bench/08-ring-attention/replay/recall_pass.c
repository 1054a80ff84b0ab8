/* recall_pass.c: attention of some questions over all keys of a text, which are never in memory at once. */
#include "recall_pass.h"

#include "loop.h"

#include "base/parallel.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK     1024u  /* keys of a block */
#define TURN      8192u  /* keys of a turn of the ring, about */
#define STRIPE    16384u /* keys of a stripe at least */
#define RANK_ROWS 48u    /* questions of a rank at least: fewer take as long */

struct stripe {
    float *out, *lse; /* of all rows, those that are no question included */
    int code;
};

struct work {
    const struct recall_way *way;
    const struct recall_pass *pass;
    enum at_type type;
    size_t width;  /* bytes of an element */
    uint32_t rows; /* questions, and what makes enough of them for a ring */
    char *queries;
    uint32_t stripes;
    struct stripe *stripe;
    void (*done)(uint32_t finished, void *context);
    void *context;
};

enum at_type recall_type(const struct recall_way *way)
{
    return (way->blocks->can & (AT_TAKES_BF16 | AT_ONLY_BF16)) && (!way->ring || way->ring->can & AT_TAKES_BF16)
               ? AT_BF16
               : AT_F32;
}

uint32_t recall_steps(const struct recall_pass *pass)
{
    const size_t n = (pass->end - pass->first) / STRIPE;
    return n < 1 ? 1 : n < RECALL_STRIPES ? (uint32_t)n : RECALL_STRIPES;
}

static void *room(size_t count, size_t bytes)
{
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all) || all > SIZE_MAX - 2 * AT_ALIGN)
        return NULL;
    return aligned_alloc(AT_ALIGN, (all + AT_ALIGN) / AT_ALIGN * AT_ALIGN);
}

static struct at_problem problem(const struct work *w, uint32_t rows, uint32_t keys)
{
    return (struct at_problem){.batch = 1,
                               .heads = 1,
                               .kv_heads = 1,
                               .n_q = rows,
                               .n_k = keys,
                               .d = RECALL_D,
                               .scale = w->pass->code->tau,
                               .type = w->type};
}

static void fill(const struct work *w, size_t first, uint32_t n, char *k, char *v)
{
    const struct recall_code *c = w->pass->code;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *at = c->text->token + first + i;
        recall_key(c, at, w->type, k + i * RECALL_D * w->width);
        recall_value(c, *at, w->type, v + i * RECALL_D * w->width);
    }
}

/* ---- block by block ---- */

static int blocks(const struct work *w, const struct stripe *s, size_t first, size_t end)
{
    const struct at_ops *ops = w->way->blocks;
    struct at_problem p = problem(w, w->rows, BLOCK);
    size_t bytes;
    int code = ops->workspace(&p, 1, &bytes);
    char *k = room(BLOCK * RECALL_D, w->width), *v = room(BLOCK * RECALL_D, w->width);
    float *out = room((size_t)w->rows * (RECALL_D + 1), sizeof *out);
    void *space = code ? NULL : room(bytes, 1);
    if (code == 0 && (!k || !v || !out || !space))
        code = -ENOMEM;
    for (; first < end && code == 0; first += p.n_k) {
        const struct at_in q_in = {w->queries, 0, 0, RECALL_D}, k_in = {k, 0, 0, RECALL_D}, v_in = {v, 0, 0, RECALL_D};
        const struct at_result so_far = {{s->out, 0, 0, RECALL_D}, s->lse},
                               here = {{out, 0, 0, RECALL_D}, out + (size_t)w->rows * RECALL_D};
        p.n_k = end - first < BLOCK ? (uint32_t)(end - first) : BLOCK;
        fill(w, first, p.n_k, k, v);
        code = ops->forward(&p, &q_in, &k_in, &v_in, &here, 0, 1, space);
        if (code == 0)
            ops->merge(&p, &so_far, &here);
    }
    free(k), free(v), free(out), free(space);
    return code;
}

/* ---- round a ring ---- */

/* A turn: `batch` blocks, each of as many keys as there are questions, since a rank has as many of both. The questions
 * are the same for all of them, which a stride of 0 says. */
struct turn {
    const struct work *w;
    struct at_ring ring;
    char *k, *v;
    float *out, *lse; /* of each block; a rank's log-sum-exps lie together */
    struct at_positions at[LOOP_MAX_RANKS];
    void *space[LOOP_MAX_RANKS];
};

static struct at_result found(const struct turn *t, uint32_t rank)
{
    const size_t block = (size_t)t->w->rows * RECALL_D, first = t->at[rank].run[0].first;
    return (struct at_result){{t->out + first * RECALL_D, block, 0, RECALL_D}, t->lse + first * t->ring.batch};
}

static struct at_ranked ranked(const struct turn *t, uint32_t rank, const struct at_link *link)
{
    const size_t block = (size_t)t->w->rows * RECALL_D, first = t->at[rank].run[0].first * RECALL_D * t->w->width;
    return (struct at_ranked){.q = {t->w->queries + first, 0, 0, RECALL_D},
                              .k = {t->k + first, block, 0, RECALL_D},
                              .v = {t->v + first, block, 0, RECALL_D},
                              .result = found(t, rank),
                              .link = link};
}

static int body(void *context, const struct at_link *link)
{
    const struct turn *t = context;
    const struct at_ranked mine = ranked(t, link->rank, link);
    return t->w->way->ring->ring_forward(&t->ring, &mine, t->space[link->rank]);
}

static int turn_rooms(struct turn *t, size_t keys)
{
    const struct at_ops *ops = t->w->way->ring;
    size_t bytes;
    t->k = room(keys * RECALL_D, t->w->width);
    t->v = room(keys * RECALL_D, t->w->width);
    t->out = room(keys * RECALL_D, sizeof *t->out);
    t->lse = room(keys, sizeof *t->lse);
    if (!t->k || !t->v || !t->out || !t->lse)
        return -ENOMEM;
    for (uint32_t r = 0; r < t->ring.ranks; r++) {
        int code = ops->shard(&t->ring, r, &t->at[r]);
        const struct at_ranked mine = ranked(t, r, NULL);
        if (code == 0)
            code = ops->ring_workspace(&t->ring, &mine, &bytes);
        if (code)
            return code;
        if (!(t->space[r] = room(bytes, 1)))
            return -ENOMEM;
    }
    return 0;
}

static void merge_turn(const struct turn *t, const struct stripe *s)
{
    for (uint32_t r = 0; r < t->ring.ranks; r++) {
        const uint32_t rows = t->at[r].run[0].count;
        const size_t first = t->at[r].run[0].first;
        const struct at_problem p = problem(t->w, rows, 0);
        const struct at_result so_far = {{s->out + first * RECALL_D, 0, 0, RECALL_D}, s->lse + first};
        for (uint32_t b = 0; b < t->ring.batch; b++) {
            struct at_result here = found(t, r);
            here.out.data += b * here.out.batch;
            here.lse += (size_t)b * rows;
            t->w->way->blocks->merge(&p, &so_far, &here);
        }
    }
}

static int turn(const struct work *w, const struct stripe *s, size_t first, uint32_t batch)
{
    struct turn t = {.w = w,
                     .ring = {.total = w->rows,
                              .ranks = w->way->ranks,
                              .layout = AT_CONTIGUOUS,
                              .batch = batch,
                              .heads = 1,
                              .kv_heads = 1,
                              .d = RECALL_D,
                              .scale = w->pass->code->tau,
                              .type = w->type,
                              .partial = AT_F32,
                              .blocks = w->way->blocks}};
    const struct loop_settings settings = {.ranks = w->way->ranks};
    const uint32_t keys = batch * w->rows;
    int code = turn_rooms(&t, keys);
    if (code == 0) {
        fill(w, first, keys, t.k, t.v);
        code = loop_run(&settings, body, &t, NULL);
    }
    if (code == 0)
        merge_turn(&t, s);
    for (uint32_t r = 0; r < w->way->ranks; r++)
        free(t.space[r]);
    free(t.k), free(t.v), free(t.out), free(t.lse);
    return code;
}

/* ---- all of it ---- */

static void one_stripe(uint32_t index, void *context)
{
    struct work *w = context;
    struct stripe *s = &w->stripe[index];
    const size_t all = w->pass->end - w->pass->first, end = w->pass->first + all * (index + 1) / w->stripes;
    size_t first = w->pass->first + all * index / w->stripes;
    s->out = calloc((size_t)w->rows * RECALL_D, sizeof *s->out);
    s->lse = calloc(w->rows, sizeof *s->lse);
    if (!s->out || !s->lse) {
        s->code = -ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < w->rows; i++)
        s->lse[i] = -INFINITY;
    while (w->way->ring && s->code == 0 && end - first >= w->rows) {
        const size_t whole = (end - first) / w->rows, most = TURN / w->rows ? TURN / w->rows : 1;
        const uint32_t batch = (uint32_t)(whole < most ? whole : most);
        s->code = turn(w, s, first, batch);
        first += (size_t)batch * w->rows;
    }
    if (s->code == 0) /* with a ring: the rest, of fewer keys than there are questions */
        s->code = blocks(w, s, first, end);
}

static int gather(const struct work *w)
{
    const struct recall_pass *pass = w->pass;
    const struct at_problem p = problem(w, w->rows, 0);
    const struct at_result all = {{w->stripe[0].out, 0, 0, RECALL_D}, w->stripe[0].lse};
    for (uint32_t i = 0; i < w->stripes; i++) {
        const struct at_result one = {{w->stripe[i].out, 0, 0, RECALL_D}, w->stripe[i].lse};
        if (w->stripe[i].code)
            return w->stripe[i].code;
        if (i > 0)
            w->way->blocks->merge(&p, &all, &one);
    }
    memcpy(pass->out, all.out.data, (size_t)pass->n * RECALL_D * sizeof(float));
    memcpy(pass->lse, all.lse, pass->n * sizeof(float));
    return 0;
}

static void tell(uint32_t finished, void *context)
{
    const struct work *w = context;
    if (w->done)
        w->done(finished, w->context);
}

int recall_attend(const struct recall_way *way, const struct recall_pass *pass,
                  void (*done)(uint32_t finished, void *context), void *context)
{
    const uint32_t least = way->ring ? RANK_ROWS * way->ranks : 1;
    struct work w = {.way = way, .pass = pass, .type = recall_type(way), .rows = pass->n < least ? least : pass->n};
    int code = -ENOMEM;
    w.done = done;
    w.context = context;
    w.width = w.type == AT_F32 ? sizeof(float) : sizeof(uint16_t);
    w.stripes = recall_steps(pass);
    w.queries = room((size_t)w.rows * RECALL_D, w.width);
    w.stripe = calloc(w.stripes, sizeof *w.stripe);
    if (w.queries && w.stripe) {
        for (uint32_t i = 0; i < w.rows; i++) /* those that are no question ask the first one again */
            recall_key(pass->code, pass->after[i < pass->n ? i : 0], w.type, w.queries + i * RECALL_D * w.width);
        parallel_for(w.stripes, one_stripe, &w, tell);
        code = gather(&w);
    }
    for (uint32_t i = 0; i < w.stripes && w.stripe; i++)
        free(w.stripe[i].out), free(w.stripe[i].lse);
    free(w.queries), free(w.stripe);
    return code;
}
