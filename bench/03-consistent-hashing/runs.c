/* runs.c: the experiments of lab 03. */
#include "runs.h"

#include "base/file.h"
#include "base/memory.h"
#include "host/trusted.h"
#include "sim/rng.h"

#include <stdlib.h>
#include <string.h>

static const struct plugin *reference;

void runs_load(void)
{
    reference = trusted_reference("03-consistent-hashing", EXIT_CANNOT_TELL);
}

/* ---- maps ---- */

static void must(int code, const char *what)
{
    if (code)
        error_exit(EXIT_CANNOT_TELL, "%s failed: %s", what, strerror(-code));
}

struct map map_create(const char *entry, const struct ch_config *config, const struct ch_node *node, uint32_t n)
{
    struct map map = {.ops = plugin_find(reference, entry)};
    if (!map.ops)
        error_exit(EXIT_CANNOT_TELL, "the reference has no entry %s", entry);
    must(map.ops->create(config, &map.state), entry);
    must(map.ops->add(map.state, node, n), entry);
    return map;
}

void map_destroy(struct map *map)
{
    map->ops->destroy(map->state);
}

void map_add(struct map *map, uint32_t id)
{
    must(map->ops->add(map->state, &(struct ch_node){id, 1}, 1), "a node that joins");
}

void map_remove(struct map *map, uint32_t id)
{
    must(map->ops->remove(map->state, id), "a node that leaves");
}

/* ---- nodes and keys ---- */

struct ch_node *nodes_at_random(uint64_t seed, uint32_t n)
{
    struct rng r;
    struct ch_node *node = xcalloc(n, sizeof *node);
    unsigned char *taken = xcalloc(CH_MAX_NODES, 1);
    rng_seed(&r, seed, 1);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = rng_below(&r, CH_MAX_NODES);
        while (taken[id])
            id = rng_below(&r, CH_MAX_NODES);
        taken[id] = 1;
        node[i] = (struct ch_node){id, 1};
    }
    free(taken);
    return node;
}

uint64_t *keys_at_random(uint64_t seed, uint32_t n)
{
    struct rng r;
    uint64_t *key = xcalloc(n, sizeof *key);
    rng_seed(&r, seed, 2);
    for (uint32_t i = 0; i < n; i++)
        key[i] = rng_next(&r);
    return key;
}

uint32_t *owners_of(const struct map *map, const uint64_t *key, uint32_t n)
{
    uint32_t *owner = xcalloc(n, sizeof *owner);
    for (uint32_t i = 0; i < n; i++)
        owner[i] = map->ops->lookup(map->state, key[i]);
    return owner;
}

/* ---- experiments ---- */

struct movement move_of(const char *entry, const struct ch_config *config, uint32_t n, int64_t leaver, uint32_t keys,
                        uint64_t seed)
{
    struct ch_node *node = nodes_at_random(seed, n + 1);
    uint64_t *key = keys_at_random(seed, keys);
    bool *stays = xcalloc(CH_MAX_NODES, sizeof *stays);
    struct map map = map_create(entry, config, node, n);
    for (uint32_t i = 0; i < n; i++)
        stays[node[i].id] = i != leaver;
    uint32_t *before = owners_of(&map, key, keys);
    if (leaver == NODE_JOINS)
        map_add(&map, node[n].id);
    else
        map_remove(&map, node[leaver].id);
    uint32_t *after = owners_of(&map, key, keys);
    const struct movement m = movement_of(before, after, keys, stays, CH_MAX_NODES);
    map_destroy(&map);
    free(before);
    free(after);
    free(stays);
    free(key);
    free(node);
    return m;
}

static int by_position(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

double *ring_shares(const struct map *map, const struct ch_node *node, uint32_t n, uint32_t points)
{
    const uint32_t all = n * points;
    uint64_t *at = xcalloc(all, sizeof *at);
    double *share = xcalloc(n, sizeof *share);
    uint32_t *place = xcalloc(CH_MAX_NODES, sizeof *place);
    for (uint32_t i = 0; i < n; i++) {
        place[node[i].id] = i;
        for (uint32_t k = 0; k < points; k++)
            at[i * points + k] = ch_point(node[i].id, k);
    }
    qsort(at, all, sizeof *at, by_position);
    for (uint32_t i = 0; i < all; i++)
        share[place[map->ops->lookup(map->state, at[i])]] += (double)(at[i] - at[i ? i - 1 : all - 1]) * 0x1p-64;
    free(place);
    free(at);
    return share;
}
