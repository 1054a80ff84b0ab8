/* A wrong answer to blockwise: its author believed that it does not matter which part has the work.
 *
 * The first part has all of it, and the threads of the others are idle.
 */
#include "blocks.h"

static void rows(uint32_t n, uint32_t part, uint32_t parts, uint32_t *first, uint32_t *end)
{
    (void)parts;
    *first = 0;
    *end = part == 0 ? n : 0;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.rows = rows;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
