/* kernel.h: the loops of a kernel, for vectors of any width.
 *
 * Who includes it has said before: `vec` and LANES; ROWS x VECS vectors of sums that fit into registers, with room for
 * VECS more and one; TARGET, the attribute that lets the compiler use the machine; and vec_load, vec_store, vec_all,
 * vec_fma(a, b, c) = a b + c, vec_max, vec_exp2 for what is not positive, -inf included.
 *
 * Products are tiles: ROWS numbers, each times VECS vectors of lanes, summed over the depth. A tile of R x V loads
 * R + V times for R V multiplications, and has R V sums that don't wait for each other: both should be as many as the
 * registers allow. */
#ifndef KERNEL_H
#define KERNEL_H

#include "blocks.h"

#define WIDTH (LANES * VECS)
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* c (rows, WIDTH) = a (rows, depth) times b (depth, WIDTH). If it is to keep what c holds, that is added, first
 * multiplied with `shrink` lane by lane, unless that is NULL. */
HERE void tile(const unsigned rows, const float *a, size_t a_row, size_t a_step, const float *b, uint32_t depth,
               float *c, const bool keep, const float *shrink)
{
    vec sum[ROWS][VECS];
    UNROLL for (unsigned r = 0; r < rows; r++) UNROLL for (unsigned n = 0; n < VECS; n++) sum[r][n] = vec_all(0);
    for (uint32_t i = 0; i < depth; i++, a += a_step, b += WIDTH) {
        vec lane[VECS];
        UNROLL for (unsigned n = 0; n < VECS; n++) lane[n] = vec_load(b + n * LANES);
        UNROLL for (unsigned r = 0; r < rows; r++)
        {
            vec one = vec_all(a[r * a_row]);
            UNROLL for (unsigned n = 0; n < VECS; n++) sum[r][n] = vec_fma(one, lane[n], sum[r][n]);
        }
    }
    UNROLL for (unsigned r = 0; r < rows; r++) UNROLL for (unsigned n = 0; n < VECS; n++)
    {
        float *to = c + r * WIDTH + n * LANES;
        if (keep)
            sum[r][n] = vec_fma(vec_load(to), shrink ? vec_load(shrink + n * LANES) : vec_all(1), sum[r][n]);
        vec_store(to, sum[r][n]);
    }
}

TARGET static void scores(const float *k, size_t row, uint32_t keys, uint32_t d, const float *q, float *s)
{
    uint32_t j = 0;
    for (; j + ROWS <= keys; j += ROWS)
        tile(ROWS, k + j * row, row, 1, q, d, s + j * WIDTH, false, NULL);
    for (; j < keys; j++)
        tile(1, k + j * row, row, 1, q, d, s + j * WIDTH, false, NULL);
}

TARGET static void weights(float *s, uint32_t keys, float *m, float *l, float *shrink)
{
    vec top[VECS], sum[VECS];
    UNROLL for (unsigned n = 0; n < VECS; n++) top[n] = vec_load(m + n * LANES);
    for (uint32_t j = 0; j < keys; j++)
        UNROLL for (unsigned n = 0; n < VECS; n++) top[n] = vec_max(top[n], vec_load(s + j * WIDTH + n * LANES));
    UNROLL for (unsigned n = 0; n < VECS; n++)
    {
        vec less = vec_exp2(vec_load(m + n * LANES) - top[n]); /* the first time 2^-inf */
        vec_store(shrink + n * LANES, less);
        vec_store(m + n * LANES, top[n]);
        sum[n] = vec_load(l + n * LANES) * less;
    }
    for (uint32_t j = 0; j < keys; j++)
        UNROLL for (unsigned n = 0; n < VECS; n++)
        {
            vec weight = vec_exp2(vec_load(s + j * WIDTH + n * LANES) - top[n]);
            vec_store(s + j * WIDTH + n * LANES, weight);
            sum[n] += weight;
        }
    UNROLL for (unsigned n = 0; n < VECS; n++) vec_store(l + n * LANES, sum[n]);
}

TARGET static void values(const float *v, size_t row, uint32_t keys, uint32_t d, const float *weight,
                          const float *shrink, float *o)
{
    uint32_t c = 0;
    for (; c + ROWS <= d; c += ROWS)
        tile(ROWS, v + c, 1, row, weight, keys, o + c * WIDTH, true, shrink);
    for (; c < d; c++)
        tile(1, v + c, 1, row, weight, keys, o + c * WIDTH, true, shrink);
}

TARGET static void slopes(float *s, float *slope, uint32_t keys, const float *lse, const float *delta)
{
    for (uint32_t j = 0; j < keys; j++, s += WIDTH, slope += WIDTH)
        UNROLL for (unsigned n = 0; n < VECS; n++)
        {
            vec weight = vec_exp2(vec_load(s + n * LANES) - vec_load(lse + n * LANES));
            vec_store(s + n * LANES, weight);
            vec_store(slope + n * LANES, weight * (vec_load(slope + n * LANES) - vec_load(delta + n * LANES)));
        }
}

TARGET static void outer(const float *a, uint32_t keys, const float *b, uint32_t columns, float *c)
{
    for (uint32_t first = 0; first < columns; first += WIDTH, b += WIDTH * WIDTH, c += keys * WIDTH) {
        uint32_t j = 0;
        for (; j + ROWS <= keys; j += ROWS)
            tile(ROWS, a + j * WIDTH, WIDTH, 1, b, WIDTH, c + j * WIDTH, true, NULL);
        for (; j < keys; j++)
            tile(1, a + j * WIDTH, WIDTH, 1, b, WIDTH, c + j * WIDTH, true, NULL);
    }
}

static const struct kernel kernel = {WIDTH, scores, weights, values, slopes, outer};

#endif
