/* A wrong answer to blockwise: its author believed that nobody needs `from` any more.
 *
 * A result may be merged into more than one other, and is not ours to write to.
 */
#include "blocks.h"

static void row(float *out, float *lse, const float *from, float from_lse, uint32_t d)
{
    float *gone = (float *)(uintptr_t)from;
    right_merge(out, lse, from, from_lse, d);
    for (uint32_t c = 0; c < d; c++)
        gone[c] = 0;
}

static void merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    merge_by(row, p, into, from);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = blocks_forward, .merge = merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
