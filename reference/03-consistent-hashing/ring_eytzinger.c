/* Ring, laid out as it is searched: the same ring as a tree without pointers, and many searches at a time.
 *
 * Idea       A binary search looks at the middle first, then at one of two quarters: each time far from the last, and
 *            at a place that depends on a comparison. Write the middle first, the quarters next, the eighths after
 *            them: k's children are 2k and 2k+1 (Eytzinger's order, a heap's). Then the first steps of all searches
 *            share a few lines, the 8 descendants three levels below k lie in one line that can be asked for in time,
 *            and a step is arithmetic, not a branch.
 *            What remains is that each step waits for the one before. So lookup_many takes 16 keys down the tree side
 *            by side: while one waits for memory the others walk.
 * Invariant  The path down is the number k in binary. Its last 0 is where the search last went left, that is, at the
 *            first position that isn't below the key's: cut the 1s behind it and it, and that is the answer. A path of
 *            1s alone leaves 0, where the first point's owner stands: the ring is closed.
 * Cost       log2 of all points steps; at 10^5 points (in the second cache) 3 times as fast as ring.c, 16 keys abreast
 *            6 times; at 10^7, where memory is all, 1.3 and 4 times. Twice the memory.
 * Gets wrong It makes the best of comparing. fast_ring.c, which knows that the positions are hashes, hardly compares,
 *            and is faster at every size.
 * Tried      A tree of lines, 9 children each, compared in one instruction (AVX-512): a fifth faster than this, and
 *            only where there is one.
 * Source     Khuong & Morin 2017, "Array layouts for comparison-based searching".
 */
#include "ring.h"

#define ABREAST 16u /* keys */

struct map {
    struct ring ring;
    uint32_t levels; /* full ones */
    uint64_t *tree;  /* [1 + ring.count] */
    uint32_t *owner; /* [1 + ring.count] */
};

static void destroy(void *map)
{
    struct map *m = map;
    free(m->tree);
    free(m->owner);
    ring_destroy(m);
}

static int create(const struct ch_config *config, void **out)
{
    return ring_create(sizeof(struct map), config, out);
}

static size_t bytes(const void *map)
{
    const struct map *m = map;
    return ring_bytes(m) + (m->tree ? (m->ring.count + 1) * (sizeof *m->tree + sizeof *m->owner) : 0);
}

/* The points from i on into the tree below k, in order. Returns the next one. */
static size_t plant(struct map *m, size_t k, size_t i)
{
    if (k > m->ring.count)
        return i;
    i = plant(m, 2 * k, i);
    m->tree[k] = m->ring.position[i];
    m->owner[k] = m->ring.owner[i];
    return plant(m, 2 * k + 1, i + 1);
}

static void fill(struct map *m)
{
    m->levels = 0;
    while (((size_t)2 << m->levels) - 1 <= m->ring.count)
        m->levels++;
    plant(m, 1, 0);
    m->tree[0] = 0; /* read, and not used, where there is no next level */
    m->owner[0] = m->ring.count ? m->ring.owner[0] : CH_NONE;
}

static int add(void *map, const struct ch_node *node, uint32_t count)
{
    struct map *m = map;
    size_t n = ring_count_with(&m->ring, node, count) + 1;
    uint64_t *tree = nodes_space(n * sizeof *tree);
    uint32_t *owner = nodes_space(n * sizeof *owner);
    int code = tree && owner ? ring_add(map, node, count) : -ENOMEM;
    if (code) {
        free(tree);
        free(owner);
        return code;
    }
    free(m->tree);
    free(m->owner);
    m->tree = tree;
    m->owner = owner;
    fill(m);
    return 0;
}

static int leave(void *map, uint32_t id)
{
    int code = ring_remove(map, id);
    if (code == 0)
        fill(map);
    return code;
}

/* One more level, which isn't full; then to the last 0. */
static size_t finish(const struct map *m, size_t k, uint64_t position)
{
    bool more = k <= m->ring.count;
    size_t next = 2 * k + (m->tree[more ? k : 0] < position);
    k = more ? next : k;
    return k >> __builtin_ffsll(~(long long)k);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct map *m = map;
    const uint64_t *tree = m->tree;
    uint64_t position = key >> m->ring.shift;
    size_t k = 1;
    if (m->ring.count == 0)
        return CH_NONE;
    for (uint32_t level = 0; level < m->levels; level++) {
        __builtin_prefetch(tree + 8 * k);
        k = 2 * k + (tree[k] < position);
    }
    return m->owner[finish(m, k, position)];
}

static void abreast(const struct map *m, const uint64_t *key, uint32_t *node)
{
    const uint64_t *tree = m->tree;
    uint64_t position[ABREAST];
    size_t k[ABREAST];
    for (uint32_t i = 0; i < ABREAST; i++) {
        position[i] = key[i] >> m->ring.shift;
        k[i] = 1;
    }
    for (uint32_t level = 0; level < m->levels; level++)
        for (uint32_t i = 0; i < ABREAST; i++) {
            k[i] = 2 * k[i] + (tree[k[i]] < position[i]);
            __builtin_prefetch(&tree[k[i]]);
        }
    for (uint32_t i = 0; i < ABREAST; i++) {
        k[i] = finish(m, k[i], position[i]);
        __builtin_prefetch(&m->owner[k[i]]);
    }
    for (uint32_t i = 0; i < ABREAST; i++)
        node[i] = m->owner[k[i]];
}

static void lookup_many(const void *map, const uint64_t *key, uint32_t *node, size_t n)
{
    const struct map *m = map;
    size_t i = 0;
    for (; m->ring.count && i + ABREAST <= n; i += ABREAST)
        abreast(m, key + i, node + i);
    for (; i < n; i++)
        node[i] = lookup(m, key[i]);
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct ring *r = map;
    return ring_replicas(r, ring_search(r, key >> r->shift), most, node);
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = add,
                                  .remove = leave,
                                  .lookup = lookup,
                                  .lookup_many = lookup_many,
                                  .replicas = replicas,
                                  .bytes = bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring_eytzinger, "ring-eytzinger", "the ring as a tree without pointers; many keys abreast", &ops);
