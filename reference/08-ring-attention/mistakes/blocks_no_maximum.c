/* A wrong answer to blockwise: its author believed that a maximum is a matter of taste.
 *
 * exp overflows from 89 on, and below -104 nothing is left.
 */
#include "blocks.h"

static void take(struct sums *s, const struct block *block, float *out, uint32_t d)
{
    s->most = 0;
    for (uint32_t n = 0; n < block->n; n++) {
        const float weight = expf(block->score[n]);
        s->sum += weight;
        add_row(out, weight, block->value[n], d);
    }
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.take = take;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
