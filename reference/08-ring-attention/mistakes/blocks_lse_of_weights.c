/* A wrong answer to blockwise: its author believed that the log-sum-exp is the logarithm of the sum of weights.
 *
 * Weights are relative to the largest score, which has to be added again.
 */
#include "blocks.h"

static void finish(const struct sums *s, float *out, float *lse, uint32_t d)
{
    right_finish(s, out, lse, d);
    if (s->sum > 0)
        *lse = logf(s->sum);
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.finish = finish;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
