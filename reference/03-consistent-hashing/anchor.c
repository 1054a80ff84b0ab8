/* Anchor: any node may leave, in constant time a lookup, if one knows how many there will ever be.
 *
 * Idea       `capacity` buckets, of which N work. A removed bucket remembers how many worked right after it left. A key
 *            is hashed among all buckets; on a removed one it is hashed again, among those that worked then; and so on
 *            back through history, until it is on one that works. To hash among "those that worked then" needs no
 *            list of them: a draw below that number may be a bucket that was removed still earlier, and whoever
 *            took its place then is written down (the anchor's trick).
 * Invariant  When a bucket leaves, the keys on it are hashed again evenly among the others, and no other key notices.
 *            Joining is leaving undone: the bucket that left last is the one that comes next. So a stack.
 * Cost       1 + ln(capacity / N) hashes on average: one when all work. 24 bytes a bucket, of which a lookup reads 8.
 * Gets wrong The capacity is fixed, and the price of choosing it large is paid at each lookup. Order matters: who has
 *            the same nodes by another history has another map, so maps are to be copied, not just lists of nodes.
 * Source     Mendelson, Vargaftik, Barabash, Lorenz, Keslassy & Orda 2020, "AnchorHash: a scalable consistent hash"
 *            (A, K, W, L and R are the paper's).
 */
#include "nodes.h"

#define CAN (CH_ANY_NODE | CH_MONOTONE)

struct bucket {
    uint32_t after; /* A: buckets that worked after this one left; 0: it works */
    uint32_t node;
};

struct map {
    struct nodes nodes;
    uint32_t capacity;
    struct bucket *bucket; /* [capacity] */
    uint32_t *heir;        /* K: [capacity] of a bucket that left, who took its place */
    uint32_t *working;     /* W: [capacity] the first nodes.count of them are those that work */
    uint32_t *place;       /* L: [capacity] where in `working` */
    uint32_t *left;        /* R: [capacity - nodes.count] buckets in the order in which they left */
    uint32_t *bucket_of;   /* [64 nodes.words] by id */
    uint32_t ids;
};

static void destroy(void *map)
{
    struct map *m = map;
    free(m->bucket);
    free(m->heir);
    free(m->working);
    free(m->place);
    free(m->left);
    free(m->bucket_of);
    nodes_end(m);
}

static int create(const struct ch_config *config, void **out)
{
    if (config->capacity < 1 || config->capacity > CH_MAX_NODES)
        return -EINVAL;
    int code = nodes_create(sizeof(struct map), CAN, out);
    if (code)
        return code;
    struct map *m = *out;
    uint32_t n = m->capacity = config->capacity;
    m->bucket = nodes_space(n * sizeof *m->bucket);
    m->heir = nodes_space(n * sizeof *m->heir);
    m->working = malloc(n * sizeof *m->working);
    m->place = malloc(n * sizeof *m->place);
    m->left = malloc(n * sizeof *m->left);
    if (!m->bucket || !m->heir || !m->working || !m->place || !m->left) {
        destroy(m);
        return -ENOMEM;
    }
    for (uint32_t b = 0; b < n; b++) { /* as if all had worked and left, the last one first */
        m->bucket[b] = (struct bucket){.after = b};
        m->heir[b] = b;
        m->working[b] = m->place[b] = b;
        m->left[b] = n - 1 - b;
    }
    return 0;
}

static size_t bytes(const void *map)
{
    const struct map *m = map;
    return nodes_bytes(m) + m->ids * sizeof *m->bucket_of +
           m->capacity *
               (sizeof *m->bucket + sizeof *m->heir + sizeof *m->working + sizeof *m->place + sizeof *m->left);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct map *m = map;
    const struct bucket *bucket = m->bucket;
    if (m->nodes.count == 0)
        return CH_NONE;
    uint32_t b = (uint32_t)nodes_share(key, m->capacity);
    while (bucket[b].after) {
        uint32_t after = bucket[b].after, next = (uint32_t)nodes_share(ch_mix(key ^ ch_point(b, 0)), after);
        while (bucket[next].after >= after) /* had left already when b did */
            next = m->heir[next];
        b = next;
    }
    return bucket[b].node;
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    return replicas_again(map, lookup, key, most, node);
}

static void join(struct map *m, uint32_t id)
{
    uint32_t n = m->nodes.count, b = m->left[m->capacity - n - 1];
    m->bucket[b] = (struct bucket){.after = 0, .node = id};
    m->heir[b] = b;
    m->place[m->working[n]] = n; /* its place goes back to the one that stood at the end */
    m->working[m->place[b]] = b;
    m->bucket_of[id] = b;
}

static int add(void *map, const struct ch_node *node, uint32_t count)
{
    struct map *m = map;
    int code = nodes_admit(&m->nodes, node, count);
    if (code)
        return code;
    if (count > m->capacity - m->nodes.count)
        return -ENOSPC;
    if (m->ids < 64 * m->nodes.words) {
        uint32_t *bucket_of = realloc(m->bucket_of, 64 * m->nodes.words * sizeof *bucket_of);
        if (!bucket_of)
            return -ENOMEM;
        m->bucket_of = bucket_of;
        m->ids = 64 * m->nodes.words;
    }
    for (uint32_t i = 0; i < count; i++) {
        join(m, node[i].id);
        nodes_join(&m->nodes, &node[i], 1);
    }
    return 0;
}

static int leave(void *map, uint32_t id)
{
    struct map *m = map;
    int code = nodes_may_leave(&m->nodes, id);
    if (code)
        return code;
    nodes_leave(&m->nodes, id);
    uint32_t b = m->bucket_of[id], n = m->nodes.count, last = m->working[n];
    m->left[m->capacity - n - 1] = b;
    m->bucket[b].after = n;
    m->heir[b] = last;
    m->working[m->place[b]] = last;
    m->place[last] = m->place[b];
    return 0;
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = add,
                                  .remove = leave,
                                  .lookup = lookup,
                                  .replicas = replicas,
                                  .bytes = bytes,
                                  .can = CAN};
CH_ENTRY(anchor, "anchor", "any node can leave; constant time up to a capacity; order matters", &ops);
