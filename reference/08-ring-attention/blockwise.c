/* Blockwise: blocks of keys and queries in the cache, portable C.
 *
 * Idea       blocks.c, with vectors of four floats, which every processor in use has: the compiler's own
 *            (vector_size), with the usual operators. No intrinsic, and nothing left to the mood of an optimiser.
 * Invariant  That of rows.c, for each lane after each block.
 * Cost       16 registers: 2 x 4 vectors of sums, 4 of lanes, and what a product needs before it is added, since
 *            without contraction (and without FMA, on the oldest x86-64) that is two instructions. 4 x 2 is a tenth
 *            slower: on x86-64 a number takes two instructions before it is in all four lanes, so few numbers and
 *            many vectors are better; 3 x 3 is as fast, 6 x 1 a quarter slower.
 * Gets wrong The machine has wider vectors, and multiplies and adds in one: at most a quarter, or an eighth, of its
 *            speed.
 * Source     kernel.h, blocks.c.
 */
#include "best.h"
#include "exp2.h"

#include <stdint.h>

typedef float vec __attribute__((vector_size(16), may_alias));
typedef uint32_t mask __attribute__((vector_size(16)));

#define LANES 4u
#define ROWS  2u
#define VECS  4u
#define TARGET
#define HERE static inline __attribute__((always_inline))

HERE vec vec_load(const float *from)
{
    return *(const vec *)(const void *)from;
}
HERE void vec_store(float *to, vec x)
{
    *(vec *)(void *)to = x;
}
HERE vec vec_all(float x)
{
    return (vec){x, x, x, x};
}
HERE vec vec_fma(vec a, vec b, vec c)
{
    return a * b + c;
}
HERE vec vec_either(mask which, vec a, vec b)
{
    return (vec)((which & (mask)a) | (~which & (mask)b));
}
HERE vec vec_max(vec a, vec b)
{
    return vec_either((mask)(a > b), a, b);
}
HERE vec vec_exp2(vec x)
{
    vec low = vec_all(-126), round = vec_all(EXP2_ROUND);
    mask in = (mask)(x >= low);
    x = vec_either(in, x, low);
    vec n = x + round;
    vec f = x - (n - round), p = vec_all(EXP2_P5);
    p = p * f + EXP2_P4;
    p = p * f + EXP2_P3;
    p = p * f + EXP2_P2;
    p = p * f + EXP2_P1;
    p = p * f + EXP2_P0;
    p = p * f + 1;
    return (vec)(((mask)p + ((mask)n << 23)) & in); /* the exponent goes up by n */
}

#include "kernel.h"

const struct at_ops blockwise_ops = {.workspace = workspace,
                                     .forward = forward,
                                     .merge = at_merge,
                                     .backward_workspace = backward_workspace,
                                     .backward = backward,
                                     .can = AT_CAUSAL | AT_TAKES_BF16 | AT_CONSTANT};
AT_ENTRY(blockwise, "blockwise", "blocks that stay in the cache, online softmax, portable C", &blockwise_ops);
