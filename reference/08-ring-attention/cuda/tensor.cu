/* tensor.cu: starts the kernel of tensor_kernel.h. */
#include "lanes.cuh"
#include "merge_rows.h"
#include "runtime.cuh"

#define HEAD 64
#include "tensor_kernel.h"
#undef HEAD
#define HEAD 128
#include "tensor_kernel.h"
#undef HEAD

extern __shared__ __align__(128) unsigned char room[];

__global__ void __launch_bounds__(TENSOR_THREADS, 2) tensor_64(const __grid_constant__ gpu_work w, uint32_t tiles)
{
    tensor_block_64(&w, gpu_tile_of(blockIdx.x, tiles), blockIdx.x / tiles,
                    static_cast<uint32_t>(__cvta_generic_to_shared(room)));
}

__global__ void __launch_bounds__(TENSOR_THREADS, 2) tensor_128(const __grid_constant__ gpu_work w, uint32_t tiles)
{
    tensor_block_128(&w, gpu_tile_of(blockIdx.x, tiles), blockIdx.x / tiles,
                     static_cast<uint32_t>(__cvta_generic_to_shared(room)));
}

extern "C" int device_tensor(const struct gpu_work *w, const struct gpu_tiles *t, uint32_t blocks, void *stream)
{
    void (*kernel)(gpu_work, uint32_t) = w->d == 64 ? tensor_64 : tensor_128;
    int code = device_code(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(t->shared)));
    if (code)
        return code;
    kernel<<<blocks, t->threads, t->shared, static_cast<cudaStream_t>(stream)>>>(*w, t->tiles);
    return device_code(cudaGetLastError());
}
