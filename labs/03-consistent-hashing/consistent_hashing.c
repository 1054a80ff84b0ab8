/* Lab 03: your maps from keys to nodes. This is the one file that you hand in.
 *
 * The contract, with what every operation promises, is in consistent_hashing.h, the hashes in hash.h; the tasks and
 * their rules are in README.md. The list of nodes and the map by modulo below are complete: they show how an entry is
 * made, and modulo is the algorithm that fails in the article. The four entries after it are yours.
 *
 *     make check LAB=03                         all public tests, with your points
 *     make check LAB=03 TEST=owners             one of them
 *     make hint  LAB=03 TEST=ring               the next of three hints
 */
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

/* ---- what the four below have to begin with: nodes may come and go, and no key belongs to any ---- */

static uint32_t nothing_lookup(const void *map, uint64_t key)
{
    (void)map, (void)key;
    return CH_NONE;
}

static uint32_t nothing_replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    (void)map, (void)key, (void)most, (void)node;
    return 0;
}

static uint32_t nothing_place(void *map, uint64_t key)
{
    (void)map, (void)key;
    return CH_NONE;
}

static int nothing_release(void *map, uint32_t id)
{
    (void)map, (void)id;
    return -ENOENT;
}

/* ---- tasks 1 and 2: a ring of virtual nodes, and who keeps the copies ---- */

static const struct ch_ops ring_ops = {
    .create = modulo_create,
    .destroy = modulo_destroy,
    .add = modulo_add,
    .remove = modulo_remove,
    .lookup = nothing_lookup,
    .replicas = nothing_replicas,
    .bytes = modulo_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
CH_ENTRY(ring, "ring", "the next point on a ring, of which each node has many", &ring_ops);

/* ---- task 3: jump ---- */

static const struct ch_ops jump_ops = {
    .create = modulo_create,
    .destroy = modulo_destroy,
    .add = modulo_add,
    .remove = modulo_remove,
    .lookup = nothing_lookup,
    .bytes = modulo_bytes,
    .can = CH_MONOTONE,
};
CH_ENTRY(jump, "jump", "the last of the key's jumps that is a node: no memory", &jump_ops);

/* ---- task 4: a ring whose nodes are never given more than their share ---- */

static const struct ch_ops bounded_ring_ops = {
    .create = modulo_create,
    .destroy = modulo_destroy,
    .add = modulo_add,
    .remove = modulo_remove,
    .lookup = nothing_lookup,
    .place = nothing_place,
    .release = nothing_release,
    .bytes = modulo_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
CH_ENTRY(bounded_ring, "bounded-ring", "a ring with bounded loads", &bounded_ring_ops);

/* ---- task 5: the ring's owners, found with few instructions and few lines of memory ---- */

static const struct ch_ops fast_ring_ops = {
    .create = modulo_create,
    .destroy = modulo_destroy,
    .add = modulo_add,
    .remove = modulo_remove,
    .lookup = nothing_lookup,
    .bytes = modulo_bytes,
    .can = CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE,
};
CH_ENTRY(fast_ring, "fast-ring", "the ring's owners, found faster", &fast_ring_ops);
