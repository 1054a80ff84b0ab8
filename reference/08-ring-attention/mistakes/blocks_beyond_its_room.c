/* A wrong answer to blockwise: its author believed that a workspace has room for whatever is put there.
 *
 * It has as many bytes as were asked for. What lies behind belongs to somebody else.
 */
#include "blocks.h"

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts;
    *bytes = KEYS * sizeof(float); /* and the pointers? */
    return 0;
}

static const struct at_ops ops = {
    .workspace = workspace, .forward = blocks_forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
