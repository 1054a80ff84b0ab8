/* Blockwise on AMX: matrix products in bfloat16, on tiles.
 *
 * Idea       blocks.c's order: a group of queries stays in L2, blocks of keys stream by. Each block is packed into
 *            tiles once (amx_pack.c), and meets every panel of the group (amx_meet.c). While it does, the next block is
 *            asked for, since from memory it would come row by row.
 * Invariant  That of rows.c, for each row after each block.
 * Cost       1,160 GFLOP/s at d = 128 (8,192 tokens; median 1,145 in quiet minutes, 970 in others), 890 at d = 64,
 *            1,040 causal: 39 % of the tiles' own rate in the same run (median over median; 35 % in others), 27 % at
 *            d = 64, and seven times the float32 rungs. A twelfth of the time goes into packing, a twentieth into
 *            turning queries and output round. Memory: group and block, about 1 MiB whatever the length.
 * Tried      Groups of 384 KiB and 1 MiB, blocks of 256 and 1,024 keys: 7 % less, and no difference. Packing without
 *            having asked for the rows: a third slower.
 * Gets wrong float32 is refused: products would round it unasked. Numbers below 1.2e-38 count as zero. Backward is that
 *            of AVX-512.
 * Source     amx_meet.c, blocks.c.
 */
#if defined(__x86_64__)
#include "amx.h"
#include "best.h"

#include <errno.h>

#define GROUP_BYTES (640u * 1024) /* of queries and output of an item: they share L2 with the block */
#define LOWEST      (-3.4e38f)
#define LN2         0.693147180559945309417

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
    size_t rows = (size_t)a.each * AMX_PANEL, block = AMX_BLOCK_UNITS * AMX_UNIT * query;
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

/* Rows of queries, and zeros for those that there are none of: they see no key. A negative scale goes into their
 * signs, and a scale of 0 makes zeros of them. */
static void load(struct amx_item *it, const struct at_in *q)
{
    const struct at_problem *p = it->p;
    uint32_t rows = it->panels * AMX_PANEL, wide = it->wide;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t row = it->first * AMX_PANEL + i;
        bool none = row >= p->n_q;
        const uint16_t *from = none || p->scale == 0 ? NULL : at_row(q, AT_BF16, it->b, it->h, row);
        uint16_t *panel = it->queries + (size_t)(i / AMX_PANEL) * AMX_PANEL * wide;
        for (uint32_t c = 0; c < wide; c += 32) {
            uint32_t some = !from ? 0 : p->d - c < 32 ? p->d - c : 32;
            uint16_t *to = panel + amx_query(i % AMX_PANEL, c), flip = p->scale < 0 ? 0x8000 : 0;
            memset(to + some, 0, (32 - some) * sizeof *to);
            if (some)
                memcpy(to, from + c, some * sizeof *to);
            for (uint32_t n = 0; n < some && flip; n++)
                to[n] ^= flip;
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

AMX_TARGET static void store(const struct amx_item *it, const struct at_result *result)
{
    const struct at_problem *p = it->p;
    float *lse = result->lse + (size_t)(it->b * (uint64_t)p->heads + it->h) * p->n_q;
    for (uint32_t i = 0; i < it->panels * AMX_PANEL && it->first * AMX_PANEL + i < p->n_q; i++) {
        uint32_t row = it->first * AMX_PANEL + i;
        const float *panel = it->output + (size_t)(i / AMX_PANEL) * AMX_PANEL * it->wide;
        float *out = at_out_row(&result->out, it->b, it->h, row);
        float sum = _mm512_reduce_add_ps(_mm512_load_ps(it->sums + (size_t)i * 16));
        bool seen = it->visible[i] > 0;
        lse[row] = seen ? (float)(((double)it->reference[i] + log2((double)sum)) * LN2) : -INFINITY;
        for (uint32_t c = 0; c < p->d; c += 16) {
            __mmask16 some = (__mmask16)(p->d - c < 16 ? (1u << (p->d - c)) - 1 : 0xffff);
            __m512 x = _mm512_load_ps(panel + amx_output(i % AMX_PANEL, c));
            _mm512_mask_storeu_ps(out + c, some, seen ? _mm512_div_ps(x, _mm512_set1_ps(sum)) : _mm512_setzero_ps());
        }
    }
}

AMX_TARGET static void run(struct amx_item *it)
{
    const struct at_problem *p = it->p;
    amx_begin();
    for (it->block = 0; it->block < it->all; it->block += AMX_BLOCK_UNITS * AMX_UNIT) {
        for (uint32_t unit = 0; unit < AMX_BLOCK_UNITS && it->block + unit * AMX_UNIT < it->all; unit++) {
            uint32_t first = it->block + unit * AMX_UNIT, keys = p->n_k - first < AMX_UNIT ? p->n_k - first : AMX_UNIT;
            size_t to = (size_t)unit * AMX_UNIT * it->wide;
            amx_pack_keys(at_row(it->k, AT_BF16, it->b, it->kv, first), it->k->row, keys, p->d, it->keys + to,
                          it->room);
            amx_pack_values(at_row(it->v, AT_BF16, it->b, it->kv, first), it->v->row, keys, p->d, it->values + to,
                            it->room);
        }
        amx_meet(it);
    }
    _tile_release();
}

static struct amx_item item_of(const struct at_problem *p, const struct plan *at, const struct at_in *k,
                               const struct at_in *v, char *work)
{
    return (struct amx_item){.p = p,
                             .k = k,
                             .v = v,
                             .wide = at->wide,
                             .queries = (uint16_t *)(void *)(work + at->queries),
                             .keys = (uint16_t *)(void *)(work + at->keys),
                             .values = (uint16_t *)(void *)(work + at->values),
                             .room = (uint16_t *)(void *)(work + at->room),
                             .output = (float *)(void *)(work + at->output),
                             .sums = (float *)(void *)(work + at->sums),
                             .reference = (float *)(void *)(work + at->reference),
                             .shrink = (float *)(void *)(work + at->shrink),
                             .scores = (float *)(void *)(work + at->scores),
                             .visible = (uint32_t *)(void *)(work + at->visible)};
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *work)
{
    size_t bytes;
    int code = workspace(p, parts, &bytes);
    if (code)
        return code;
    struct plan at = plan(p, parts);
    struct amx_item it = item_of(p, &at, k, v, work);
    uint64_t all = (uint64_t)p->batch * p->heads * at.items;
    /* There and back again (0 1 2, 2 1 0, ...): with a causal mask a head's later items have more to do. */
    for (uint64_t round = 0; round * parts < all; round++) {
        uint64_t n = round * parts + (round % 2 ? parts - 1 - part : part);
        if (n >= all)
            continue;
        uint32_t i = (uint32_t)(n % at.items), head = (uint32_t)(n / at.items);
        it.b = head / p->heads;
        it.h = head % p->heads;
        it.kv = it.h / (p->heads / p->kv_heads);
        it.first = at_first_of(at.panels, i, at.items);
        it.panels = at_first_of(at.panels, i + 1, at.items) - it.first;
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
                                         .limit = "flops-amx",
                                         .can = AT_CAUSAL | AT_TAKES_BF16 | AT_ONLY_BF16 | AT_CONSTANT};
AT_ENTRY(blockwise_amx, "blockwise-amx", "bfloat16 on AMX tiles, exponentials under the products", &blockwise_amx_ops);
