/* Memento: jump, and a memory of those that left.
 *
 * Idea       Jump among n buckets, the working ones and the removed. For a removed bucket there is an entry in a hash
 *            table: how many worked right after it left. A key that jumps onto it is hashed again among so many; the
 *            bucket of that number may itself have been removed before, and then another had taken its place: the one
 *            whose number was the last at that time, which is that entry's count again. So one number per entry says
 *            both. It is anchor's history, kept only for those that are gone, and without a capacity.
 * Invariant  As anchor: a bucket that leaves hands its keys evenly to the others, nobody else notices; the last one to
 *            leave is the first to come back. When nobody is missing, this is jump.
 * Cost       Jump's, a look into the table, and for removed buckets a few more: about ln^2(n / working) in all. 12 bytes
 *            a slot of the table, two to eight slots for each removed bucket.
 * Gets wrong Order matters, as in anchor. When half are gone for good, lookups are twice as slow, until they are back.
 * Source     Coluzzi, Brocco, Antonucci & Leidi 2023, "MementoHash: a stateful, minimal memory, best performing
 *            consistent hash algorithm". Written from its text.
 */
#include "jump.h"

#define CAN (CH_ANY_NODE | CH_MONOTONE)

/* Of a bucket that left. */
struct gone {
    uint32_t bucket; /* CH_NONE: an empty slot */
    uint32_t after;  /* so many worked then */
    uint32_t before; /* who had left last at that time; n when nobody had */
};

struct map {
    struct nodes nodes;
    uint32_t n;        /* buckets, also those that left: 0 … n-1 */
    uint32_t last;     /* who left last; n when nobody has */
    struct gone *gone; /* [mask + 1] open addressing, at most half full */
    uint32_t mask;
    uint32_t *node_of;   /* [room] by bucket */
    uint32_t *bucket_of; /* [ids] by id */
    uint32_t room, ids;
};

/* ---- the table of those that left -------------------------------------------------------------------------------- */

static uint32_t home(const struct map *m, uint32_t bucket)
{
    return (uint32_t)ch_mix(bucket) & m->mask;
}

/* Its slot, or the empty one where it would be. */
static struct gone *find(const struct map *m, uint32_t bucket)
{
    uint32_t i = home(m, bucket);
    while (m->gone[i].bucket != bucket && m->gone[i].bucket != CH_NONE)
        i = (i + 1) & m->mask;
    return &m->gone[i];
}

static bool is_gone(const struct map *m, uint32_t bucket, uint32_t *after)
{
    const struct gone *g = find(m, bucket);
    *after = g->after;
    return g->bucket == bucket;
}

/* A table of at least so many slots, a power of two, with what is in the old one. */
static int resize(struct map *m, uint32_t least)
{
    uint32_t slots = 8;
    while (slots < least)
        slots *= 2;
    struct gone *old = m->gone, *fresh = malloc(slots * sizeof *fresh);
    if (!fresh)
        return -ENOMEM;
    memset(fresh, 0xff, slots * sizeof *fresh);
    uint32_t old_slots = old ? m->mask + 1 : 0;
    m->gone = fresh;
    m->mask = slots - 1;
    for (uint32_t i = 0; i < old_slots; i++)
        if (old[i].bucket != CH_NONE)
            *find(m, old[i].bucket) = old[i];
    free(old);
    return 0;
}

/* Closes the gap: whoever stands behind it and would rather be there moves up. */
static void forget(struct map *m, struct gone *g)
{
    uint32_t gap = (uint32_t)(g - m->gone);
    for (uint32_t i = (gap + 1) & m->mask; m->gone[i].bucket != CH_NONE; i = (i + 1) & m->mask)
        if (((i - home(m, m->gone[i].bucket)) & m->mask) >= ((i - gap) & m->mask)) {
            m->gone[gap] = m->gone[i];
            gap = i;
        }
    m->gone[gap].bucket = CH_NONE;
}

/* ---- the map ----------------------------------------------------------------------------------------------------- */

static void destroy(void *map)
{
    struct map *m = map;
    free(m->gone);
    free(m->node_of);
    free(m->bucket_of);
    nodes_end(m);
}

static int create(const struct ch_config *config, void **out)
{
    (void)config;
    int code = nodes_create(sizeof(struct map), CAN, out);
    if (code == 0 && resize(*out, 0) != 0) {
        nodes_end(*out);
        code = -ENOMEM;
    }
    return code;
}

static size_t bytes(const void *map)
{
    const struct map *m = map;
    return nodes_bytes(m) + (m->mask + 1) * sizeof *m->gone + m->room * sizeof *m->node_of +
           m->ids * sizeof *m->bucket_of;
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct map *m = map;
    uint32_t after, earlier;
    if (m->nodes.count == 0)
        return CH_NONE;
    uint32_t b = jump(key, m->n);
    while (m->last != m->n && is_gone(m, b, &after)) {
        b = (uint32_t)nodes_share(ch_mix(key ^ ch_point(b, 0)), after);
        while (is_gone(m, b, &earlier) && earlier >= after) /* had left already: who took its place then */
            b = earlier;
    }
    return m->node_of[b];
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    return replicas_again(map, lookup, key, most, node);
}

static int make_room(struct map *m, uint32_t buckets)
{
    if (buckets > m->room) {
        uint32_t room = buckets < 2 * m->room ? 2 * m->room : buckets;
        uint32_t *node_of = realloc(m->node_of, room * sizeof *node_of);
        if (!node_of)
            return -ENOMEM;
        m->node_of = node_of;
        m->room = room;
    }
    if (m->ids < 64 * m->nodes.words) {
        uint32_t *bucket_of = realloc(m->bucket_of, 64 * m->nodes.words * sizeof *bucket_of);
        if (!bucket_of)
            return -ENOMEM;
        m->bucket_of = bucket_of;
        m->ids = 64 * m->nodes.words;
    }
    return 0;
}

static void join(struct map *m, uint32_t id)
{
    uint32_t b = m->last;
    if (b == m->n) {
        m->last = ++m->n;
    } else {
        struct gone *g = find(m, b);
        m->last = g->before;
        forget(m, g);
    }
    m->node_of[b] = id;
    m->bucket_of[id] = b;
}

static int add(void *map, const struct ch_node *node, uint32_t count)
{
    struct map *m = map;
    int code = nodes_admit(&m->nodes, node, count);
    if (code == 0)
        code = make_room(m, m->nodes.count + count > m->n ? m->nodes.count + count : m->n);
    if (code)
        return code;
    for (uint32_t i = 0; i < count; i++)
        join(m, node[i].id);
    nodes_join(&m->nodes, node, count);
    return 0;
}

static int leave(void *map, uint32_t id)
{
    struct map *m = map;
    int code = nodes_may_leave(&m->nodes, id);
    if (code)
        return code;
    uint32_t b = m->bucket_of[id], left = m->nodes.count - 1;
    bool nobody = m->last == m->n;
    if (!(nobody && b == m->n - 1) && 2 * (m->n - left) > m->mask + 1) {
        code = resize(m, 4 * (m->n - left));
        if (code)
            return code;
    }
    nodes_leave(&m->nodes, id);
    if (nobody && b == m->n - 1) {
        m->last = --m->n; /* the last bucket goes as in jump, and leaves nothing behind */
        return 0;
    }
    *find(m, b) = (struct gone){.bucket = b, .after = left, .before = m->last};
    m->last = b;
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
CH_ENTRY(memento, "memento", "jump that remembers who left: any node can leave, memory for those only", &ops);
