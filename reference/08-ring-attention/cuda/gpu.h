/* gpu.h: what benchmarks and tests ask of cuda.so beyond the contract: problems that stay on the device, times by the
 * device's own clock, and the ring over several ranks of one process.
 *
 *     void *so = dlopen(".../cuda.so", RTLD_NOW | RTLD_LOCAL);
 *     const struct at_gpu *gpu = so ? dlsym(so, AT_GPU_SYMBOL) : NULL;
 *     if (gpu && !gpu->missing()) ...
 *
 * 0 or -errno; complaint() has the device's own words for the last error of this thread. Not for a process that forks
 * after the first call. */
#ifndef CUDA_GPU_H
#define CUDA_GPU_H

#include "ring_attention.h"

#define AT_GPU_SYMBOL "at_gpu"

struct held;
struct at_gpu_ring;

struct at_gpu {
    const char *(*missing)(void); /* NULL: all is here. Else a sentence for the table */
    const char *(*complaint)(void);
    int (*name)(char *name, size_t size); /* of the device */

    /* A problem on the device, for an entry of this plugin: "cuda-naive", "cuda-flash", "cuda-tensor" (-ENOENT); or
     * "cudnn", which is to be compared with: bfloat16, no mask. -ENOTSUP as its workspace. forward: so many times in a row, and how long all of them took on the device. */
    int (*upload)(const char *entry, const struct at_problem *problem, const struct at_in *q, const struct at_in *k,
                  const struct at_in *v, struct held **out);
    int (*forward)(struct held *held, uint32_t times, double *seconds);
    int (*download)(struct held *held, const struct at_result *result);
    size_t (*bytes)(const struct held *held); /* of device memory: inputs, results, scores */
    void (*end)(struct held *held);

    /* n x n times n x n by cuBLAS, `times` times: 2 n^3 operations each. What a rung's rate is a share of. */
    int (*gemm)(uint32_t n, enum at_type type, uint32_t times, double *seconds);

    /* Whether cuDNN would take such a problem on a device that needn't be here, described in its own JSON. */
    int (*cudnn_plans)(const struct at_problem *problem, const char *device);

    /* The ring, all ranks in this process. q, k, v and the result are of the whole sequence, `total` rows; it is cut
     * and put together by the ring's layout. `devices` 1: all ranks are streams of one GPU; = ranks: NCCL, a GPU each
     * (-ENODEV: there are fewer). `blocks` and `partial` of the ring are not read: partial results are float32, merged
     * in the kernel. */
    int (*ring_upload)(const char *entry, const struct at_ring *ring, const struct at_in *q, const struct at_in *k,
                       const struct at_in *v, uint32_t devices, struct at_gpu_ring **out);
    int (*ring_forward)(struct at_gpu_ring *ring, uint32_t times, double *seconds);
    int (*ring_download)(struct at_gpu_ring *ring, const struct at_result *result);
    uint64_t (*ring_sent)(const struct at_gpu_ring *ring); /* bytes of keys and values by each rank, one forward */
    void (*ring_end)(struct at_gpu_ring *ring);
};

#endif
