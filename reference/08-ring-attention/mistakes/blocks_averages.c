/* A wrong answer to blockwise: its author believed that the mean of the blocks' softmaxes is the softmax of all.
 *
 * Each block is as if it had all the weight; a block of small scores then counts as much as one of large ones.
 */
#include "blocks.h"

/* `sum` is how many blocks there were, `most` the log-sum-exp, which is right. */
static void take(struct sums *s, const struct block *block, float *out, uint32_t d)
{
    const float most = largest(-INFINITY, block);
    float sum = expf(block->score[0] - most);
    for (uint32_t n = 1; n < block->n; n++)
        sum += expf(block->score[n] - most);
    for (uint32_t n = 0; n < block->n; n++)
        add_row(out, expf(block->score[n] - most) / sum, block->value[n], d);
    const float lse = most + logf(sum), high = lse > s->most ? lse : s->most;
    s->most = high + logf(expf(lse - high) + expf(s->most - high));
    s->sum++;
}

static void finish(const struct sums *s, float *out, float *lse, uint32_t d)
{
    *lse = s->most;
    if (s->sum > 0)
        scale_row(out, 1 / s->sum, d);
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.take = take;
    pieces.finish = finish;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
