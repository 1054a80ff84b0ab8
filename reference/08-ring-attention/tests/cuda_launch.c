/* cuda_launch.c: a launch, on emulated blocks of threads. */
#include "cuda_launch.h"

#include "cuda/fragments.h"
#include "cuda/merge_rows.h"

#include "cuda/flash_kernel.h"
#include "cuda/softmax_kernel.h"
#define HEAD 64
#include "cuda/tensor_kernel.h"
#undef HEAD
#define HEAD 128
#include "cuda/tensor_kernel.h"
#undef HEAD

struct launch {
    enum gpu_rung rung;
    const struct gpu_work *w;
    uint32_t tile, pair;
};

static void thread_of(void *argument)
{
    const struct launch *l = argument;
    if (l->rung == GPU_NAIVE)
        softmax_block(l->w, l->tile, l->pair, emulated_shared());
    else if (l->rung == GPU_FLASH)
        flash_block(l->w, l->tile, l->pair, emulated_shared());
    else if (l->w->d == 64)
        tensor_block_64(l->w, l->tile, l->pair, 0);
    else
        tensor_block_128(l->w, l->tile, l->pair, 0);
}

static double get(const void *data, bool bf16, size_t i)
{
    return (double)number(data, bf16, i);
}

/* What naive.cu asks cuBLAS for. */
static void scores_of(const struct gpu_work *w, uint32_t pair)
{
    for (size_t i = 0; i < w->n_q; i++)
        for (size_t j = 0; j < w->n_k; j++) {
            double sum = 0;
            for (size_t c = 0; c < w->d; c++)
                sum += get(w->q, w->bf16, (pair * (size_t)w->n_q + i) * w->d + c) *
                       get(w->k, w->bf16, (pair / w->group * (size_t)w->n_k + j) * w->d + c);
            w->scores[i * w->n_k + j] = (float)(sum * (double)w->scale);
        }
}
static void mean_of(const struct gpu_work *w, uint32_t pair)
{
    for (size_t i = 0; i < w->n_q; i++)
        for (size_t c = 0; c < w->d; c++) {
            double sum = 0;
            for (size_t j = 0; j < w->n_k; j++)
                sum += get(w->scores + i * w->n_k, w->bf16, j) *
                       get(w->v, w->bf16, (pair / w->group * (size_t)w->n_k + j) * w->d + c);
            w->out[(pair * (size_t)w->n_q + i) * w->d + c] = (float)sum;
        }
}

void launch_emulated(enum gpu_rung rung, const struct gpu_work *w, uint64_t seed, struct emulated *counts)
{
    struct gpu_tiles t = gpu_tiles(rung, w->n_q, w->d);
    for (uint32_t b = 0; t.tiles && b < t.tiles * w->pairs; b++) {
        struct launch l = {rung, w, gpu_tile_of(b, t.tiles), b / t.tiles};
        if (rung == GPU_NAIVE && b % t.tiles == 0)
            scores_of(w, l.pair);
        emulate(t.threads, t.shared, seed + b, thread_of, &l, counts);
        if (rung == GPU_NAIVE && b % t.tiles == t.tiles - 1)
            mean_of(w, l.pair);
    }
}
