/* A wrong answer to blockwise: its author believed that -inf as a score takes care of itself.
 *
 * It does next to a score that is finite. Where all are -inf, the largest is, and -inf - -inf is NaN.
 */
#include "blocks.h"

static bool sees_all(const struct at_problem *p, uint32_t i, uint32_t j)
{
    (void)p, (void)i, (void)j;
    return true;
}

static float score(const struct at_problem *p, const float *q, const float *k, uint32_t i, uint32_t j)
{
    return right_sees(p, i, j) ? right_score(p, q, k, i, j) : -INFINITY;
}

static void take(struct sums *s, const struct block *block, float *out, uint32_t d)
{
    const float most = largest(s->most, block), factor = expf(s->most - most);
    s->most = most;
    s->sum *= factor;
    scale_row(out, factor, d);
    for (uint32_t n = 0; n < block->n; n++) {
        const float weight = expf(block->score[n] - most);
        s->sum += weight;
        add_row(out, weight, block->value[n], d);
    }
}

static void finish(const struct sums *s, float *out, float *lse, uint32_t d)
{
    *lse = s->most + logf(s->sum);
    scale_row(out, 1 / s->sum, d);
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    struct pieces pieces = right;
    pieces.sees = sees_all;
    pieces.score = score;
    pieces.take = take;
    pieces.finish = finish;
    return forward_by(&pieces, p, q, k, v, result, part, parts, workspace);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
