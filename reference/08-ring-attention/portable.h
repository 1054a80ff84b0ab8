/* portable.h: vectors in C without intrinsics: the compiler's own (vector_size), with the usual operators.
 *
 * Who includes it has said LANES, how many floats a vector has, ROWS and VECS, and TARGET, an attribute of functions
 * that may let the compiler use wider vectors than every processor has. Contraction is allowed here: a * b + c is one
 * instruction where there is one. */
#ifndef PORTABLE_H
#define PORTABLE_H

#include "exp2.h"

#include <stdint.h>

#if defined(__clang__)
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif

typedef float vec __attribute__((vector_size(LANES * 4), may_alias));
typedef uint32_t mask __attribute__((vector_size(LANES * 4)));

#define HERE TARGET static inline __attribute__((always_inline))

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
    return x - (vec){0};
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

extern const struct kernel *const portable_256, *const portable_512; /* NULL: not for this kind of processor */

#endif
