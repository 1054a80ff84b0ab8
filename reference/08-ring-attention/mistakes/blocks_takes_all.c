/* A wrong answer to blockwise: its author believed that memory which nobody is asked for does not count.
 *
 * The matrix again, this time behind the caller's back: he can't know the peak, nor say no.
 */
#include "blocks.h"

#include <stdlib.h>

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts;
    *bytes = 0;
    return 0;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    float *matrix = malloc((size_t)p->n_q * p->n_k * sizeof *matrix + 1);
    (void)workspace;
    if (!matrix)
        return -ENOMEM;
    forward_at_once(p, q, k, v, result, part, parts, matrix, p->n_k);
    free(matrix);
    return 0;
}

static const struct at_ops ops = {.workspace = workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
