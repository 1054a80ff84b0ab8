/* Blocks: attention by blocks of queries and keys, around a kernel that knows the machine.
 *
 * Idea       A block of keys and values that is in the cache should meet many queries before it goes. So: a group of
 *            panels of queries stays, blocks of keys stream by, and each panel does three things with each block:
 *            scores, weights by online softmax, values. Queries are the lanes of vectors throughout. That makes
 *            scores come out in just the order in which the values need them, and maximum, sum and rescaling are
 *            never taken across lanes; keys and values are used one number at a time, for all lanes, so they are read
 *            where they lie, as they lie. Only queries and output are turned round, once.
 * Invariant  That of rows.c, for each lane after each block.
 * Cost       4 n_q n_k d floating point operations, one exponential for each pair. Memory: queries, output, and one
 *            block of scores, whatever the length. Scores are in powers of two: scale / ln 2 goes into the queries,
 *            for free. A causal mask leaves out blocks, and in the last one keys, that no lane of the panel sees. The
 *            rest of the diagonal is computed and hidden.
 * Gets wrong A panel with few queries (one, when a token at a time is generated) is computed whole.
 * Source     Dao et al. 2022 (FlashAttention), Dao 2023 (rescaling the output once, at the end); the order of the
 *            lanes is ours.
 */
#include "blocks.h"

#define GROUP_FLOATS (48u * 1024u) /* queries of a group, and as many of output: 384 KiB of L2 */

/* Where things lie in the workspace; counted in floats. All but the panels' own are multiples of AT_ALIGN. */
struct plan {
    uint32_t panels, items, each; /* panels of a head; items of work it is cut into; the most panels of an item */
    size_t panel, queries, output, largest, sum, shrink, scores, keys, values, end;
};

/* As many items as the cache asks for, in as many as there are parts: so that all parts have as much to do. */
static struct plan plan(const struct kernel *kernel, const struct at_problem *p, uint32_t parts)
{
    uint32_t w = kernel->width, most = GROUP_FLOATS / (w * p->d);
    struct plan a = {.panels = p->n_q / w + (p->n_q % w != 0), .panel = (size_t)w * p->d};
    most = most ? most : 1;
    uint64_t items = (a.panels + (uint64_t)most - 1) / most;
    items = (items + parts - 1) / parts * parts;
    a.items = items < a.panels ? (uint32_t)items : a.panels;
    a.each = a.items ? (a.panels + a.items - 1) / a.items : 0;
    size_t block = p->type == AT_F32 ? 0 : blocks_lines((size_t)BLOCK_KEYS * p->d);
    a.output = blocks_lines(a.queries + a.each * a.panel);
    a.largest = blocks_lines(a.output + a.each * a.panel);
    a.sum = blocks_lines(a.largest + (size_t)a.each * w);
    a.shrink = blocks_lines(a.sum + (size_t)a.each * w);
    a.scores = blocks_lines(a.shrink + w);
    a.keys = blocks_lines(a.scores + (size_t)BLOCK_KEYS * w);
    a.values = a.keys + block;
    a.end = a.values + block;
    return a;
}

int blocks_workspace(const struct kernel *kernel, const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    int code = at_check(p, parts);
    if (!code)
        *bytes = plan(kernel, p, parts).end * sizeof(float);
    return code;
}

/* One head's share of the work: panels first ... end of head h. */
struct item {
    const struct kernel *kernel;
    const struct at_problem *p;
    const struct at_in *k, *v;
    const struct at_result *result;
    struct plan at;
    float *work;
    uint32_t b, h, kv, first, end;
};

static uint32_t rows_in(const struct item *it, uint32_t panel)
{
    uint32_t w = it->kernel->width, left = it->p->n_q - panel * w;
    return left < w ? left : w;
}

/* Turns queries round. Lanes without a query get zeros. */
static void load(const struct item *it, const struct at_in *q)
{
    uint32_t w = it->kernel->width;
    float scale = (float)(it->p->scale / LN2);
    for (uint32_t n = it->first; n < it->end; n++) {
        float *to = it->work + it->at.queries + (n - it->first) * it->at.panel;
        uint32_t rows = rows_in(it, n);
        for (uint32_t i = 0; i < w; i++) {
            const void *row = i < rows ? at_row(q, it->p->type, it->b, it->h, n * w + i) : NULL;
            for (uint32_t c = 0; c < it->p->d; c++)
                to[c * w + i] = row ? scale * at_element(row, it->p->type, c) : 0;
        }
    }
    for (uint32_t i = 0; i < (it->end - it->first) * w; i++) {
        it->work[it->at.largest + i] = -INFINITY;
        it->work[it->at.sum + i] = 0;
    }
    memset(it->work + it->at.output, 0, (it->end - it->first) * it->at.panel * sizeof(float));
}

/* Divides, and turns the output round. */
static void store(const struct item *it)
{
    uint32_t w = it->kernel->width;
    float *lse = it->result->lse + (size_t)(it->b * (uint64_t)it->p->heads + it->h) * it->p->n_q;
    for (uint32_t n = it->first; n < it->end; n++) {
        uint32_t rows = rows_in(it, n);
        for (uint32_t i = 0; i < rows; i++) {
            uint32_t lane = (n - it->first) * w + i;
            float m = it->work[it->at.largest + lane], l = it->work[it->at.sum + lane];
            const float *from = it->work + it->at.output + (n - it->first) * it->at.panel + i;
            float *out = at_out_row(&it->result->out, it->b, it->h, n * w + i);
            bool seen = at_visible(it->p, n * w + i) > 0;
            lse[n * w + i] = seen ? (float)((m + log2((double)l)) * LN2) : -INFINITY;
            for (uint32_t c = 0; c < it->p->d; c++)
                out[c] = seen ? from[c * w] / l : 0;
        }
    }
}

const float *blocks_rows(const struct at_problem *p, const struct at_in *t, uint32_t b, uint32_t kv, uint32_t first,
                         uint32_t keys, float *room, size_t *row)
{
    if (p->type == AT_F32) {
        *row = t->row;
        return at_row(t, AT_F32, b, kv, first);
    }
    for (uint32_t j = 0; j < keys; j++) {
        const uint16_t *from = at_row(t, AT_BF16, b, kv, first + j);
        for (uint32_t c = 0; c < p->d; c++)
            room[j * p->d + c] = at_from_bf16(from[c]);
    }
    *row = p->d;
    return room;
}

/* Scores that a lane may not see become -inf. A lane that sees no key at all is left as it is, since 'minus the
 * largest' would make NaN of it; store knows. Every other lane sees key 0, so its largest score is finite from the
 * first block on. */
static void hide(const struct item *it, uint32_t panel, uint32_t first, uint32_t keys, float *s)
{
    uint32_t w = it->kernel->width, rows = rows_in(it, panel);
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t seen = at_visible(it->p, panel * w + i);
        if (seen == 0 || seen >= first + keys)
            continue;
        for (uint32_t j = seen > first ? seen - first : 0; j < keys; j++)
            s[j * w + i] = -INFINITY;
    }
}

static void run(const struct item *it)
{
    const struct kernel *f = it->kernel;
    float *s = it->work + it->at.scores, *shrink = it->work + it->at.shrink;
    uint32_t w = f->width, d = it->p->d, last = (it->end - 1) * w + rows_in(it, it->end - 1) - 1;
    uint32_t all = at_visible(it->p, last); /* nobody in this item sees more */
    for (uint32_t first = 0; first < all; first += BLOCK_KEYS) {
        uint32_t keys = all - first < BLOCK_KEYS ? all - first : BLOCK_KEYS;
        size_t k_row, v_row;
        const float *k = blocks_rows(it->p, it->k, it->b, it->kv, first, keys, it->work + it->at.keys, &k_row);
        const float *v = blocks_rows(it->p, it->v, it->b, it->kv, first, keys, it->work + it->at.values, &v_row);
        for (uint32_t n = it->first; n < it->end; n++) {
            uint32_t here = n - it->first, seen = at_visible(it->p, n * w + rows_in(it, n) - 1);
            if (seen <= first)
                continue;
            uint32_t some = seen - first < keys ? seen - first : keys;
            f->scores(k, k_row, some, d, it->work + it->at.queries + here * it->at.panel, s);
            if (at_visible(it->p, n * w) < first + some)
                hide(it, n, first, some, s);
            f->weights(s, some, it->work + it->at.largest + here * w, it->work + it->at.sum + here * w, shrink);
            f->values(v, v_row, some, d, s, shrink, it->work + it->at.output + here * it->at.panel);
        }
    }
}

int blocks_forward(const struct kernel *kernel, const struct at_problem *p, const struct at_in *q,
                   const struct at_in *k, const struct at_in *v, const struct at_result *result, uint32_t part,
                   uint32_t parts, void *work)
{
    int code = at_check(p, parts);
    if (code)
        return code;
    struct item it = {kernel, p, k, v, result, .at = plan(kernel, p, parts), .work = work};
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
        it.end = at_first_of(it.at.panels, i + 1, it.at.items);
        load(&it, q);
        run(&it);
        store(&it);
    }
    return 0;
}
