/* ESSAY */
#if defined(__x86_64__)
#include "amx.h"
#include "best.h"

#include <errno.h>

#define BLOCK_UNITS 4u            /* packed at a time, to be met by all panels of an item */
#define GROUP_BYTES (640u * 1024) /* of queries and output of an item: they share L2 with the block */
#define VECS        (AMX_UNIT / 16)
#define LIMIT       1024.0f /* weights that add up to more, VECS of them, want a new reference */
#define LOWEST      (-3.4e38f)
#define LN2         0.693147180559945309417
#define UNROLL      _Pragma("GCC unroll 16")

/* Where things lie in the workspace, in bytes; all are multiples of AT_ALIGN. */
struct plan {
    uint32_t wide, panels, items, each; /* panels of a head; items of work it is cut into; the most panels of an item */
    size_t queries, output, sums, reference, visible, shrink, scores, keys, values, room, end;
};

static struct plan plan(const struct at_problem *p, uint32_t parts)
{
    struct plan a = {.wide = amx_wide(p->d), .panels = p->n_q / AMX_PANEL + (p->n_q % AMX_PANEL != 0)};
    size_t query = a.wide * sizeof(uint16_t), out = a.wide * sizeof(float);
    uint32_t most = (uint32_t)(GROUP_BYTES / (AMX_PANEL * (query + out)));
    uint64_t items = (a.panels + (uint64_t)most - 1) / most;
    items = (items + parts - 1) / parts * parts;
    a.items = items < a.panels ? (uint32_t)items : a.panels;
    a.each = a.items ? (a.panels + a.items - 1) / a.items : 0;
    size_t rows = (size_t)a.each * AMX_PANEL, block = BLOCK_UNITS * AMX_UNIT * query;
    a.output = a.queries + rows * query;
    a.sums = a.output + rows * out;
    a.reference = a.sums + rows * 16 * sizeof(float);
    a.visible = a.reference + rows * sizeof(float);
    a.shrink = a.visible + rows * sizeof(uint32_t);
    a.scores = a.shrink + AMX_PANEL * sizeof(float);
    a.keys = a.scores + (size_t)2 * AMX_PANEL * AMX_UNIT * sizeof(float);
    a.values = a.keys + block;
    a.room = a.values + block;
    a.end = a.room + AMX_UNIT * query;
    return a;
}

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    int code = at_check(p, parts);
    if (!code && (p->type != AT_BF16 || !amx_here()))
        code = -ENOTSUP;
    if (!code)
        *bytes = plan(p, parts).end;
    return code;
}

/* One head's share of the work. */
struct item {
    const struct at_problem *p;
    const struct at_in *k, *v;
    struct plan at;
    uint32_t b, h, kv, first, panels; /* panels first ... first + panels - 1 of head h */
    uint32_t block, all;              /* first key of the block; keys that some query sees */
    float scale;                      /* of scores into powers of two; not negative */
    uint16_t *queries, *keys, *values, *room;
    float *output, *sums, *reference, *shrink, *scores;
    uint32_t *visible;
    struct amx_sums tiles; /* where the sums in the tiles belong */
    bool grown; /* some rows of a panel have a new reference: `shrink` is what their output must be multiplied with */
};

/* A panel of queries meets a unit of keys. */
struct step {
    uint32_t panel, unit;
    float *scores; /* (AMX_PANEL, AMX_UNIT); weights, as bfloat16, take the place of the first half of each row */
};

/* A step's softmax, done row by row under the products of the steps before and after. */
struct softmax {
    float *scores, *sums, *reference;
    const uint32_t *visible;
    uint32_t first, row; /* first key; next row, AMX_PANEL: done */
    bool hides;          /* some row doesn't see all keys */
};

/* 2^floor(x) times a polynomial of degree 3 in the rest, off by 9e-5 at most. 0 for -inf. */
AMX_INLINE __m512 exp2_of(__m512 x)
{
    __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC), p = _mm512_set1_ps(7.706704200e-02f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.276449912e-01f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.951167864e-01f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1));
    return _mm512_scalef_ps(p, x);
}

/* The reference moves up to the largest score, and with it what was summed: the sum at once, the output when the
 * products that are under way have been added to it. */
AMX_TARGET static __attribute__((noinline)) void raise(struct item *it, const struct softmax *w, uint32_t i)
{
    const float *row = w->scores + i * AMX_UNIT;
    float top = row[0], *sum = w->sums + i * 16;
    for (uint32_t j = 1; j < AMX_UNIT; j++)
        top = row[j] > top ? row[j] : top;
    float to = top * it->scale, shrink = exp2f(w->reference[i] - to);
    for (uint32_t n = 0; n < 16; n++)
        sum[n] *= shrink;
    w->reference[i] = to;
    it->shrink[i] = shrink;
    it->grown = true;
}

static void hide(float *row, uint32_t seen, uint32_t first)
{
    for (uint32_t j = seen < first ? 0 : seen - first; j < AMX_UNIT; j++)
        row[j] = -INFINITY;
}

/* A row's weights, and what they add up to, lane by lane. */
AMX_INLINE __m512 weights(const float *row, __m512 scale, float reference, __m512 *w)
{
    UNROLL for (uint32_t n = 0; n < VECS; n++) w[n] =
        exp2_of(_mm512_fmsub_ps(_mm512_load_ps(row + 16 * n), scale, _mm512_set1_ps(reference)));
    __m512 all = _mm512_add_ps(w[0], w[1]);
    UNROLL for (uint32_t n = 2; n < VECS; n += 2) all = _mm512_add_ps(all, _mm512_add_ps(w[n], w[n + 1]));
    return all;
}

/* Whether the reference is too low shows in the weights: no maximum is taken until it is. */
AMX_INLINE void one_row(struct item *it, struct softmax *w)
{
    uint32_t i = w->row++;
    float *row = w->scores + i * AMX_UNIT, *sum = w->sums + i * 16;
    __m512 scale = _mm512_set1_ps(it->scale), x[VECS];
    if (w->hides)
        hide(row, w->visible[i], w->first);
    __m512 all = weights(row, scale, w->reference[i], x);
    if (__builtin_expect(_mm512_cmp_ps_mask(all, _mm512_set1_ps(LIMIT), _CMP_NLE_UQ) != 0, 0)) {
        raise(it, w, i);
        all = weights(row, scale, w->reference[i], x);
    }
    _mm512_store_ps(sum, _mm512_add_ps(_mm512_load_ps(sum), all));
    UNROLL for (uint32_t n = 0; n < VECS; n += 2)
        _mm512_store_si512(row + 8 * n, (__m512i)_mm512_cvtne2ps_pbh(x[n + 1], x[n]));
}

/* A row of softmax costs about as much as the four products that it is done under. */
AMX_INLINE void next_row(struct item *it, struct softmax *w)
{
    if (w->row < AMX_PANEL)
        one_row(it, w);
}

AMX_INLINE void add_values(struct item *it, const struct step *at, struct softmax *w)
{
    const uint16_t *weight = (const uint16_t *)(const void *)at->scores;
    const uint16_t *v = it->values + (size_t)at->unit * AMX_UNIT * it->at.wide;
    float *o = it->output + (size_t)at->panel * AMX_PANEL * it->at.wide;
    for (uint32_t c = 0; c < it->at.wide; c += 32, o += 2 * AMX_TILE) {
        struct amx_sums next = {o, 64, AMX_TILE / 2, AMX_TILE};
        amx_change(&it->tiles, &next, weight, AMX_UNIT * sizeof(float), 16 * AMX_UNIT * 2, v);
        next_row(it, w);
        v += 2 * AMX_TILE;
        UNROLL for (uint32_t j = 32; j < AMX_UNIT; j += 32, v += 2 * AMX_TILE)
        {
            amx_multiply(weight + j, AMX_UNIT * sizeof(float), 16 * AMX_UNIT * 2, v);
            next_row(it, w);
        }
        it->tiles = next;
    }
}

/* 32 of a step's keys, from j on. */
static inline struct amx_sums scores_at(float *scores, uint32_t j)
{
    return (struct amx_sums){scores + j, AMX_UNIT * sizeof(float), 16, 16 * AMX_UNIT};
}

AMX_INLINE void make_scores(struct item *it, const struct step *at, struct softmax *w)
{
    const uint16_t *k = it->keys + (size_t)at->unit * AMX_UNIT * it->at.wide;
    const uint16_t *q = it->queries + (size_t)at->panel * AMX_PANEL * it->at.wide;
    for (uint32_t j = 0; j < AMX_UNIT; j += 32) {
        amx_change(&it->tiles, NULL, q, 64, AMX_TILE, k);
        next_row(it, w);
        k += 2 * AMX_TILE;
        for (uint32_t c = 32; c < it->at.wide; c += 32, k += 2 * AMX_TILE) {
            amx_multiply(q + (size_t)c * AMX_PANEL, 64, AMX_TILE, k);
            next_row(it, w);
        }
        it->tiles = scores_at(at->scores, j);
    }
}

static void rescale(struct item *it, uint32_t panel)
{
    float *o = it->output + (size_t)panel * AMX_PANEL * it->at.wide;
    for (uint32_t i = 0; i < AMX_PANEL; i++) {
        for (uint32_t c = 0; c < it->at.wide && it->shrink[i] != 1; c += 16)
            for (uint32_t n = 0; n < 16; n++)
                o[amx_output(i, c) + n] *= it->shrink[i];
        it->shrink[i] = 1;
    }
    it->grown = false;
}

static struct softmax softmax_of(const struct item *it, const struct step *at)
{
    uint32_t row = at->panel * AMX_PANEL, first = it->block + at->unit * AMX_UNIT;
    struct softmax w = {at->scores, it->sums + (size_t)row * 16, it->reference + row, it->visible + row, first, 0, 0};
    for (uint32_t i = 0; i < AMX_PANEL; i++)
        w.hides |= w.visible[i] < first + AMX_UNIT;
    return w;
}

/* What is in the tiles goes where it belongs. From there on they belong nowhere: what is stored of them next goes where
 * no step has its scores any more, or yet. */
AMX_INLINE void empty(struct item *it, const struct step *now)
{
    amx_store(&it->tiles);
    it->tiles = scores_at(it->scores + (now && now->scores == it->scores ? AMX_PANEL * AMX_UNIT : 0), 0);
}

/* The values of the step before, the scores of the step after, and under both the softmax of the one between. Scores
 * are stored where the weights of the step before were, when these have been used. */
AMX_TARGET static void beat(struct item *it, const struct step *before, const struct step *now,
                            const struct step *after)
{
    struct softmax w = {.row = AMX_PANEL};
    if (now)
        w = softmax_of(it, now);
    if (before)
        add_values(it, before, &w);
    if (after)
        make_scores(it, after, &w);
    else
        empty(it, now);
    while (w.row < AMX_PANEL)
        one_row(it, &w);
    if (it->grown)
        rescale(it, now->panel);
    __asm__ volatile("" : : : "memory"); /* tiles are loaded behind the compiler's back */
}

/* How many units of the block the panel's queries see. */
static uint32_t units_of(const struct item *it, uint32_t panel)
{
    uint32_t seen = 0, end = (panel + 1) * AMX_PANEL;
    for (uint32_t i = panel * AMX_PANEL; i < end; i++)
        seen = it->visible[i] > seen ? it->visible[i] : seen;
    uint32_t left = seen > it->block ? (seen - it->block - 1) / AMX_UNIT + 1 : 0;
    return left < BLOCK_UNITS ? left : BLOCK_UNITS;
}

/* Asks for a share of the next block's rows, so that packing finds them in L2. */
static void fetch(const struct item *it, uint32_t share, uint32_t shares)
{
    uint32_t next = it->block + BLOCK_UNITS * AMX_UNIT, rows = BLOCK_UNITS * AMX_UNIT;
    if (next >= it->all)
        return;
    rows = it->all - next < rows ? it->all - next : rows;
    for (uint32_t j = at_first_of(rows, share, shares); j < at_first_of(rows, share + 1, shares); j++)
        for (uint32_t c = 0; c < it->p->d; c += 32) {
            __builtin_prefetch((const uint16_t *)at_row(it->k, AT_BF16, it->b, it->kv, next + j) + c, 0, 2);
            __builtin_prefetch((const uint16_t *)at_row(it->v, AT_BF16, it->b, it->kv, next + j) + c, 0, 2);
        }
}

/* All panels meet all units of the block that they see: a beat for each, and two more. */
static void meet(struct item *it)
{
    struct step ring[3], *before = NULL, *now = NULL;
    uint32_t n = 0;
    it->tiles = scores_at(it->scores + AMX_PANEL * AMX_UNIT, 0); /* nothing is in them yet */
    for (uint32_t panel = 0; panel < it->panels; panel++) {
        for (uint32_t unit = 0, units = units_of(it, panel); unit < units; unit++, n++) {
            struct step *after = &ring[n % 3];
            *after = (struct step){panel, unit, it->scores + n % 2 * AMX_PANEL * AMX_UNIT};
            beat(it, before, now, after);
            before = now;
            now = after;
        }
        fetch(it, panel, it->panels);
    }
    beat(it, before, now, NULL);
    beat(it, now, NULL, NULL);
}

/* Rows of queries, and zeros for those that there are none of: they see no key. A negative scale goes into their
 * signs, and a scale of 0 makes zeros of them. */
static void load(struct item *it, const struct at_in *q)
{
    const struct at_problem *p = it->p;
    uint32_t rows = it->panels * AMX_PANEL, wide = it->at.wide;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = it->first * AMX_PANEL + i;
        bool none = row >= p->n_q;
        const uint16_t *from = none || p->scale == 0 ? NULL : at_row(q, AT_BF16, it->b, it->h, row);
        uint16_t *panel = it->queries + (size_t)(i / AMX_PANEL) * AMX_PANEL * wide;
        for (uint32_t c = 0; c < wide; c += 32) {
            uint32_t some = !from ? 0 : p->d - c < 32 ? p->d - c : 32;
            uint16_t *to = panel + amx_query(i % AMX_PANEL, c), flip = p->scale < 0 ? 0x8000 : 0;
            memset(to + some, 0, (32 - some) * sizeof *to);
            for (uint32_t n = 0; n < some; n++)
                to[n] = from[c + n] ^ flip;
        }
        it->visible[i] = none ? 0 : at_visible(p, row);
        it->reference[i] = LOWEST;
        it->all = it->visible[i] > it->all ? it->visible[i] : it->all;
    }
    memset(it->sums, 0, (size_t)rows * 16 * sizeof(float));
    memset(it->output, 0, (size_t)rows * wide * sizeof(float));
    for (uint32_t i = 0; i < AMX_PANEL; i++)
        it->shrink[i] = 1;
    it->scale = p->scale != 0 ? (float)(fabs((double)p->scale) / LN2) : 1;
}

static void store(const struct item *it, const struct at_result *result)
{
    const struct at_problem *p = it->p;
    float *lse = result->lse + (size_t)(it->b * (uint64_t)p->heads + it->h) * p->n_q;
    for (uint32_t i = 0; i < it->panels * AMX_PANEL && it->first * AMX_PANEL + i < p->n_q; i++) {
        uint32_t row = it->first * AMX_PANEL + i;
        const float *panel = it->output + (size_t)(i / AMX_PANEL) * AMX_PANEL * it->at.wide;
        float *out = at_out_row(&result->out, it->b, it->h, row), sum = 0;
        for (uint32_t n = 0; n < 16; n++)
            sum += it->sums[i * 16 + n];
        bool seen = it->visible[i] > 0;
        float share = seen ? 1 / sum : 0;
        lse[row] = seen ? (float)(((double)it->reference[i] + log2((double)sum)) * LN2) : -INFINITY;
        for (uint32_t c = 0; c < p->d; c += 16)
            for (uint32_t n = 0; n < 16 && c + n < p->d; n++)
                out[c + n] = panel[amx_output(i % AMX_PANEL, c) + n] * share;
    }
}

AMX_TARGET static void run(struct item *it)
{
    const struct at_problem *p = it->p;
    amx_begin();
    for (it->block = 0; it->block < it->all; it->block += BLOCK_UNITS * AMX_UNIT) {
        for (uint32_t unit = 0; unit < BLOCK_UNITS && it->block + unit * AMX_UNIT < it->all; unit++) {
            uint32_t first = it->block + unit * AMX_UNIT, keys = p->n_k - first < AMX_UNIT ? p->n_k - first : AMX_UNIT;
            size_t to = (size_t)unit * AMX_UNIT * it->at.wide;
            amx_pack_keys(at_row(it->k, AT_BF16, it->b, it->kv, first), it->k->row, keys, p->d, it->keys + to,
                          it->room);
            amx_pack_values(at_row(it->v, AT_BF16, it->b, it->kv, first), it->v->row, keys, p->d, it->values + to,
                            it->room);
        }
        meet(it);
    }
    _tile_release();
}

static struct item item_of(const struct at_problem *p, uint32_t parts, const struct at_in *k, const struct at_in *v,
                           char *work)
{
    struct plan at = plan(p, parts);
    return (struct item){.p = p,
                         .k = k,
                         .v = v,
                         .at = at,
                         .queries = (uint16_t *)(void *)(work + at.queries),
                         .keys = (uint16_t *)(void *)(work + at.keys),
                         .values = (uint16_t *)(void *)(work + at.values),
                         .room = (uint16_t *)(void *)(work + at.room),
                         .output = (float *)(void *)(work + at.output),
                         .sums = (float *)(void *)(work + at.sums),
                         .reference = (float *)(void *)(work + at.reference),
                         .shrink = (float *)(void *)(work + at.shrink),
                         .scores = (float *)(void *)(work + at.scores),
                         .visible = (uint32_t *)(void *)(work + at.visible)};
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *work)
{
    size_t bytes;
    int code = workspace(p, parts, &bytes);
    if (code)
        return code;
    struct item it = item_of(p, parts, k, v, work);
    uint64_t all = (uint64_t)p->batch * p->heads * it.at.items;
    /* There and back again (0 1 2, 2 1 0, ...): with a causal mask a head's later items have more to do. */
    for (uint64_t round = 0; round * parts < all; round++) {
        uint64_t n = round * parts + (round % 2 ? parts - 1 - part : part);
        if (n >= all)
            continue;
        uint32_t i = (uint32_t)(n % it.at.items), head = (uint32_t)(n / it.at.items);
        it.b = head / p->heads;
        it.h = head % p->heads;
        it.kv = it.h / (p->heads / p->kv_heads);
        it.first = at_first_of(it.at.panels, i, it.at.items);
        it.panels = at_first_of(it.at.panels, i + 1, it.at.items) - it.first;
        it.all = 0;
        load(&it, q);
        run(&it);
        store(&it, result);
    }
    return 0;
}

/* There is no backward on tiles; who has them has AVX-512. */
static int backward_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    int code = workspace(p, parts, bytes);
    return code ? code : blockwise_avx512_ops.backward_workspace(p, parts, bytes);
}

static int backward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                    const struct at_result *result, const struct at_in *d_out, const struct at_gradients *gradients,
                    uint32_t part, uint32_t parts, void *work)
{
    size_t bytes;
    int code = workspace(p, parts, &bytes);
    return code ? code : blockwise_avx512_ops.backward(p, q, k, v, result, d_out, gradients, part, parts, work);
}

static bool here(void)
{
    return amx_here();
}
#else
#include "best.h"
#include "problem.h"

#include "elsewhere.h"
#endif

const struct at_ops blockwise_amx_ops = {.workspace = workspace,
                                         .forward = forward,
                                         .merge = at_merge,
                                         .backward_workspace = backward_workspace,
                                         .backward = backward,
                                         .here = here,
                                         .can = AT_CAUSAL | AT_TAKES_BF16 | AT_ONLY_BF16 | AT_CONSTANT};
AT_ENTRY(blockwise_amx, "blockwise-amx", "bfloat16 on AMX tiles, exponentials under the products", &blockwise_amx_ops);
