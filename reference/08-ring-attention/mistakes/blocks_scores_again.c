/* A wrong answer to blockwise: its author believed that it is simplest to compute one column after the other.
 *
 * The scores have nothing to do with the column: they are computed d times over.
 */
#include "blocks.h"

/* A column as a problem of its own: its values lie in rows of 1. */
static void column(const struct at_problem *p, const float *q, const struct at_in *k, const struct at_in *v, uint32_t b,
                   uint32_t kv, uint32_t i, uint32_t c, float *out, float *lse)
{
    struct sums s = {-INFINITY, 0};
    struct block block = {.n = 1};
    *out = 0;
    for (uint32_t j = 0; j < p->n_k; j++) {
        if (!right_sees(p, i, j))
            continue;
        block.score[0] = right_score(p, q, right_row(p, k, b, kv, j), i, j);
        block.value[0] = right_row(p, v, b, kv, j) + c;
        right_take(&s, &block, out, 1);
    }
    right_finish(&s, out, lse, 1);
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    uint32_t first, end;
    (void)workspace;
    right_rows(p->n_q, part, parts, &first, &end);
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = first; i < end; i++)
                for (uint32_t c = 0; c < p->d; c++)
                    column(p, right_row(p, q, b, h, i), k, v, b, right_kv_head(p, h), i, c,
                           out_row(&result->out, b, h, i) + c, lse_of(p, result, b, h, i));
    return 0;
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
