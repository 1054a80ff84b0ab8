/* gpu.h's table. Times are from one event to another in the stream that the work is in, so they hold launches and
 * nothing of the host, as long as the host is ahead; the first forward is not timed, since it also sets things up. */
#include "cuda/gpu.h"

#include "cuda/gpu_ring.h"
#include "cuda/held.h"

#include <errno.h>
#include <stdlib.h>

static int rung_of(const char *entry)
{
    static const char *const name[GPU_RUNGS] = {"cuda-naive", "cuda-flash", "cuda-tensor"};
    for (int i = 0; i < GPU_RUNGS; i++)
        if (strcmp(entry, name[i]) == 0)
            return i;
    return -ENOENT;
}

static int upload(const char *entry, const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                  const struct at_in *v, struct held **out)
{
    const bool cudnn = strcmp(entry, "cudnn") == 0; /* what the tensor rung takes, it takes */
    int rung = cudnn ? GPU_TENSOR : rung_of(entry), code = rung < 0 ? rung : held_check((enum gpu_rung)rung, p, 1);
    if (code)
        return code;
    struct held *held = malloc(sizeof *held);
    void *stage = malloc(HELD_STAGE);
    code = held && stage ? held_put(held, (enum gpu_rung)rung, p, q, k, v, 0, p->batch * p->kv_heads, stage) : -ENOMEM;
    free(stage);
    if (code == 0 && cudnn && (code = held_put_cudnn(held)) != 0)
        held_end(held);
    if (code)
        free(held);
    else
        *out = held;
    return code;
}

static int download(struct held *held, const struct at_result *result)
{
    void *stage = malloc(HELD_STAGE);
    int code = stage ? held_get(held, result, stage) : -ENOMEM;
    free(stage);
    return code;
}

static size_t bytes(const struct held *held)
{
    return held->bytes;
}

static void end(struct held *held)
{
    if (held)
        held_end(held);
    free(held);
}

/* ---- time --------------------------------------------------------------------------------------------------------- */

static int timed(int (*once)(const void *what), const void *what, uint32_t times, double *seconds)
{
    void *first = NULL, *last = NULL;
    int code = device_event(&first);
    code = code ? code : device_event(&last);
    code = code ? code : once(what);
    code = code ? code : device_record(first, NULL);
    for (uint32_t i = 0; i < times && code == 0; i++)
        code = once(what);
    code = code ? code : device_record(last, NULL);
    code = code ? code : device_seconds(first, last, seconds);
    device_event_end(first);
    device_event_end(last);
    return code;
}

static int forward_once(const void *held)
{
    const struct held *h = held;
    return h->cudnn ? device_cudnn_run(h->cudnn, NULL) : device_run(h->rung, &h->w, NULL);
}

static int forward(struct held *held, uint32_t times, double *seconds)
{
    return timed(forward_once, held, times, seconds);
}

struct square {
    uint32_t n;
    bool bf16;
    void *a, *b, *c;
};

static int gemm_once(const void *square)
{
    const struct square *s = square;
    return device_gemm(s->n, s->bf16, s->a, s->b, s->c, NULL);
}

/* Numbers in (-1, 1), not zeros: a multiplier that does nothing draws less power, and its clock stays higher. */
static int fill(const struct square *s, size_t element, void *to, uint32_t seed)
{
    size_t all = (size_t)s->n * s->n * element, some = all < HELD_STAGE ? all : HELD_STAGE;
    uint16_t *stage = malloc(HELD_STAGE);
    int code = stage ? 0 : -ENOMEM;
    for (size_t i = 0; i < HELD_STAGE / sizeof *stage && code == 0; i++) {
        seed = seed * 1664525 + 1013904223;
        uint16_t number = (uint16_t)(0x3f00 | (seed >> 24 & 0x80ff)); /* the upper half of a float: 0.5 ... 2 */
        stage[i] = s->bf16 || i % 2 ? number : 0;
    }
    for (size_t at = 0; at < all && code == 0; at += some) {
        some = all - at < some ? all - at : some;
        code = device_put((char *)to + at, stage, some);
    }
    free(stage);
    return code;
}

static int gemm(uint32_t n, enum at_type type, uint32_t times, double *seconds)
{
    struct square s = {n, type == AT_BF16, NULL, NULL, NULL};
    size_t element = s.bf16 ? sizeof(uint16_t) : sizeof(float), all = (size_t)n * n * element;
    if (device_missing())
        return -ENOTSUP;
    if (n == 0 || n > 1u << 16)
        return -EINVAL;
    int code = device_alloc(&s.a, all);
    code = code ? code : device_alloc(&s.b, all);
    code = code ? code : device_alloc(&s.c, all);
    code = code ? code : fill(&s, element, s.a, 1);
    code = code ? code : fill(&s, element, s.b, 2);
    code = code ? code : timed(gemm_once, &s, times, seconds);
    device_free(s.a);
    device_free(s.b);
    device_free(s.c);
    return code;
}

static int ring_upload(const char *entry, const struct at_ring *ring, const struct at_in *q, const struct at_in *k,
                       const struct at_in *v, uint32_t devices, struct at_gpu_ring **out)
{
    int rung = rung_of(entry);
    return rung < 0 ? rung : gpu_ring_upload((enum gpu_rung)rung, ring, q, k, v, devices, out);
}

/* On a device that is only described, so there is no memory: all that matters is the shape. */
static int cudnn_plans(const struct at_problem *p, const char *device)
{
    const uint32_t d = gpu_width(GPU_TENSOR, p->d, p->type == AT_BF16);
    const struct gpu_work w = {.pairs = p->batch * p->heads,
                               .group = p->heads / p->kv_heads,
                               .n_q = p->n_q,
                               .n_k = p->n_k,
                               .d = d,
                               .scale = p->scale};
    int code = at_check(p, 1);
    return code ? code : d ? device_cudnn_plans(&w, device) : -ENOTSUP;
}

extern const struct at_gpu at_gpu;
__attribute__((visibility("default"))) const struct at_gpu at_gpu = {.missing = device_missing,
                                                                     .complaint = device_complaint,
                                                                     .name = device_name,
                                                                     .upload = upload,
                                                                     .forward = forward,
                                                                     .download = download,
                                                                     .bytes = bytes,
                                                                     .end = end,
                                                                     .gemm = gemm,
                                                                     .cudnn_plans = cudnn_plans,
                                                                     .ring_upload = ring_upload,
                                                                     .ring_forward = gpu_ring_forward,
                                                                     .ring_download = gpu_ring_download,
                                                                     .ring_sent = gpu_ring_sent,
                                                                     .ring_end = gpu_ring_end};
