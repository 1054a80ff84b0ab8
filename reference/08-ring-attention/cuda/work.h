/* work.h: what a launch is told, and what its tiles are; plain C, for kernels, for those who start them, and for tests.
 *
 * A pair is one head of one sequence of the batch. Everything on the device is dense. */
#ifndef CUDA_WORK_H
#define CUDA_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __CUDACC__
#define BOTH static __host__ __device__ __forceinline__
#else
#define BOTH static inline
#endif

enum gpu_rung { GPU_NAIVE, GPU_FLASH, GPU_TENSOR, GPU_RUNGS };

struct gpu_work {
    const void *q, *k, *v; /* (pairs, n_q, d) and (pairs / group, n_k, d); float or bfloat16 */
    const uint32_t *seen;  /* (n_q): row i sees keys 0 ... seen[i] - 1. Never falls, since positions rise: whatever the
                              layout of the shards, a mask is one number a row, and it comes from the host */
    float *out, *lse;      /* (pairs, n_q, d), (pairs, n_q) */
    float *scores;         /* naive alone: (n_q, n_k) */
    uint32_t pairs, group; /* pair p reads keys and values of pair p / group */
    uint32_t n_q, n_k, d;  /* d: as it lies on the device, filled up with zeros to gpu_width() */
    float scale;           /* > 0, see gpu_scale() */
    bool bf16;
    bool merge; /* the result is merged into what stands in out and lse; else it replaces it */
};

/* ---- tiles: one block of threads has one tile of queries of one pair -------------------------------------------- */

#define TENSOR_ROWS    128u /* queries of a tile: 4 warps of 32 */
#define TENSOR_KEYS    64u
#define TENSOR_THREADS 128u
#define SHARED_LIMIT   (163u * 1024u) /* of a block on compute capability 8.0; on 9.0 it is 227 KiB */

/* The flash kernel has as many keys in a tile as queries, and four threads a query. */
BOTH size_t flash_shared_of(uint32_t rows, uint32_t d)
{
    return sizeof(float) * rows * (4 * (size_t)(d | 1) + rows + 1);
}
BOTH uint32_t flash_rows(uint32_t d)
{
    uint32_t rows = 32;
    while (rows > 8 && flash_shared_of(rows, d) > SHARED_LIMIT) /* 8 are enough for AT_MAX_D */
        rows /= 2;
    return rows;
}

#define SOFTMAX_THREADS 256u

struct gpu_tiles {
    uint32_t rows, keys, threads, tiles; /* of queries and of keys in a tile; tiles of a pair */
    size_t shared;                       /* bytes a block */
};

BOTH struct gpu_tiles gpu_tiles(enum gpu_rung rung, uint32_t n_q, uint32_t d)
{
    struct gpu_tiles t;
    t.rows = rung == GPU_TENSOR ? TENSOR_ROWS : rung == GPU_FLASH ? flash_rows(d) : 1;
    t.keys = rung == GPU_TENSOR ? TENSOR_KEYS : t.rows;
    t.threads = rung == GPU_TENSOR ? TENSOR_THREADS : rung == GPU_FLASH ? 4 * t.rows : SOFTMAX_THREADS;
    t.tiles = n_q / t.rows + (n_q % t.rows != 0);
    t.shared = rung == GPU_TENSOR  ? (size_t)(TENSOR_ROWS + 2 * t.keys) * d * 2
               : rung == GPU_FLASH ? flash_shared_of(t.rows, d)
                                   : sizeof(float) * SOFTMAX_THREADS;
    return t;
}

/* A pair's tiles stand together, so that its keys stay in L2; the last one, which has most to do when causal, is first. */
BOTH uint32_t gpu_tile_of(uint32_t block, uint32_t tiles)
{
    return tiles - 1 - block % tiles;
}

/* Blocks of keys that a tile of queries meets: those that its last row sees some of. */
BOTH uint32_t gpu_blocks_of_keys(const uint32_t *seen, uint32_t n_q, uint32_t first, uint32_t rows, uint32_t keys)
{
    uint32_t last = n_q - first < rows ? n_q - 1 : first + rows - 1;
    return seen[last] / keys + (seen[last] % keys != 0);
}

/* Numbers a row has on the device; 0: the rung has no kernel for it. */
BOTH uint32_t gpu_width(enum gpu_rung rung, uint32_t d, bool bf16)
{
    if (rung != GPU_TENSOR)
        return d;
    return !bf16 || d > 128 ? 0 : d > 64 ? 128 : 64;
}

/* Kernels want a scale above zero, since then the largest product has the largest score. A negative one changes the
 * sign of the queries instead; one too small for a float's full precision is zero, for which the queries become zeros. */
struct gpu_scale {
    float scale;
    float queries; /* -1, 0, 1: what to multiply them with */
};
BOTH struct gpu_scale gpu_scale(float scale)
{
    struct gpu_scale s = {scale, 1};
    if (scale < 0) {
        s.scale = -scale;
        s.queries = -1;
    }
    if (s.scale < 1e-37f) {
        s.scale = 1;
        s.queries = 0;
    }
    return s;
}

#endif
