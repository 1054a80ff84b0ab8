/* A wrong answer to blockwise: its author believed that d is a multiple of 8.
 *
 * It is, in every model there is; the contract says 1 to 1,024.
 */
#include "blocks.h"

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct at_problem less = *p;
    less.d = p->d / 8 * 8;
    return blocks_forward(&less, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
