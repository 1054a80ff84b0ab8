/* A wrong answer to blockwise: its author believed that a formula can be computed as it is written.
 *
 * exp(lse) is the sum of all weights. From 89 on a float32 can't hold it, and below -104 it is 0.
 */
#include "blocks.h"

static void row(float *out, float *lse, const float *from, float from_lse, uint32_t d)
{
    if (from_lse == -INFINITY || *lse == -INFINITY) {
        right_merge(out, lse, from, from_lse, d);
        return;
    }
    const float own = expf(*lse), other = expf(from_lse);
    for (uint32_t c = 0; c < d; c++)
        out[c] = (own * out[c] + other * from[c]) / (own + other);
    *lse = logf(own + other);
}

static void merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    merge_by(row, p, into, from);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = blocks_forward, .merge = merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
