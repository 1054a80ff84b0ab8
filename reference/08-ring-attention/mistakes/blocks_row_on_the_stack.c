/* A wrong answer to blockwise: its author believed that the stack is nobody's memory.
 *
 * A row of scores again, in an array of variable length. It is gone where the stack ends.
 */
#include "blocks.h"

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts;
    *bytes = 0;
    return 0;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    float score[p->n_k + 1];
    (void)workspace;
    forward_at_once(p, q, k, v, result, part, parts, score, 0);
    return 0;
}

static const struct at_ops ops = {.workspace = workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
