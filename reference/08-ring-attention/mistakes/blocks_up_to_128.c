/* A wrong answer to blockwise: its author believed that no head is wider than 128.
 *
 * None in use is. The contract says 1,024, and there is nothing to be gained from less.
 */
#include "blocks.h"

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    return p->d > 128 ? -ENOTSUP : blocks_workspace(p, parts, bytes);
}

static const struct at_ops ops = {
    .workspace = workspace, .forward = blocks_forward, .merge = blocks_merge, .can = BLOCKS_CAN};
AT_ENTRY(blockwise, "blockwise", "blocks with a mistake", &ops);
