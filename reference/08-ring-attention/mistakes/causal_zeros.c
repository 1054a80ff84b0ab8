/* A wrong answer to blockwise: its author believed that a masked score is 0.
 *
 * exp(0) is 1: a key with score 0 counts as much as any other. It is the weight that has to be 0.
 */
#include "blocks.h"

static bool sees_all(const struct at_problem *p, uint32_t i, uint32_t j)
{
    (void)p, (void)i, (void)j;
    return true;
}

static float score(const struct at_problem *p, const float *q, const float *k, uint32_t i, uint32_t j)
{
    return right_sees(p, i, j) ? right_score(p, q, k, i, j) : 0;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.sees = sees_all;
    pieces.score = score;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
