/* A wrong answer to jump: its author believed that a float is as good as a double.
 *
 * A float has 24 bits: with a few thousand nodes the first jumps come out elsewhere.
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
        next = (int64_t)((float)(bucket + 1) * ((float)(INT64_C(1) << 31) / (float)((key >> 33) + 1)));
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
