/* ring.h: what the mistakes share: a ring that is right, in pieces. A mistake replaces one of them. */
#ifndef MISTAKES_RING_H
#define MISTAKES_RING_H

#include "consistent_hashing.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- nodes ---- */

struct nodes {
    struct ch_node *list; /* [count], the smallest id first */
    uint32_t count;
    uint64_t weights; /* the sum of all */
};

static inline int node_order(const void *a, const void *b)
{
    const struct ch_node *one = a, *other = b;
    return (one->id > other->id) - (one->id < other->id); /* a difference wouldn't fit into an int */
}

/* Where the node is in the list, or `count`. */
static inline uint32_t nodes_find(const struct nodes *nodes, uint32_t id)
{
    const struct ch_node wanted = {.id = id};
    const struct ch_node *found =
        nodes->count ? bsearch(&wanted, nodes->list, nodes->count, sizeof wanted, node_order) : NULL;
    return found ? (uint32_t)(found - nodes->list) : nodes->count;
}

/* Adds all of them, or none and says why. Weights other than 1 are for entries that keep them. */
static inline int nodes_add(struct nodes *nodes, const struct ch_node *node, uint32_t n, bool weights)
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

static inline int nodes_remove(struct nodes *nodes, uint32_t id)
{
    const uint32_t i = nodes_find(nodes, id);
    if (i == nodes->count)
        return -ENOENT;
    nodes->weights -= nodes->list[i].weight;
    nodes->count--;
    memmove(nodes->list + i, nodes->list + i + 1, (nodes->count - i) * sizeof *nodes->list);
    return 0;
}

/* ---- the ring ---- */

struct point {
    uint64_t at;
    uint32_t id;
};

struct ring {
    struct nodes nodes;
    struct point *point; /* [count], in the order of the ring */
    uint32_t count, points, shift, percent;
    uint32_t *load; /* [CH_MAX_NODES] keys placed */
    uint64_t placed;
};

typedef int point_compare(const void *a, const void *b);

static inline int ring_order(const void *a, const void *b)
{
    const struct point *one = a, *other = b;
    if (one->at != other->at)
        return one->at < other->at ? -1 : 1;
    return (one->id > other->id) - (one->id < other->id);
}

static inline int ring_create(const struct ch_config *config, void **map)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->points = config->points;
    r->shift = 64 - config->bits;
    r->percent = config->percent;
    r->load = calloc(CH_MAX_NODES, sizeof *r->load);
    *map = r;
    return r->load ? 0 : -ENOMEM;
}

static inline void ring_destroy(void *map)
{
    struct ring *r = map;
    free(r->nodes.list);
    free(r->point);
    free(r->load);
    free(r);
}

/* Puts `n` points at hash(id, 0 ... n-1) behind the others, in no order yet. */
static inline int ring_append(struct ring *r, uint32_t id, uint32_t n, uint64_t (*hash)(uint32_t, uint32_t))
{
    struct point *point = realloc(r->point, (r->count + (size_t)n) * sizeof *point);
    if (!point)
        return -ENOMEM;
    r->point = point;
    for (uint32_t i = 0; i < n; i++)
        point[r->count++] = (struct point){hash(id, i) >> r->shift, id};
    return 0;
}

static inline int ring_add_by(struct ring *r, const struct ch_node *node, uint32_t n,
                              uint64_t (*hash)(uint32_t, uint32_t), point_compare *order)
{
    int code = nodes_add(&r->nodes, node, n, true);
    for (uint32_t i = 0; i < n && code == 0; i++)
        code = ring_append(r, node[i].id, r->points * node[i].weight, hash);
    if (code == 0)
        qsort(r->point, r->count, sizeof *r->point, order);
    return code;
}

static inline int ring_add(void *map, const struct ch_node *node, uint32_t n)
{
    return ring_add_by(map, node, n, ch_point, ring_order);
}

static inline int ring_remove(void *map, uint32_t id)
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
    r->placed -= r->load[id];
    r->load[id] = 0;
    return 0;
}

/* The place of the first point at or after the position, or `count`. */
static inline uint32_t ring_at(const struct ring *r, uint64_t position)
{
    uint32_t low = 0, high = r->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (r->point[middle].at < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ... of a key, round the end; the ring is not empty. */
static inline uint32_t ring_first(const struct ring *r, uint64_t key)
{
    const uint32_t i = ring_at(r, key >> r->shift);
    return i == r->count ? 0 : i;
}

static inline uint32_t ring_next(const struct ring *r, uint32_t i)
{
    return i + 1 == r->count ? 0 : i + 1;
}

static inline uint32_t ring_lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    return r->count ? r->point[ring_first(r, key)].id : CH_NONE;
}

static inline bool is_among(const uint32_t *node, uint32_t n, uint32_t id)
{
    for (uint32_t i = 0; i < n; i++) {
        if (node[i] == id)
            return true;
    }
    return false;
}

static inline uint32_t ring_replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct ring *r = map;
    uint32_t found = 0;
    if (most > r->nodes.count)
        most = r->nodes.count;
    for (uint32_t i = r->count ? ring_first(r, key) : 0; found < most; i = ring_next(r, i)) {
        if (!is_among(node, found, r->point[i].id))
            node[found++] = r->point[i].id;
    }
    return found;
}

static inline size_t ring_bytes(const void *map)
{
    const struct ring *r = map;
    return sizeof *r + r->nodes.count * sizeof *r->nodes.list + r->count * sizeof *r->point +
           CH_MAX_NODES * sizeof *r->load;
}

/* ---- bounded loads ---- */

static inline bool ring_has_room(const struct ring *r, uint32_t id)
{
    const struct ch_node *node = &r->nodes.list[nodes_find(&r->nodes, id)];
    const uint64_t share = r->percent * (r->placed + 1) * node->weight, whole = 100 * r->nodes.weights;
    return r->load[id] + UINT64_C(1) <= (share + whole - 1) / whole;
}

static inline uint32_t ring_put(struct ring *r, uint32_t id)
{
    r->load[id]++;
    r->placed++;
    return id;
}

static inline uint32_t ring_place(void *map, uint64_t key)
{
    struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    uint32_t i = ring_first(r, key);
    while (!ring_has_room(r, r->point[i].id))
        i = ring_next(r, i);
    return ring_put(r, r->point[i].id);
}

static inline int ring_release(void *map, uint32_t id)
{
    struct ring *r = map;
    if (id >= CH_MAX_NODES || r->load[id] == 0)
        return -ENOENT;
    r->load[id]--;
    r->placed--;
    return 0;
}

#define RING_CAN (CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE)

#endif
