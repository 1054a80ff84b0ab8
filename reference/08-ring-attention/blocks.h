/* blocks.h: blockwise attention around a kernel; blocks.c has the essay.
 *
 * A kernel is a few loops over a panel: `width` queries, one in each lane of its vectors. Numbers of a panel lie with
 * the query last: element (x, query) is at x * width + query. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "problem.h"

#define LN2        0.693147180559945309417
#define BLOCK_KEYS 96u /* with a panel of 48 queries 18 KiB of scores: they and the queries share L1 */

struct kernel {
    uint32_t width;
    /* s (keys, width) = keys times queries. `k` has rows of d numbers, `row` apart; q is (d, width). */
    void (*scores)(const float *k, size_t row, uint32_t keys, uint32_t d, const float *q, float *s);
    /* In place, lane by lane: s becomes 2^(s - m), with m the largest score so far; l, the sum of all that, is brought
     * up to date; `shrink` is what everything summed before must be multiplied with. */
    void (*weights)(float *s, uint32_t keys, float *m, float *l, float *shrink);
    /* o (d, width) = o x shrink + values times weights; shrink NULL: x 1. */
    void (*values)(const float *v, size_t row, uint32_t keys, uint32_t d, const float *weights, const float *shrink,
                   float *o);
    /* Backward, in place, lane by lane: s becomes the weights 2^(s - lse), and slopes, which come in as the slopes of
     * the weights, those of the scores: weight x (slope - delta). */
    void (*slopes)(float *s, float *slopes, uint32_t keys, const float *lse, const float *delta);
    /* c (keys, columns) += a (keys, width) times b (width, columns). Columns of b and c lie in groups of `width`, one
     * group behind the other. */
    void (*outer)(const float *a, uint32_t keys, const float *b, uint32_t columns, float *c);
};

int blocks_workspace(const struct kernel *kernel, const struct at_problem *problem, uint32_t parts, size_t *bytes);
int blocks_forward(const struct kernel *kernel, const struct at_problem *problem, const struct at_in *q,
                   const struct at_in *k, const struct at_in *v, const struct at_result *result, uint32_t part,
                   uint32_t parts, void *workspace);
int blocks_backward_workspace(const struct kernel *kernel, const struct at_problem *problem, uint32_t parts,
                              size_t *bytes);
int blocks_backward(const struct kernel *kernel, const struct at_problem *problem, const struct at_in *q,
                    const struct at_in *k, const struct at_in *v, const struct at_result *result,
                    const struct at_in *d_out, const struct at_gradients *gradients, uint32_t part, uint32_t parts,
                    void *workspace);

/* For both: rows first ... first + keys - 1 as float32: where they lie, or widened into `room`. *row: how far apart. */
const float *blocks_rows(const struct at_problem *problem, const struct at_in *t, uint32_t b, uint32_t kv,
                         uint32_t first, uint32_t keys, float *room, size_t *row);

static inline size_t blocks_lines(size_t floats)
{
    return (floats + 15) & ~(size_t)15; /* whole lines of AT_ALIGN bytes */
}

#endif
