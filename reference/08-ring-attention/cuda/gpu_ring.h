/* gpu_ring.h: gpu.h's ring, for gpu.c. */
#ifndef CUDA_GPU_RING_H
#define CUDA_GPU_RING_H

#include "cuda/device.h"
#include "cuda/gpu.h"

int gpu_ring_upload(enum gpu_rung rung, const struct at_ring *ring, const struct at_in *q, const struct at_in *k,
                    const struct at_in *v, uint32_t devices, struct at_gpu_ring **out);
int gpu_ring_forward(struct at_gpu_ring *ring, uint32_t times, double *seconds);
int gpu_ring_download(struct at_gpu_ring *ring, const struct at_result *result);
uint64_t gpu_ring_sent(const struct at_gpu_ring *ring);
void gpu_ring_end(struct at_gpu_ring *ring);

#endif
