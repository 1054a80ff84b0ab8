/* Backward: gradients by blocks, around the same kernels as forward.
 *
 * Idea       Forward's weights would fill the memory that blocks were made to save. They are computed again: with the
 *            log-sum-exp of a row known, a weight is exp(s - lse), of any block by itself, in any order. With D the
 *            slopes of the weights, do . v, and delta = sum over j of p_j D_j, which is do . o, the scores' slopes are
 *            p (D - delta); all else is matrix products: dv += P' dO, dq += scale dS K, dk += scale dS' Q.
 * Invariant  After each block, what was added to the gradients is the share of the pairs met so far. No block needs
 *            another, so keys may come in a ring.
 * Cost       10 n_q n_k d floating point operations, five products where forward has two. Queries stay the lanes: two
 *            products are `scores` (K Q', V dO'), one is `values` (K' dS'), and the two that sum over queries are
 *            `outer`, for which queries and dO are kept the other way round too. So 5 d numbers for each query of a
 *            group, and two blocks of gradients, whatever the length.
 *            142 GFLOP/s with AVX-512 at d = 128: 64 % of the machine's rate of multiply-add (forward: 76 %), 77 with
 *            AVX2. `outer` is what is slower: its sums are as short as a panel is wide.
 * Gets wrong A part has whole (batch, kv_head) pairs, since all queries add to the same dk and dv: one head is one
 *            core's work. Rows that see nothing have a weight of 0 everywhere, whatever their lse.
 * Source     Dao et al. 2022, algorithm 4; Dao 2023.
 */
#include "blocks.h"

#define GROUP_FLOATS (24u * 1024u) /* of each of the five of a group of queries */

/* Where things lie in the workspace; counted in floats. All but the panels' own are multiples of AT_ALIGN. */
struct plan {
    uint32_t panels, each, wide; /* panels of a head; of a group; d in whole widths */
    size_t panel, rows;          /* floats of a panel: (d, width), and (wide / width, width, width) */
    size_t q, d_out, dq, q_rows, d_out_rows, lse, delta, scores, slopes, dk, dv, keys, values, end;
};

static struct plan plan(const struct kernel *kernel, const struct at_problem *p)
{
    uint32_t w = kernel->width, most = GROUP_FLOATS / (w * p->d);
    struct plan a = {.panels = p->n_q / w + (p->n_q % w != 0), .wide = (p->d + w - 1) / w * w};
    a.each = a.panels < most ? a.panels : most ? most : 1;
    a.panel = (size_t)w * p->d;
    a.rows = (size_t)w * a.wide;
    size_t block = p->type == AT_F32 ? 0 : blocks_lines((size_t)BLOCK_KEYS * p->d);
    a.d_out = blocks_lines(a.q + a.each * a.panel);
    a.dq = blocks_lines(a.d_out + a.each * a.panel);
    a.q_rows = blocks_lines(a.dq + a.each * a.panel);
    a.d_out_rows = blocks_lines(a.q_rows + a.each * a.rows);
    a.lse = blocks_lines(a.d_out_rows + a.each * a.rows);
    a.delta = blocks_lines(a.lse + (size_t)a.each * w);
    a.scores = blocks_lines(a.delta + (size_t)a.each * w);
    a.slopes = blocks_lines(a.scores + (size_t)BLOCK_KEYS * w);
    a.dk = blocks_lines(a.slopes + (size_t)BLOCK_KEYS * w);
    a.dv = blocks_lines(a.dk + (size_t)BLOCK_KEYS * a.wide);
    a.keys = blocks_lines(a.dv + (size_t)BLOCK_KEYS * a.wide);
    a.values = a.keys + block;
    a.end = a.values + block;
    return a;
}

int blocks_backward_workspace(const struct kernel *kernel, const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    int code = at_check(p, parts);
    if (!code)
        *bytes = plan(kernel, p).end * sizeof(float);
    return code;
}

/* A group of one query head: panels first ... end. */
struct group {
    const struct kernel *kernel;
    const struct at_problem *p;
    const struct at_in *q, *k, *v, *d_out;
    const struct at_result *result;
    const struct at_gradients *gradients;
    struct plan at;
    float *work;
    uint32_t b, h, kv, first, end;
};

static float *panel_of(const struct group *g, size_t what, size_t size, uint32_t panel)
{
    return g->work + what + (panel - g->first) * size;
}

/* Lane i of a panel: its query and dO, both ways round. Lanes without a query get a weight of 0 from their lse, and so
 * do rows that see nothing: their own is -inf. */
static void load_lane(const struct group *g, uint32_t panel, uint32_t i)
{
    uint32_t w = g->kernel->width, d = g->p->d, row = panel * w + i;
    float scale = (float)(g->p->scale / LN2), delta = 0, lse = INFINITY;
    float *q = panel_of(g, g->at.q, g->at.panel, panel) + i, *d_out = panel_of(g, g->at.d_out, g->at.panel, panel) + i;
    float *q_rows = panel_of(g, g->at.q_rows, g->at.rows, panel) + i * w;
    float *d_out_rows = panel_of(g, g->at.d_out_rows, g->at.rows, panel) + i * w;
    bool seen = row < g->p->n_q && at_visible(g->p, row) > 0;
    const void *from = seen ? at_row(g->q, g->p->type, g->b, g->h, row) : NULL;
    const float *slope = seen ? at_row(g->d_out, AT_F32, g->b, g->h, row) : NULL;
    const float *out = seen ? at_out_row(&g->result->out, g->b, g->h, row) : NULL;
    for (uint32_t c = 0, n = 0; c < g->at.wide; c++, n++) {
        float x = seen && c < d ? scale * at_element(from, g->p->type, c) : 0, y = seen && c < d ? slope[c] : 0;
        if (c < d)
            q[c * w] = x, d_out[c * w] = y;
        if (n == w)
            n = 0, q_rows += w * w, d_out_rows += w * w; /* the next group of columns */
        q_rows[n] = x;
        d_out_rows[n] = y;
        delta += seen && c < d ? y * out[c] : 0;
    }
    if (seen)
        lse = (float)((double)g->result->lse[(g->b * (size_t)g->p->heads + g->h) * g->p->n_q + row] / LN2);
    g->work[g->at.lse + (panel - g->first) * w + i] = lse;
    g->work[g->at.delta + (panel - g->first) * w + i] = delta;
}

static void load(const struct group *g)
{
    for (uint32_t n = g->first; n < g->end; n++)
        for (uint32_t i = 0; i < g->kernel->width; i++)
            load_lane(g, n, i);
    memset(g->work + g->at.dq, 0, (g->end - g->first) * g->at.panel * sizeof(float));
}

static void add_dq(const struct group *g)
{
    uint32_t w = g->kernel->width;
    for (uint32_t n = g->first; n < g->end; n++)
        for (uint32_t i = 0; i < w && n * w + i < g->p->n_q; i++) {
            const float *from = panel_of(g, g->at.dq, g->at.panel, n) + i;
            float *to = at_out_row(&g->gradients->q, g->b, g->h, n * w + i);
            for (uint32_t c = 0; c < g->p->d; c++)
                to[c] += g->p->scale * from[c * w];
        }
}

static void add_block(const struct group *g, const struct at_out *to, const float *from, uint32_t first, uint32_t keys,
                      float factor)
{
    uint32_t w = g->kernel->width;
    for (uint32_t c = 0; c < g->p->d; c += w, from += (size_t)keys * w)
        for (uint32_t j = 0; j < keys; j++) {
            float *row = at_out_row(to, g->b, g->kv, first + j) + c;
            for (uint32_t n = 0; n < w && c + n < g->p->d; n++)
                row[n] += factor * from[j * w + n];
        }
}

/* Scores that a lane may not see become -inf: a weight of 0. */
static void hide(const struct group *g, uint32_t panel, uint32_t first, uint32_t keys, float *s)
{
    uint32_t w = g->kernel->width;
    for (uint32_t i = 0; i < w && panel * w + i < g->p->n_q; i++) {
        uint32_t seen = at_visible(g->p, panel * w + i);
        for (uint32_t j = seen > first ? seen - first : 0; j < keys; j++)
            s[j * w + i] = -INFINITY;
    }
}

static uint32_t seen_by(const struct group *g, uint32_t panel)
{
    uint32_t last = panel * g->kernel->width + g->kernel->width - 1;
    return at_visible(g->p, last < g->p->n_q ? last : g->p->n_q - 1);
}

/* The group and one block of keys. All of dk and dv that comes of it is added to the gradients in one go. */
static void meet(const struct group *g, uint32_t first, uint32_t keys)
{
    const struct kernel *f = g->kernel;
    uint32_t w = f->width, d = g->p->d;
    size_t k_row, v_row;
    const float *k = blocks_rows(g->p, g->k, g->b, g->kv, first, keys, g->work + g->at.keys, &k_row);
    const float *v = blocks_rows(g->p, g->v, g->b, g->kv, first, keys, g->work + g->at.values, &v_row);
    float *s = g->work + g->at.scores, *slopes = g->work + g->at.slopes, *dk = g->work + g->at.dk;
    float *dv = g->work + g->at.dv;
    memset(dk, 0, (size_t)keys * g->at.wide * sizeof *dk);
    memset(dv, 0, (size_t)keys * g->at.wide * sizeof *dv);
    for (uint32_t n = g->first; n < g->end; n++) {
        if (seen_by(g, n) <= first)
            continue;
        f->scores(k, k_row, keys, d, panel_of(g, g->at.q, g->at.panel, n), s);
        f->scores(v, v_row, keys, d, panel_of(g, g->at.d_out, g->at.panel, n), slopes);
        if (at_visible(g->p, n * w) < first + keys)
            hide(g, n, first, keys, s);
        f->slopes(s, slopes, keys, panel_of(g, g->at.lse, w, n), panel_of(g, g->at.delta, w, n));
        f->outer(s, keys, panel_of(g, g->at.d_out_rows, g->at.rows, n), g->at.wide, dv);
        f->outer(slopes, keys, panel_of(g, g->at.q_rows, g->at.rows, n), g->at.wide, dk);
        f->values(k, k_row, keys, d, slopes, NULL, panel_of(g, g->at.dq, g->at.panel, n));
    }
    add_block(g, &g->gradients->k, dk, first, keys, (float)LN2); /* its queries were multiplied with scale / ln 2 */
    add_block(g, &g->gradients->v, dv, first, keys, 1);
}

int blocks_backward(const struct kernel *kernel, const struct at_problem *p, const struct at_in *q,
                    const struct at_in *k, const struct at_in *v, const struct at_result *result,
                    const struct at_in *d_out, const struct at_gradients *gradients, uint32_t part, uint32_t parts,
                    void *work)
{
    int code = at_check(p, parts);
    if (code)
        return code;
    struct group g = {kernel, p, q, k, v, d_out, result, gradients, .at = plan(kernel, p), .work = work};
    uint32_t each = p->heads / p->kv_heads;
    for (uint64_t n = part; n < (uint64_t)p->batch * p->kv_heads; n += parts) {
        g.b = (uint32_t)(n / p->kv_heads);
        g.kv = (uint32_t)(n % p->kv_heads);
        for (g.h = g.kv * each; g.h < (g.kv + 1) * each; g.h++)
            for (g.first = 0; g.first < g.at.panels; g.first = g.end) {
                g.end = g.at.panels - g.first < g.at.each ? g.at.panels : g.first + g.at.each;
                load(&g);
                uint32_t all = seen_by(&g, g.end - 1);
                for (uint32_t at = 0; at < all; at += BLOCK_KEYS)
                    meet(&g, at, all - at < BLOCK_KEYS ? all - at : BLOCK_KEYS);
                add_dq(&g);
            }
    }
    return 0;
}
