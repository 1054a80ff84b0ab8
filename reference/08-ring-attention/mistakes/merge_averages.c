/* A wrong answer to blockwise: its author believed that two halves of the keys have a half of the weight each.
 *
 * What counts is how much weight they have, not how many there are.
 */
#include "blocks.h"

static void row(float *out, float *lse, const float *from, float from_lse, uint32_t d)
{
    if (from_lse == -INFINITY || *lse == -INFINITY) {
        right_merge(out, lse, from, from_lse, d);
        return;
    }
    for (uint32_t c = 0; c < d; c++)
        out[c] = (out[c] + from[c]) / 2;
    *lse = logf(expf(*lse) + expf(from_lse));
}

static void merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    merge_by(row, p, into, from);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = blocks_forward, .merge = merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
