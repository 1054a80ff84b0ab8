/* Held: from the caller's memory to the device's and back.
 *
 * Idea       The contract's rows lie anywhere; the device's are dense. So they are packed, as many as go into the
 *            stage, and copied, stage by stage.
 * Invariant  The result is written when all launches are known to have ended well. Device memory lives as long as the
 *            call does (an entry's forward) or as what it belongs to (gpu.h); there is no pool, and nothing global.
 * Cost       Packing runs at a core's speed, and nothing overlaps: a forward by the contract is for being right. What
 *            it takes without the way there and back is measured with gpu.h.
 * Gets wrong Memory of the device can't come from a caller who only has the host's: it is allocated in the call, and
 *            -ENOMEM says that there was too little.
 */
#include "cuda/held.h"

#include "cuda/pack.h"

#include <errno.h>

int held_check(enum gpu_rung rung, const struct at_problem *p, uint32_t parts)
{
    int code = at_check(p, parts);
    if (code)
        return code;
    return gpu_width(rung, p->d, p->type == AT_BF16) && !device_missing() ? 0 : -ENOTSUP;
}

static int room(struct held *h, const void **memory, uint64_t count, size_t element)
{
    void *new_memory = NULL;
    size_t bytes;
    if (__builtin_mul_overflow(count, element, &bytes))
        return -EOVERFLOW;
    int code = device_alloc(&new_memory, bytes);
    *memory = new_memory;
    h->bytes += code ? 0 : bytes;
    return code;
}

/* So many rows fit into the stage. */
static uint64_t rows_of(uint64_t left, size_t row)
{
    uint64_t fit = row ? HELD_STAGE / row : 0;
    return left < fit ? left : fit;
}

static int put_rows(const struct held *h, const void *to, const struct at_in *from, uint32_t heads, uint32_t n,
                    uint32_t pairs, uint32_t first, float times, void *stage)
{
    size_t row = h->w.d * pack_element(h->p.type);
    uint64_t all = (uint64_t)pairs * n, some;
    int code = 0;
    for (uint64_t x = 0; x < all && code == 0; x += some) {
        some = rows_of(all - x, row);
        pack_rows(&h->p, from, heads, n, (uint64_t)first * n + x, some, h->w.d, times, stage);
        code = device_put((char *)to + x * row, stage, some * row);
    }
    return code;
}

static int put_seen(const struct held *h, void *stage)
{
    uint32_t some;
    int code = 0;
    for (uint32_t i = 0; i < h->p.n_q && code == 0; i += some) {
        some = (uint32_t)rows_of(h->p.n_q - i, sizeof(uint32_t));
        pack_seen(&h->p, i, some, stage);
        code = device_put((uint32_t *)h->w.seen + i, stage, some * sizeof(uint32_t));
    }
    return code;
}

static int allocate(struct held *h)
{
    const struct at_problem *p = &h->p;
    struct gpu_work *w = &h->w;
    size_t row = w->d * pack_element(p->type);
    uint64_t rows = (uint64_t)w->pairs * p->n_q, keys = (uint64_t)h->pairs * p->n_k;
    const void *out = NULL, *lse = NULL, *seen = NULL, *scores = NULL;
    int code = room(h, &w->q, rows, row);
    code = code ? code : room(h, &w->k, keys, row);
    code = code ? code : room(h, &w->v, keys, row);
    code = code ? code : room(h, &out, rows, w->d * sizeof(float));
    code = code ? code : room(h, &lse, rows, sizeof(float));
    code = code ? code : room(h, &seen, p->n_q, sizeof(uint32_t));
    if (code == 0 && h->rung == GPU_NAIVE)
        code = room(h, &scores, (uint64_t)p->n_q * p->n_k, sizeof(float));
    w->out = (float *)out;
    w->lse = (float *)lse;
    w->seen = seen;
    w->scores = (float *)scores;
    return code;
}

int held_put(struct held *h, enum gpu_rung rung, const struct at_problem *p, const struct at_in *q,
             const struct at_in *k, const struct at_in *v, uint32_t first, uint32_t pairs, void *stage)
{
    uint32_t group = p->heads / p->kv_heads;
    *h = (struct held){.rung = rung, .p = *p, .scale = gpu_scale(p->scale), .first = first, .pairs = pairs};
    h->w = (struct gpu_work){.pairs = pairs * group,
                             .group = group,
                             .n_q = p->n_q,
                             .n_k = p->n_k,
                             .d = gpu_width(rung, p->d, p->type == AT_BF16),
                             .scale = h->scale.scale,
                             .bf16 = p->type == AT_BF16};
    int code = allocate(h);
    code =
        code ? code : put_rows(h, h->w.q, q, p->heads, p->n_q, pairs * group, first * group, h->scale.queries, stage);
    code = code ? code : put_rows(h, h->w.k, k, p->kv_heads, p->n_k, pairs, first, 1, stage);
    code = code ? code : put_rows(h, h->w.v, v, p->kv_heads, p->n_k, pairs, first, 1, stage);
    code = code ? code : put_seen(h, stage);
    if (code)
        held_end(h);
    return code;
}

int held_put_cudnn(struct held *h)
{
    const void *narrow = NULL;
    int code =
        h->p.n_q > 0 && at_visible(&h->p, 0) == h->p.n_k && h->p.n_k > 0 ? 0 : -ENOTSUP; /* the first sees least */
    code = code ? code : room(h, &narrow, (uint64_t)h->w.pairs * h->p.n_q, h->w.d * sizeof(uint16_t));
    h->narrow = (void *)narrow;
    return code ? code : device_cudnn(&h->w, h->narrow, &h->cudnn);
}

/* Rows of the output, as float32. In bfloat16 they come into the second half of their place, and grow into all of it. */
static int get_rows(const struct held *h, uint64_t first, uint64_t rows, void *stage)
{
    const size_t all = rows * h->w.d, at = first * h->w.d;
    if (!h->narrow)
        return device_get(stage, h->w.out + at, all * sizeof(float));
    uint16_t *from = (uint16_t *)stage + all;
    float *to = stage;
    int code = device_get(from, (const uint16_t *)h->narrow + at, all * sizeof *from);
    for (size_t i = 0; i < all && code == 0; i++)
        to[i] = at_from_bf16(from[i]);
    return code;
}

int held_get(const struct held *h, const struct at_result *result, void *stage)
{
    size_t row = h->w.d * sizeof(float);
    uint64_t all = (uint64_t)h->w.pairs * h->p.n_q, first = (uint64_t)h->first * h->w.group * h->p.n_q, some;
    int code = device_sync();
    for (uint64_t x = 0; x < all && code == 0; x += some) {
        some = rows_of(all - x, row);
        code = get_rows(h, x, some, stage);
        if (code == 0)
            unpack_rows(&h->p, &result->out, first + x, some, h->w.d, stage);
    }
    return code ? code : device_get(result->lse + first, h->w.lse, all * sizeof(float));
}

void held_end(struct held *h)
{
    const void *const memory[] = {h->w.q, h->w.k, h->w.v, h->w.seen, h->w.out, h->w.lse, h->w.scores, h->narrow};
    device_cudnn_end(h->cudnn);
    for (int i = 0; i < 8; i++)
        device_free((void *)memory[i]);
    h->w = (struct gpu_work){0};
    h->cudnn = h->narrow = NULL;
}
