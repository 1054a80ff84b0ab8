/* A wrong answer to jump: its author believed that a node in the middle can leave if the last one takes its place.
 *
 * It can, but then all keys of the last node move as well, and the answer depends on who left when. What an entry can't
 * do it refuses.
 */
#include "jump.h"

static int leave(void *map, uint32_t id)
{
    struct jump *j = map;
    const uint32_t last = j->nodes.count - 1;
    if (nodes_find(&j->nodes, id) == j->nodes.count)
        return -ENOENT;
    for (uint32_t i = 0; i < last; i++) {
        if (j->joined[i] == id)
            j->joined[i] = j->joined[last];
    }
    return nodes_remove(&j->nodes, id);
}

static const struct ch_ops ops = {.create = jump_create,
                                  .destroy = jump_destroy,
                                  .add = jump_add,
                                  .remove = leave,
                                  .lookup = jump_lookup,
                                  .bytes = jump_bytes,
                                  .can = CH_MONOTONE};
CH_ENTRY(jump, "jump", "jump with a mistake", &ops);
