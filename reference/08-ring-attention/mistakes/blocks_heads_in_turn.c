/* A wrong answer to blockwise: its author believed that heads of keys are dealt out in turn.
 *
 * Neighbours share one: heads 0 and 1 have the first, 2 and 3 the second.
 */
#include "blocks.h"

static uint32_t kv_head(const struct at_problem *p, uint32_t head)
{
    return head % p->kv_heads;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.kv_head = kv_head;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
