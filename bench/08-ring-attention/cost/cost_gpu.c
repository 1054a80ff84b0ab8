/* cost_gpu.c: the entries of cuda.so on problems that stay on the device, against cuBLAS's own products of the same type;
 * and a ring of eight ranks on one card against one call. A time is that of so many calls in a row, by this side's clock,
 * until the device has finished. */
#include "cost_parts.h"

#include "base/file.h"
#include "base/memory.h"
#include "cuda/gpu.h"
#include "runs.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCT 8192u /* rows and columns of cuBLAS's product */
#define RANKS   8u
#define ROWS    8u   /* that are compared with float64 before anything is timed */
#define OFF     3e-2 /* of the root of the mean square: weights, and cuDNN's output, are rounded to bfloat16 */

const char *const cost_gpu_parts[] = {"cublas", "cudnn", "cuda-naive", "cuda-flash", "cuda-tensor", NULL};
const char *const cost_gpu_ring_parts[] = {"one call", "ring of 8", NULL};

struct gpu_state {
    const struct at_gpu *gpu;
    struct held *held;        /* an entry ... */
    struct at_gpu_ring *ring; /* ... or a ring; else the product */
    struct at_call *call;     /* the numbers, as long as they are needed */
};

static const struct at_gpu *load(char *why, size_t size)
{
    static void *so;
    char path[FILE_PATH];
    file_build_path(path, "labs/08-ring-attention/cuda.so");
    if (!file_exists(path)) {
        snprintf(why, size, "cuda.so is not built: make cuda, which takes nvcc");
        return NULL;
    }
    so = so ? so : dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct at_gpu *gpu = so ? dlsym(so, AT_GPU_SYMBOL) : NULL;
    const char *missing = gpu ? gpu->missing() : NULL;
    if (!gpu)
        snprintf(why, size, "cuda.so can't be loaded: %.150s", so ? "it lacks its table" : dlerror());
    else if (missing)
        snprintf(why, size, "%s", missing);
    return gpu && !missing ? gpu : NULL;
}

void cost_gpu_destroy(void *state)
{
    struct gpu_state *s = state;
    if (s->held)
        s->gpu->end(s->held);
    if (s->ring)
        s->gpu->ring_end(s->ring);
    free(s);
}

void cost_gpu_run(void *state, unsigned thread, uint64_t n)
{
    const struct gpu_state *s = state;
    double seconds;
    (void)thread;
    for (uint64_t left = n; left > 0;) {
        const uint32_t times = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
        const int code = s->held   ? s->gpu->forward(s->held, times, &seconds)
                         : s->ring ? s->gpu->ring_forward(s->ring, times, &seconds)
                                   : s->gpu->gemm(PRODUCT, AT_BF16, times, &seconds);
        if (code)
            abort(); /* it was possible when it was made */
        left -= times;
    }
}

/* What is wrong is not timed. */
static int check(const struct gpu_state *s, struct error *err)
{
    struct at_call *call = s->call;
    const struct at_result result = {{call->out, 0, 0, call->p.d}, call->lse};
    double seconds;
    int code = s->held ? s->gpu->forward(s->held, 1, &seconds) : s->gpu->ring_forward(s->ring, 1, &seconds);
    if (code == 0)
        code = s->held ? s->gpu->download(s->held, &result) : s->gpu->ring_download(s->ring, &result);
    if (code)
        return error_set(err, code, "%.200s", s->gpu->complaint());
    const double error = at_call_error(call, ROWS);
    return error <= OFF ? 0 : error_set(err, -EIO, "it is wrong: %.2g off from float64", error);
}

/* Any entry of the processor's side will do to make the numbers: nothing is computed with it. */
static int with_numbers(const struct cost_subject *subject, struct gpu_state *s, struct error *err,
                        int (*put)(struct gpu_state *s, const char *entry, const struct at_in in[3]), const char *entry)
{
    const struct at_problem p = at_call_problem(1, (uint32_t)subject->size, COST_D, AT_BF16, false);
    struct at_call *call;
    int code = at_call_make(runs_entry("rows"), &p, false, 1, subject->seed, &call, err);
    if (code)
        return code;
    const struct at_in in[3] = {{call->q, 0, 0, p.d}, {call->k, 0, 0, p.d}, {call->v, 0, 0, p.d}};
    s->call = call;
    code = put(s, entry, in);
    code = code ? error_set(err, code, "%.200s", s->gpu->complaint()) : check(s, err);
    at_call_free(call);
    s->call = NULL;
    return code;
}

static int put_whole(struct gpu_state *s, const char *entry, const struct at_in in[3])
{
    return s->gpu->upload(entry, &s->call->p, &in[0], &in[1], &in[2], &s->held);
}

static int put_ring(struct gpu_state *s, const char *entry, const struct at_in in[3])
{
    const struct at_problem *p = &s->call->p;
    const struct at_ring ring = {.total = p->n_q,
                                 .ranks = RANKS,
                                 .layout = AT_CONTIGUOUS,
                                 .batch = 1,
                                 .heads = 1,
                                 .kv_heads = 1,
                                 .d = p->d,
                                 .scale = p->scale,
                                 .type = p->type};
    return s->gpu->ring_upload(entry, &ring, &in[0], &in[1], &in[2], 1, &s->ring);
}

/* NULL: there is no GPU, or nothing to use it with, and why. */
static struct gpu_state *start(struct error *err)
{
    char why[200] = "";
    const struct at_gpu *gpu = load(why, sizeof why);
    struct gpu_state *s = gpu ? xcalloc(1, sizeof *s) : NULL;
    if (s)
        s->gpu = gpu;
    else
        error_set(err, -ENOTSUP, "%s", why);
    return s;
}

static int finish(struct gpu_state *s, int code, void **state)
{
    if (code)
        cost_gpu_destroy(s);
    else
        *state = s;
    return code;
}

int cost_gpu_create(const struct cost_subject *subject, void **state, struct error *err)
{
    struct gpu_state *s = start(err);
    int code = 0;
    if (!s)
        return -ENOTSUP;
    if (strcmp(subject->name, cost_gpu_parts[0]) != 0)
        code = with_numbers(subject, s, err, put_whole, subject->name);
    return finish(s, code, state);
}

int cost_gpu_ring_create(const struct cost_subject *subject, void **state, struct error *err)
{
    const bool ring = strcmp(subject->name, cost_gpu_ring_parts[1]) == 0;
    struct gpu_state *s = start(err);
    if (!s)
        return -ENOTSUP;
    int code = with_numbers(subject, s, err, ring ? put_ring : put_whole, "cuda-tensor");
    return finish(s, code, state);
}

double cost_gpu_work(const struct cost_subject *s)
{
    return strcmp(s->name, cost_gpu_parts[0]) == 0 ? 2.0 * PRODUCT * PRODUCT * (double)PRODUCT : cost_work(s);
}
