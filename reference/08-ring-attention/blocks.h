/* blocks.h: blockwise attention around a kernel; blocks.c has the essay.
 *
 * A kernel is three loops over a panel: `width` queries, one in each lane of its vectors. Numbers of a panel lie with
 * the query last: element (x, query) is at x * width + query. */
#ifndef BLOCKS_H
#define BLOCKS_H

#include "problem.h"

#define BLOCK_KEYS 96u /* with a panel of 48 queries 18 KiB of scores: they and the queries share L1 */

struct kernel {
    uint32_t width;
    /* s (keys, width) = keys times queries. `k` has rows of d numbers, `row` apart; q is (d, width). */
    void (*scores)(const float *k, size_t row, uint32_t keys, uint32_t d, const float *q, float *s);
    /* In place, lane by lane: s becomes 2^(s - m), with m the largest score so far; l, the sum of all that, is brought
     * up to date; `shrink` is what everything summed before must be multiplied with. */
    void (*weights)(float *s, uint32_t keys, float *m, float *l, float *shrink);
    /* o (d, width) = o x shrink + values times weights. */
    void (*values)(const float *v, size_t row, uint32_t keys, uint32_t d, const float *weights, const float *shrink,
                   float *o);
};

int blocks_workspace(const struct kernel *kernel, const struct at_problem *problem, uint32_t parts, size_t *bytes);
int blocks_forward(const struct kernel *kernel, const struct at_problem *problem, const struct at_in *q,
                   const struct at_in *k, const struct at_in *v, const struct at_result *result, uint32_t part,
                   uint32_t parts, void *workspace);

#endif
