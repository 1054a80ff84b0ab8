/* A wrong answer to blockwise: its author believed that the number of parts divides the number of rows.
 *
 * What is left over is nobody's; with more parts than rows that is all of them.
 */
#include "blocks.h"

static void rows(uint32_t n, uint32_t part, uint32_t parts, uint32_t *first, uint32_t *end)
{
    *first = n / parts * part;
    *end = *first + n / parts;
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
