/* Blockwise: blocks of keys and queries in the cache, portable C.
 *
 * Idea       blocks.c, in vectors of the compiler's own (portable.h). No intrinsic, and nothing left to the mood of an
 *            optimiser. The same C is compiled three times: for vectors of four floats, which every processor in use
 *            has, and for those of eight and sixteen that many have (portable_256.c, portable_512.c). Which one runs
 *            is asked at run time: a compiler must assume the oldest machine, a program need not.
 * Invariant  That of rows.c, for each lane after each block.
 * Cost       At d = 128, of the machine's own rate of multiply-add in the same run: 75 % with sixteen lanes (158
 *            GFLOP/s), 41 % with eight (98), 14 % with four (33). Within 2 % of the same kernels in intrinsics: the
 *            compiler wasn't what was missing, the width was.
 * Tried      Four lanes alone, without multiply-add: 13.9 %, whatever the tile: 2 x 4 sums, 3 x 3 as fast, 4 x 2 a
 *            tenth slower (a number takes two instructions before it is in all four lanes), 6 x 1 a quarter.
 *            Compiling functions for several machines with target_clones: helpers are lowered for the oldest machine
 *            before they are inlined, a number then takes nine instructions to get into eight lanes: 10 %.
 * Gets wrong Multiply-add rounds once where there is one, so last bits differ from machine to machine.
 * Source     kernel.h, blocks.c.
 */
#define LANES 4u
#define ROWS  2u
#define VECS  4u
#define TARGET
#include "portable.h"

static const struct kernel *chosen(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd"))
        return portable_512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
        return portable_256;
#endif
    return &kernel;
}

#include "entry.h"

const struct at_ops blockwise_ops = {.workspace = workspace,
                                     .forward = forward,
                                     .merge = at_merge,
                                     .backward_workspace = backward_workspace,
                                     .backward = backward,
                                     .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(blockwise, "blockwise", "blocks that stay in the cache, online softmax, portable C", &blockwise_ops);
