/* Panels of queries meet a block of keys, on tiles, with softmax under the products.
 *
 * Idea       Tiles and vectors are different parts of a core, and one waits for nothing of the other if there is always
 *            work for both. So three steps (a panel and a unit of keys each) are in flight: while tiles add the values
 *            of the step before and make the scores of the step after, vectors turn the scores of this one into
 *            weights. Instructions of both kinds stand mixed, a row of softmax after every four products, and the
 *            processor runs them side by side. A row's reference, which is taken off its scores, isn't its largest
 *            score but one of an earlier unit. As long as weights stay below some hundred that is as good: exactly the
 *            same is taken off numerator and denominator. Only when they don't, which shows in their sum, the
 *            reference moves, and output and sum are multiplied. So there is no maximum to take, and rarely a rescale.
 * Invariant  Between beats: output and sum of a row, of all units met but those in flight, are relative to its
 *            reference. A row's bits depend on its own scores alone, not on who shares its panel.
 * Cost       A product of four tiles takes 64 cycles, and a unit has 32 of them (d = 128) for 32 rows of softmax. Under
 *            a product only one vector instruction a cycle gets through, not two: 68 a row. So softmax is just hidden
 *            at d = 128, and takes longer than the products at d = 64. What is left: all of a unit's tiles come from
 *            L2, 34 bytes for each query and key, for which the products have half a cycle.
 * Tried      One core, Sapphire Rapids class, GFLOP/s of this file alone, tiles 2,920 (best of 10 to 25 short runs):
 *            - stores and loads of four sums in a row: 101 cycles for four products instead of 64; one by one between
 *              the products: 73. The sums are changed like that here.
 *            - taking the maximum first, degree 4 instead of 3, units of 64 keys: 1,232 at d = 128, 935 at 64. Maximum
 *              and degree: 1,303. Units of 128 keys: 1,408 and 990. Of 256: no faster, scores leave L1.
 *            - prefetching tiles into L1: slower, 1,161 against 1,230; prefetches need the same ports as tile loads.
 *            - panels of 64 queries, scores in pieces of 32 keys, weights apart: halves what K and V cost, but queries
 *              and weights then come from L2 again and again: 1,064 against 1,432 in the same minutes.
 *            - scores in slices of 32 keys and products of both kinds by turns, so that scores stay in L1: products
 *              alone 12 % faster (1,427 against 1,269 with all of forward round them), with softmax 15 % slower (946
 *              against 1,111). Weights in tiles of their own: 2 % slower. Huge pages: no difference.
 *            Products without softmax reach 1,740, softmax without products the time of 5,560.
 * Gets wrong Weights are rounded to bfloat16, their sum is not: a row that one key dominates is off by up to 1/512 of
 *            that value (with the sum of rounded weights it would not be, but then lse would). lse is off by up to
 *            1e-4, as the polynomial is.
 * Source     Shah et al. 2024 (FlashAttention-3: softmax under products); FlashAttention-4 (2025: a rescale only when
 *            it matters, polynomial of degree 3).
 */
#include "amx.h"

#if defined(__x86_64__)
#define VECS   (AMX_UNIT / 16)
#define LIMIT  1024.0f /* weights that add up to more, VECS of them, want a new reference */
#define UNROLL _Pragma("GCC unroll 16")

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
AMX_TARGET static __attribute__((noinline)) void raise(struct amx_item *it, const struct softmax *w, uint32_t i)
{
    const float *row = w->scores + i * AMX_UNIT;
    float *sum = w->sums + i * 16;
    __m512 top = _mm512_load_ps(row);
    for (uint32_t n = 1; n < VECS; n++)
        top = _mm512_max_ps(top, _mm512_load_ps(row + 16 * n));
    float to = _mm512_reduce_max_ps(top) * it->scale, shrink = exp2f(w->reference[i] - to);
    _mm512_store_ps(sum, _mm512_mul_ps(_mm512_load_ps(sum), _mm512_set1_ps(shrink)));
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
AMX_INLINE void one_row(struct amx_item *it, struct softmax *w)
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
AMX_INLINE void next_row(struct amx_item *it, struct softmax *w)
{
    if (w->row < AMX_PANEL)
        one_row(it, w);
}

AMX_INLINE void add_values(struct amx_item *it, const struct step *at, struct softmax *w)
{
    const uint16_t *weight = (const uint16_t *)(const void *)at->scores;
    const uint16_t *v = it->values + (size_t)at->unit * AMX_UNIT * it->wide;
    float *o = it->output + (size_t)at->panel * AMX_PANEL * it->wide;
    for (uint32_t c = 0; c < it->wide; c += 32, o += 2 * AMX_TILE) {
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

AMX_INLINE void make_scores(struct amx_item *it, const struct step *at, struct softmax *w)
{
    const uint16_t *k = it->keys + (size_t)at->unit * AMX_UNIT * it->wide;
    const uint16_t *q = it->queries + (size_t)at->panel * AMX_PANEL * it->wide;
    for (uint32_t j = 0; j < AMX_UNIT; j += 32) {
        amx_change(&it->tiles, NULL, q, 64, AMX_TILE, k);
        next_row(it, w);
        k += 2 * AMX_TILE;
        for (uint32_t c = 32; c < it->wide; c += 32, k += 2 * AMX_TILE) {
            amx_multiply(q + (size_t)c * AMX_PANEL, 64, AMX_TILE, k);
            next_row(it, w);
        }
        it->tiles = scores_at(at->scores, j);
    }
}

AMX_TARGET static void rescale(struct amx_item *it, uint32_t panel)
{
    float *o = it->output + (size_t)panel * AMX_PANEL * it->wide;
    for (uint32_t i = 0; i < AMX_PANEL; i++) {
        __m512 shrink = _mm512_set1_ps(it->shrink[i]);
        for (uint32_t c = 0; c < it->wide && it->shrink[i] != 1; c += 16) {
            float *at = o + amx_output(i, c);
            _mm512_store_ps(at, _mm512_mul_ps(_mm512_load_ps(at), shrink));
        }
        it->shrink[i] = 1;
    }
    it->grown = false;
}

static struct softmax softmax_of(const struct amx_item *it, const struct step *at)
{
    uint32_t row = at->panel * AMX_PANEL, first = it->block + at->unit * AMX_UNIT;
    struct softmax w = {at->scores, it->sums + (size_t)row * 16, it->reference + row, it->visible + row, first, 0, 0};
    for (uint32_t i = 0; i < AMX_PANEL; i++)
        w.hides |= w.visible[i] < first + AMX_UNIT;
    return w;
}

/* What is in the tiles goes where it belongs. From there on they belong nowhere: what is stored of them next goes where
 * no step has its scores any more, or yet. */
AMX_INLINE void empty(struct amx_item *it, const struct step *now)
{
    amx_store(&it->tiles);
    it->tiles = scores_at(it->scores + (now && now->scores == it->scores ? AMX_PANEL * AMX_UNIT : 0), 0);
}

/* The values of the step before, the scores of the step after, and under both the softmax of the one between. Scores
 * are stored where the weights of the step before were, when these have been used. */
AMX_TARGET static void beat(struct amx_item *it, const struct step *before, const struct step *now,
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
    if (now && it->grown)
        rescale(it, now->panel);
    __asm__ volatile("" : : : "memory"); /* tiles are loaded behind the compiler's back */
}

/* How many units of the block the panel's queries see. */
static uint32_t units_of(const struct amx_item *it, uint32_t panel)
{
    uint32_t seen = 0, end = (panel + 1) * AMX_PANEL;
    for (uint32_t i = panel * AMX_PANEL; i < end; i++)
        seen = it->visible[i] > seen ? it->visible[i] : seen;
    uint32_t left = seen > it->block ? (seen - it->block - 1) / AMX_UNIT + 1 : 0;
    return left < AMX_BLOCK_UNITS ? left : AMX_BLOCK_UNITS;
}

/* Asks for a share of the next block's rows, so that packing finds them in L2. */
static void fetch(const struct amx_item *it, uint32_t share, uint32_t shares)
{
    uint32_t next = it->block + AMX_BLOCK_UNITS * AMX_UNIT, rows = AMX_BLOCK_UNITS * AMX_UNIT;
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
void amx_meet(struct amx_item *it)
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
#endif
