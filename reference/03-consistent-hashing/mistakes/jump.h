/* jump.h: what the mistakes of task 3 share: a jump that is right, in pieces. */
#ifndef MISTAKES_JUMP_H
#define MISTAKES_JUMP_H

#include "ring.h"

struct jump {
    struct nodes nodes;
    uint32_t *joined; /* [nodes.count] in the order in which they joined */
};

static inline int jump_create(const struct ch_config *config, void **map)
{
    (void)config;
    *map = calloc(1, sizeof(struct jump));
    return *map ? 0 : -ENOMEM;
}

static inline void jump_destroy(void *map)
{
    struct jump *j = map;
    free(j->nodes.list);
    free(j->joined);
    free(j);
}

static inline int jump_add(void *map, const struct ch_node *node, uint32_t n)
{
    struct jump *j = map;
    const uint32_t before = j->nodes.count;
    int code = nodes_add(&j->nodes, node, n, false);
    if (code)
        return code;
    uint32_t *joined = realloc(j->joined, j->nodes.count * sizeof *joined);
    if (!joined) {
        for (uint32_t i = 0; i < n; i++)
            nodes_remove(&j->nodes, node[i].id);
        return -ENOMEM;
    }
    j->joined = joined;
    for (uint32_t i = 0; i < n; i++)
        joined[before + i] = node[i].id;
    return 0;
}

static inline int jump_remove(void *map, uint32_t id)
{
    struct jump *j = map;
    if (nodes_find(&j->nodes, id) == j->nodes.count)
        return -ENOENT;
    if (j->joined[j->nodes.count - 1] != id)
        return -ENOTSUP;
    return nodes_remove(&j->nodes, id);
}

static inline size_t jump_bytes(const void *map)
{
    const struct jump *j = map;
    return sizeof *j + j->nodes.count * (sizeof *j->nodes.list + sizeof *j->joined);
}

/* The last jump below n, n >= 1. */
static inline uint32_t jump_bucket(uint64_t key, uint32_t n)
{
    int64_t bucket = -1, next = 0;
    while (next < n) {
        bucket = next;
        key = key * UINT64_C(2862933555777941757) + 1;
        next = (int64_t)((double)(bucket + 1) * ((double)(INT64_C(1) << 31) / (double)((key >> 33) + 1)));
    }
    return (uint32_t)bucket;
}

static inline uint32_t jump_lookup(const void *map, uint64_t key)
{
    const struct jump *j = map;
    return j->nodes.count ? j->joined[jump_bucket(key, j->nodes.count)] : CH_NONE;
}

#endif
