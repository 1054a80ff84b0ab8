/* lanes.cuh: what kernels ask of the machine, as instructions of the GPU. tests/cuda_lanes.h has the same for a block of
 * threads that is emulated, so that the kernels' own text is tested where there is no GPU. */
#ifndef CUDA_LANES_CUH
#define CUDA_LANES_CUH

#include "fragments.h"

#include <math.h>
#include <math_constants.h>
#include <string.h>

#define DEVICE   static __device__ __forceinline__
#define UNROLL   _Pragma("unroll")
#define UNROLL_2 _Pragma("unroll 2")

DEVICE uint32_t thread_id()
{
    return threadIdx.x;
}
DEVICE void block_wait()
{
    __syncthreads();
}
DEVICE void warp_wait()
{
    __syncwarp();
}
DEVICE float lane_xor(float x, uint32_t mask)
{
    return __shfl_xor_sync(~0u, x, mask);
}
DEVICE bool any_lane(bool x)
{
    return __any_sync(~0u, x);
}

/* The 16 bytes `at` bytes behind `from`, to shared memory, without waiting and without registers. Zeros when they are
 * not `there`; then nothing is read. */
DEVICE void copy_16(uint32_t to, const void *from, size_t at, bool there)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to),
                 "l"(__cvta_generic_to_global(static_cast<const char *>(from) + at)), "r"(there ? 16 : 0)
                 : "memory");
}
DEVICE void copies_wait()
{
    asm volatile("cp.async.wait_all;" ::: "memory");
}

DEVICE void load_matrices(uint32_t *r, uint32_t at)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}
DEVICE void load_matrices_turned(uint32_t *r, uint32_t at)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}
DEVICE void multiply(float *c, const uint32_t *a, uint32_t b0, uint32_t b1)
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* 2^x to 22 bits, one instruction; 2^-inf is 0. */
DEVICE float power_of_two(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
DEVICE uint32_t two_bf16(float low, float high)
{
    uint32_t both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
}
DEVICE float from_bits(uint32_t bits)
{
    return __uint_as_float(bits);
}

#endif
