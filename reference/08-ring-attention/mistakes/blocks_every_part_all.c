/* A wrong answer to blockwise: its author believed that parts are somebody else's business.
 *
 * Each part computes every row: the right numbers, `parts` times, and each thread writes where all others do.
 */
#include "blocks.h"

static void rows(uint32_t n, uint32_t part, uint32_t parts, uint32_t *first, uint32_t *end)
{
    (void)part, (void)parts;
    *first = 0;
    *end = n;
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
