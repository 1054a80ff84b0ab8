/* A wrong answer to jump: its author believed that the nodes of a map are counted by their numbers.
 *
 * Whoever joins with a small number pushes all others one further, and their keys with them.
 */
#include "jump.h"

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct jump *j = map;
    return j->nodes.count ? j->nodes.list[jump_bucket(key, j->nodes.count)].id : CH_NONE;
}

static const struct ch_ops ops = {.create = jump_create,
                                  .destroy = jump_destroy,
                                  .add = jump_add,
                                  .remove = jump_remove,
                                  .lookup = lookup,
                                  .bytes = jump_bytes,
                                  .can = CH_MONOTONE};
CH_ENTRY(jump, "jump", "jump with a mistake", &ops);
