/* flash.cu: starts the kernel of flash_kernel.h. */
#include "lanes.cuh"
#include "merge_rows.h"
#include "runtime.cuh"

#include "flash_kernel.h"

__global__ void __launch_bounds__(128) flash(const __grid_constant__ gpu_work w, uint32_t tiles)
{
    extern __shared__ float room[];
    flash_block(&w, gpu_tile_of(blockIdx.x, tiles), blockIdx.x / tiles, room);
}

extern "C" int device_flash(const struct gpu_work *w, const struct gpu_tiles *t, uint32_t blocks, void *stream)
{
    int code = device_code(
        cudaFuncSetAttribute(flash, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(t->shared)));
    if (code)
        return code;
    flash<<<blocks, t->threads, t->shared, static_cast<cudaStream_t>(stream)>>>(*w, t->tiles);
    return device_code(cudaGetLastError());
}
