/* A wrong answer to blockwise: its author believed that rows follow each other.
 *
 * They lie as far apart as the result says: behind each other, side by side with other heads, or padded.
 */
#include "blocks.h"

static void merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    const size_t rows = (size_t)p->batch * p->heads * p->n_q;
    for (size_t i = 0; i < rows; i++)
        right_merge(into->out.data + i * p->d, into->lse + i, from->out.data + i * p->d, from->lse[i], p->d);
}

static const struct at_ops ops = {
    .workspace = blocks_workspace, .forward = blocks_forward, .merge = merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
