/* Blockwise with NEON: four lanes, and multiply-add in one instruction, on every arm64.
 *
 * Idea       blocks.c. Every arm64 has these vectors, and 32 of them, so there is nothing to ask at run time.
 * Invariant  That of rows.c, for each lane after each block.
 * Cost       32 registers: 6 x 4 sums, 4 of lanes, and the number that they are multiplied with. 10 loads for 24
 *            multiplications; a number comes into all four lanes with the load itself.
 * Gets wrong Only emulated so far, so its speed isn't known. Wider vectors (SVE) would want a kernel of their own.
 * Source     kernel.h, blocks.c.
 */
#if defined(__aarch64__)
#include "best.h"
#include "exp2.h"

#include <arm_neon.h>

typedef float32x4_t vec;

#define LANES 4u
#define ROWS  6u
#define VECS  4u
#define TARGET
#define HERE static inline __attribute__((always_inline))

HERE vec vec_load(const float *from)
{
    return vld1q_f32(from);
}
HERE void vec_store(float *to, vec x)
{
    vst1q_f32(to, x);
}
HERE vec vec_all(float x)
{
    return vdupq_n_f32(x);
}
HERE vec vec_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}
HERE vec vec_max(vec a, vec b)
{
    return vmaxq_f32(a, b);
}
HERE vec vec_exp2(vec x)
{
    vec low = vec_all(-126);
    uint32x4_t in = vcgeq_f32(x, low);
    x = vmaxq_f32(x, low);
    vec n = vrndnq_f32(x), f = vsubq_f32(x, n), p = vec_all(EXP2_P5);
    p = vec_fma(p, f, vec_all(EXP2_P4));
    p = vec_fma(p, f, vec_all(EXP2_P3));
    p = vec_fma(p, f, vec_all(EXP2_P2));
    p = vec_fma(p, f, vec_all(EXP2_P1));
    p = vec_fma(p, f, vec_all(EXP2_P0));
    p = vec_fma(p, f, vec_all(1));
    uint32x4_t up = vshlq_n_u32(vreinterpretq_u32_s32(vcvtq_s32_f32(n)), 23); /* the exponent goes up by n */
    return vreinterpretq_f32_u32(vandq_u32(vaddq_u32(vreinterpretq_u32_f32(p), up), in));
}

#include "kernel.h"

static const struct kernel *chosen(void)
{
    return &kernel;
}

#include "entry.h"

static bool here(void)
{
    return true;
}
#else
#include "best.h"
#include "problem.h"

#include "elsewhere.h"
#endif

const struct at_ops blockwise_neon_ops = {.workspace = workspace,
                                          .forward = forward,
                                          .merge = at_merge,
                                          .backward_workspace = backward_workspace,
                                          .backward = backward,
                                          .here = here,
                                          .limit = "flops-portable",
                                          .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(blockwise_neon, "blockwise-neon", "blockwise with NEON, four lanes", &blockwise_neon_ops);
