/* A wrong answer to blockwise: its author believed that the mask is i >= j.
 *
 * Of rows that is true where both shards begin at the same token, and every token is there.
 */
#include "blocks.h"

static bool sees(const struct at_problem *p, uint32_t i, uint32_t j)
{
    return !p->causal || j <= i;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.sees = sees;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
