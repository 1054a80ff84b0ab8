/* A wrong answer to blockwise: its author believed that there are always whole blocks.
 *
 * The last block of keys is whatever is left.
 */
#include "blocks.h"

static uint32_t keys(const struct at_problem *p)
{
    return p->n_k / KEYS * KEYS;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.keys = keys;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
