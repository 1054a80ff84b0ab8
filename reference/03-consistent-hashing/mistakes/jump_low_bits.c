/* A wrong answer to jump: its author believed that the lower bits of a product are as random as the upper ones.
 *
 * The lowest bit of a linear congruential generator alternates, the next has a period of 4, and so on.
 */
#include "jump.h"

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct jump *j = map;
    int64_t bucket = -1, next = 0;
    if (j->nodes.count == 0)
        return CH_NONE;
    while (next < j->nodes.count) {
        bucket = next;
        key = key * UINT64_C(2862933555777941757) + 1;
        next = (int64_t)((double)(bucket + 1) * ((double)(INT64_C(1) << 31) / (double)((key & 0x7fffffff) + 1)));
    }
    return j->joined[bucket];
}

static const struct ch_ops ops = {.create = jump_create,
                                  .destroy = jump_destroy,
                                  .add = jump_add,
                                  .remove = jump_remove,
                                  .lookup = lookup,
                                  .bytes = jump_bytes,
                                  .can = CH_MONOTONE};
CH_ENTRY(jump, "jump", "jump with a mistake", &ops);
