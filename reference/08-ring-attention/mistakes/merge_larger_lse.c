/* A wrong answer to blockwise: its author believed that the log-sum-exp of both is the larger one's.
 *
 * That is true to a few digits when one side outweighs the other by far, and off by log(2) when they are alike.
 */
#include "blocks.h"

static void row(float *out, float *lse, const float *from, float from_lse, uint32_t d)
{
    const float most = *lse > from_lse ? *lse : from_lse;
    right_merge(out, lse, from, from_lse, d);
    *lse = most;
}

static void merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    merge_by(row, p, into, from);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = blocks_forward, .merge = merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
