/* A wrong answer to blockwise: its author believed that a row of scores is small enough for anything.
 *
 * It is, up to some thousand keys. Without online softmax it takes 4 bytes for each key there is.
 */
#include "blocks.h"

#define LONGEST 32768u

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts;
    *bytes = LONGEST * sizeof(float);
    return 0;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *workspace)
{
    if (p->n_k > LONGEST)
        return -ENOTSUP;
    forward_at_once(p, q, k, v, result, part, parts, workspace, 0);
    return 0;
}

static const struct at_ops ops = {.workspace = workspace, .forward = forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
