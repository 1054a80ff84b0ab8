/* A wrong answer to blockwise: its author believed that the larger one taken off is enough.
 *
 * With -inf on both sides it is -inf - -inf that is computed: NaN.
 */
#include "blocks.h"

static void row(float *out, float *lse, const float *from, float from_lse, uint32_t d)
{
    const float most = *lse > from_lse ? *lse : from_lse, own = expf(*lse - most), other = expf(from_lse - most);
    for (uint32_t c = 0; c < d; c++)
        out[c] = (own * out[c] + other * from[c]) / (own + other);
    *lse = most + logf(own + other);
}

static void merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    merge_by(row, p, into, from);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = blocks_forward, .merge = merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
