/* A wrong answer to blockwise: its author believed that a scale is always 1 / sqrt(d).
 *
 * It usually is; what it is stands in the problem.
 */
#include "blocks.h"

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct at_problem usual = *p;
    usual.scale = 1 / sqrtf((float)p->d);
    return blocks_forward(&usual, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
