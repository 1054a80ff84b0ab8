/* cuda_launch.h: a launch, on emulated blocks of threads. */
#ifndef CUDA_LAUNCH_H
#define CUDA_LAUNCH_H

#include "cuda/work.h"
#include "cuda_lanes.h"

void launch_emulated(enum gpu_rung rung, const struct gpu_work *work, uint64_t seed, struct emulated *counts);

#endif
