/* Blockwise with AVX-512: sixteen lanes, and twice as many registers.
 *
 * Idea       blocks.c, with a panel of 48 queries.
 * Invariant  That of rows.c, for each lane after each block.
 * Cost       32 registers: 8 x 3 sums, 3 of lanes; the numbers they are multiplied with come out of memory with the
 *            multiplication or before it. 11 loads for 24 multiplications.
 *            163 GFLOP/s at d = 128 and 164 at 64: 76 % of the machine's rate of multiply-add in the same run (median).
 * Tried      Blocks of 64, 96 and 128 keys: 96 and 128 are as fast at d = 128, from 192 on L1 overflows and
 *            speed is lost. Values copied so that they are read from end to end: no gain.
 * Gets wrong A clock that falls under heavy AVX-512, on some processors so much that AVX2 is as fast.
 * Source     kernel.h, blocks.c.
 */
#if defined(__x86_64__)
#include "best.h"
#include "exp2.h"

#include <immintrin.h>

typedef __m512 vec;

#define LANES  16u
#define ROWS   8u
#define VECS   3u
#define TARGET __attribute__((target("avx512f")))
#define HERE   TARGET static inline __attribute__((always_inline))

HERE vec vec_load(const float *from)
{
    return _mm512_load_ps(from);
}
HERE void vec_store(float *to, vec x)
{
    _mm512_store_ps(to, x);
}
HERE vec vec_all(float x)
{
    return _mm512_set1_ps(x);
}
HERE vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}
HERE vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}
HERE vec vec_exp2(vec x)
{
    vec n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    vec f = x - n, p = vec_all(EXP2_P5);
    p = vec_fma(p, f, vec_all(EXP2_P4));
    p = vec_fma(p, f, vec_all(EXP2_P3));
    p = vec_fma(p, f, vec_all(EXP2_P2));
    p = vec_fma(p, f, vec_all(EXP2_P1));
    p = vec_fma(p, f, vec_all(EXP2_P0));
    p = vec_fma(p, f, vec_all(1));
    /* What would be denormal becomes 0: each multiplication with such a weight would take a hundred cycles. */
    return _mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, vec_all(-126), _CMP_GE_OQ), p, n);
}

#include "kernel.h"

static const struct kernel *chosen(void)
{
    return &kernel;
}

#include "entry.h"

static bool here(void)
{
    return __builtin_cpu_supports("avx512f");
}
#else
#include "best.h"
#include "problem.h"

#include "elsewhere.h"
#endif

const struct at_ops blockwise_avx512_ops = {.workspace = workspace,
                                            .forward = forward,
                                            .merge = at_merge,
                                            .backward_workspace = backward_workspace,
                                            .backward = backward,
                                            .here = here,
                                            .limit = "flops-avx512",
                                            .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(blockwise_avx512, "blockwise-avx512", "blockwise with AVX-512, panels of 48 queries", &blockwise_avx512_ops);
