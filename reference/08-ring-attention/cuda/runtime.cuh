/* runtime.cuh: for *.cu: errors of CUDA's runtime as errno, and libraries that are there or not. */
#ifndef CUDA_RUNTIME_CUH
#define CUDA_RUNTIME_CUH

#include "device.h"

#include <cuda_runtime.h>

int device_code(cudaError_t error);
int device_complain(int code, const char *what); /* keeps the sentence for device_complaint; returns `code` */
void *device_symbol(const char *library, const char *name); /* NULL when the library isn't there, or hasn't got it */

extern "C" int device_naive(const struct gpu_work *w, const struct gpu_tiles *t, void *stream);
extern "C" int device_flash(const struct gpu_work *w, const struct gpu_tiles *t, uint32_t blocks, void *stream);
extern "C" int device_tensor(const struct gpu_work *w, const struct gpu_tiles *t, uint32_t blocks, void *stream);

#endif
