/* A wrong answer to blockwise: its author believed that a shard is one run of positions.
 *
 * With zigzag it is two, and rows of the second are far behind those of the first.
 */
#include "blocks.h"

static uint64_t position(const struct at_positions *at, uint32_t row)
{
    return at->run[0].first + at->run[0].step * row;
}

static bool sees(const struct at_problem *p, uint32_t i, uint32_t j)
{
    return !p->causal || position(&p->k, j) <= position(&p->q, i);
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
