/* Lab 03: a hand-in with full marks. Each entry is as plain as it can be; reference/03-consistent-hashing has others, and
 * says what each costs. */
#include "consistent_hashing.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- a list of nodes, complete: who is there, by number ---- */

struct nodes {
    struct ch_node *list; /* [count], the smallest id first */
    uint32_t count;
    uint64_t weights; /* the sum of all */
};

static int node_order(const void *a, const void *b)
{
    const struct ch_node *one = a, *other = b;
    return (one->id > other->id) - (one->id < other->id); /* a difference wouldn't fit into an int */
}

/* Where the node is in the list, or `count`. */
static uint32_t nodes_find(const struct nodes *nodes, uint32_t id)
{
    const struct ch_node wanted = {.id = id};
    const struct ch_node *found =
        nodes->count ? bsearch(&wanted, nodes->list, nodes->count, sizeof wanted, node_order) : NULL;
    return found ? (uint32_t)(found - nodes->list) : nodes->count;
}

/* Adds all of them, or none and says why. Weights other than 1 are for entries that keep them. */
static int nodes_add(struct nodes *nodes, const struct ch_node *node, uint32_t n, bool weights)
{
    for (uint32_t i = 0; i < n; i++) {
        if (node[i].id >= CH_MAX_NODES || node[i].weight == 0 || node[i].weight > CH_MAX_WEIGHT)
            return -EINVAL;
        if (node[i].weight != 1 && !weights)
            return -ENOTSUP;
        if (nodes_find(nodes, node[i].id) < nodes->count)
            return -EEXIST;
    }
    struct ch_node *list = malloc((nodes->count + (size_t)n) * sizeof *list);
    if (!list)
        return -ENOMEM;
    if (nodes->count)
        memcpy(list, nodes->list, nodes->count * sizeof *list);
    memcpy(list + nodes->count, node, n * sizeof *list);
    qsort(list, nodes->count + n, sizeof *list, node_order);
    for (uint32_t i = 1; i < nodes->count + n; i++) {
        if (list[i].id == list[i - 1].id) { /* twice among the new ones */
            free(list);
            return -EEXIST;
        }
    }
    free(nodes->list);
    nodes->list = list;
    nodes->count += n;
    for (uint32_t i = 0; i < n; i++)
        nodes->weights += node[i].weight;
    return 0;
}

static int nodes_remove(struct nodes *nodes, uint32_t id)
{
    const uint32_t i = nodes_find(nodes, id);
    if (i == nodes->count)
        return -ENOENT;
    nodes->weights -= nodes->list[i].weight;
    nodes->count--;
    memmove(nodes->list + i, nodes->list + i + 1, (nodes->count - i) * sizeof *nodes->list);
    return 0;
}

/* ---- modulo, complete: the key modulo the number of nodes ---- */

struct modulo {
    struct nodes nodes;
};

static int modulo_create(const struct ch_config *config, void **map)
{
    (void)config;
    *map = calloc(1, sizeof(struct modulo));
    return *map ? 0 : -ENOMEM;
}

static void modulo_destroy(void *map)
{
    struct modulo *m = map;
    free(m->nodes.list);
    free(m);
}

static int modulo_add(void *map, const struct ch_node *node, uint32_t n)
{
    struct modulo *m = map;
    return nodes_add(&m->nodes, node, n, false);
}

static int modulo_remove(void *map, uint32_t id)
{
    struct modulo *m = map;
    return nodes_remove(&m->nodes, id);
}

static uint32_t modulo_lookup(const void *map, uint64_t key)
{
    const struct modulo *m = map;
    return m->nodes.count ? m->nodes.list[key % m->nodes.count].id : CH_NONE;
}

static size_t modulo_bytes(const void *map)
{
    const struct modulo *m = map;
    return sizeof *m + m->nodes.count * sizeof *m->nodes.list;
}

static const struct ch_ops modulo_ops = {
    .create = modulo_create,
    .destroy = modulo_destroy,
    .add = modulo_add,
    .remove = modulo_remove,
    .lookup = modulo_lookup,
    .bytes = modulo_bytes,
    .can = CH_ANY_NODE | CH_ORDER_FREE,
};
CH_ENTRY(modulo, "modulo", "the key modulo the number of nodes", &modulo_ops);

/* ---- tasks 1 and 2: a ring of virtual nodes, and who keeps the copies ---- */

struct point {
    uint64_t at;
    uint32_t id;
};

struct ring {
    struct nodes nodes;
    struct point *point; /* [count], in the order of the ring */
    uint32_t count, points;
    uint32_t shift; /* a position is the upper 64 - shift bits */
    uint32_t percent;
    uint32_t *load; /* [CH_MAX_NODES] keys placed, for bounded-ring; else NULL */
    uint64_t placed;
    /* fast-ring: guide[i] is the first point at or after i << guide_shift; NULL elsewhere, and on an empty ring */
    uint32_t *guide;
    uint32_t guide_entries, guide_shift;
    bool fast;
};

static int point_order(const void *a, const void *b)
{
    const struct point *one = a, *other = b;
    if (one->at != other->at)
        return one->at < other->at ? -1 : 1;
    return (one->id > other->id) - (one->id < other->id);
}

static int ring_create(const struct ch_config *config, void **map)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->points = config->points;
    r->shift = 64 - config->bits;
    r->percent = config->percent;
    *map = r;
    return 0;
}

static void ring_destroy(void *map)
{
    struct ring *r = map;
    free(r->nodes.list);
    free(r->point);
    free(r->load);
    free(r->guide);
    free(r);
}

/* As many entries as points, or fewer: a power of two, and no more than there are positions. */
static int fill_guide(struct ring *r)
{
    uint32_t bits = 0, i = 0;
    while ((2u << bits) <= r->count && bits + 1 < 64 - r->shift)
        bits++;
    uint32_t *guide = malloc(((UINT32_C(1) << bits) + 1) * sizeof *guide);
    if (!guide)
        return -ENOMEM;
    r->guide_entries = UINT32_C(1) << bits;
    r->guide_shift = 64 - r->shift - bits;
    for (uint32_t entry = 0; entry < r->guide_entries; entry++) {
        while (i < r->count && r->point[i].at < (uint64_t)entry << r->guide_shift)
            i++;
        guide[entry] = i;
    }
    free(r->guide);
    r->guide = guide;
    return 0;
}

static void ring_drop(struct ring *r, const struct ch_node *node, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        nodes_remove(&r->nodes, node[i].id);
}

static int ring_add(void *map, const struct ch_node *node, uint32_t n)
{
    struct ring *r = map;
    int code = nodes_add(&r->nodes, node, n, true);
    if (code)
        return code;
    uint64_t more = 0;
    for (uint32_t i = 0; i < n; i++)
        more += (uint64_t)r->points * node[i].weight;
    struct point *point = realloc(r->point, (r->count + more) * sizeof *point);
    if (!point) {
        ring_drop(r, node, n);
        return -ENOMEM;
    }
    r->point = point;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < r->points * node[i].weight; k++)
            point[r->count++] = (struct point){ch_point(node[i].id, k) >> r->shift, node[i].id};
    }
    qsort(point, r->count, sizeof *point, point_order);
    return r->fast ? fill_guide(r) : 0;
}

static int ring_remove(void *map, uint32_t id)
{
    struct ring *r = map;
    uint32_t kept = 0;
    int code = nodes_remove(&r->nodes, id);
    if (code)
        return code;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->point[i].id != id)
            r->point[kept++] = r->point[i];
    }
    r->count = kept;
    if (r->load) {
        r->placed -= r->load[id];
        r->load[id] = 0;
    }
    return r->fast ? fill_guide(r) : 0;
}

/* The place of the first point at or after the key, round the end; the ring is not empty. */
static uint32_t ring_first(const struct ring *r, uint64_t key)
{
    uint32_t low = 0, high = r->count;
    key >>= r->shift;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (r->point[middle].at < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low == r->count ? 0 : low;
}

static uint32_t ring_lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    return r->count ? r->point[ring_first(r, key)].id : CH_NONE;
}

static bool is_among(const uint32_t *node, uint32_t n, uint32_t id)
{
    for (uint32_t i = 0; i < n; i++) {
        if (node[i] == id)
            return true;
    }
    return false;
}

static uint32_t ring_replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct ring *r = map;
    uint32_t found = 0;
    if (most > r->nodes.count)
        most = r->nodes.count;
    for (uint32_t i = r->count ? ring_first(r, key) : 0; found < most; i = i + 1 == r->count ? 0 : i + 1) {
        if (!is_among(node, found, r->point[i].id))
            node[found++] = r->point[i].id;
    }
    return found;
}

static size_t ring_bytes(const void *map)
{
    const struct ring *r = map;
    return sizeof *r + r->nodes.count * sizeof *r->nodes.list + r->count * sizeof *r->point +
           (r->load ? CH_MAX_NODES * sizeof *r->load : 0) +
           (r->guide ? ((size_t)r->guide_entries + 1) * sizeof *r->guide : 0);
}

static const struct ch_ops ring_ops = {
    .create = ring_create,
    .destroy = ring_destroy,
    .add = ring_add,
    .remove = ring_remove,
    .lookup = ring_lookup,
    .replicas = ring_replicas,
    .bytes = ring_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
CH_ENTRY(ring, "ring", "the next point on a ring, of which each node has many", &ring_ops);

/* ---- task 3: jump ---- */

struct jump {
    struct nodes nodes;
    uint32_t *joined; /* [nodes.count] in the order in which they joined */
};

static int jump_create(const struct ch_config *config, void **map)
{
    (void)config;
    *map = calloc(1, sizeof(struct jump));
    return *map ? 0 : -ENOMEM;
}

static void jump_destroy(void *map)
{
    struct jump *j = map;
    free(j->nodes.list);
    free(j->joined);
    free(j);
}

static int jump_add(void *map, const struct ch_node *node, uint32_t n)
{
    struct jump *j = map;
    const uint32_t before = j->nodes.count;
    int code = nodes_add(&j->nodes, node, n, false);
    if (code || j->nodes.count == 0)
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

static int jump_remove(void *map, uint32_t id)
{
    struct jump *j = map;
    if (nodes_find(&j->nodes, id) == j->nodes.count)
        return -ENOENT;
    if (j->joined[j->nodes.count - 1] != id)
        return -ENOTSUP;
    return nodes_remove(&j->nodes, id);
}

static uint32_t jump_lookup(const void *map, uint64_t key)
{
    const struct jump *j = map;
    int64_t bucket = -1, next = 0;
    if (j->nodes.count == 0)
        return CH_NONE;
    while (next < j->nodes.count) {
        bucket = next;
        key = key * UINT64_C(2862933555777941757) + 1;
        next = (int64_t)((double)(bucket + 1) * ((double)(INT64_C(1) << 31) / (double)((key >> 33) + 1)));
    }
    return j->joined[bucket];
}

static size_t jump_bytes(const void *map)
{
    const struct jump *j = map;
    return sizeof *j + j->nodes.count * (sizeof *j->nodes.list + sizeof *j->joined);
}

static const struct ch_ops jump_ops = {
    .create = jump_create,
    .destroy = jump_destroy,
    .add = jump_add,
    .remove = jump_remove,
    .lookup = jump_lookup,
    .bytes = jump_bytes,
    .can = CH_MONOTONE,
};
CH_ENTRY(jump, "jump", "the last of the key's jumps that is a node: no memory", &jump_ops);

/* ---- task 4: a ring whose nodes are never given more than their share ---- */

static int bounded_create(const struct ch_config *config, void **map)
{
    int code = ring_create(config, map);
    if (code)
        return code;
    struct ring *r = *map;
    r->load = calloc(CH_MAX_NODES, sizeof *r->load);
    if (!r->load) {
        ring_destroy(r);
        return -ENOMEM;
    }
    return 0;
}

static bool has_room(const struct ring *r, uint32_t id)
{
    const struct ch_node *node = &r->nodes.list[nodes_find(&r->nodes, id)];
    const uint64_t share = r->percent * (r->placed + 1) * node->weight, whole = 100 * r->nodes.weights;
    return r->load[id] + UINT64_C(1) <= (share + whole - 1) / whole;
}

/* Full nodes are met again and again on the way; asking one twice does no harm. */
static uint32_t bounded_place(void *map, uint64_t key)
{
    struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    uint32_t i = ring_first(r, key);
    while (!has_room(r, r->point[i].id))
        i = i + 1 == r->count ? 0 : i + 1;
    r->load[r->point[i].id]++;
    r->placed++;
    return r->point[i].id;
}

static int bounded_release(void *map, uint32_t id)
{
    struct ring *r = map;
    if (id >= CH_MAX_NODES || r->load[id] == 0)
        return -ENOENT;
    r->load[id]--;
    r->placed--;
    return 0;
}

static const struct ch_ops bounded_ring_ops = {
    .create = bounded_create,
    .destroy = ring_destroy,
    .add = ring_add,
    .remove = ring_remove,
    .lookup = ring_lookup,
    .place = bounded_place,
    .release = bounded_release,
    .bytes = ring_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
CH_ENTRY(bounded_ring, "bounded-ring", "a ring with bounded loads", &bounded_ring_ops);

/* ---- task 5: the ring's owners, found with few instructions and few lines of memory ---- */

static int fast_create(const struct ch_config *config, void **map)
{
    int code = ring_create(config, map);
    if (code == 0)
        ((struct ring *)*map)->fast = true;
    return code;
}

static uint32_t fast_lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    key >>= r->shift;
    uint32_t i = r->guide[r->guide_entries > 1 ? key >> r->guide_shift : 0];
    while (i < r->count && r->point[i].at < key)
        i++;
    return r->point[i == r->count ? 0 : i].id;
}

static const struct ch_ops fast_ring_ops = {
    .create = fast_create,
    .destroy = ring_destroy,
    .add = ring_add,
    .remove = ring_remove,
    .lookup = fast_lookup,
    .bytes = ring_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
CH_ENTRY(fast_ring, "fast-ring", "the ring's owners, found faster", &fast_ring_ops);
