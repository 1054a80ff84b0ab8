/* A wrong answer to blockwise: its author believed that the next row begins where a row ends.
 *
 * Rows of one head lie apart where heads take turns, or where a row is padded.
 */
#include "blocks.h"

static const float *row(const struct at_problem *p, const struct at_in *t, uint32_t b, uint32_t h, uint32_t i)
{
    return (const float *)t->data + b * t->batch + h * t->head + (size_t)i * p->d;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.row = row;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
