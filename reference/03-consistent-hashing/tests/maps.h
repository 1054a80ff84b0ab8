/* maps.h: any entry by name, and what the tests do with all of them. */
#ifndef MAPS_H
#define MAPS_H

#include "consistent_hashing.h"

#include "sim/rng.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct map_run {
    const char *name;
    const struct ch_ops *ops;
    void *map;
};

/* All entries, ended by NULL: for (...; e = map_entries; *e; e++). */
extern const char *const map_entries[];

const struct ch_ops *map_ops(const char *name); /* fails the test if there is none */
/* Small enough for dozens of nodes: 4099 slots, 256 buckets. */
struct ch_config map_config(void);
/* create's answer; 0: map_stop ends it. */
int map_start(struct map_run *m, const char *name, const struct ch_config *config);
/* With these nodes; fails the test if that can't be. */
void map_start_with(struct map_run *m, const char *name, const struct ch_config *config, const struct ch_node *node,
                    uint32_t n);
void map_stop(struct map_run *m);

static inline uint32_t map_ask(const struct map_run *m, uint64_t key)
{
    return m->ops->lookup(m->map, key);
}

static inline uint64_t key_of(uint64_t i)
{
    return ch_mix(i + 1000);
}

/* The owners of key_of(0 … n-1); through lookup_many where there is one. */
void map_owners(const struct map_run *m, uint32_t *owner, uint32_t n);
/* Keys whose owners differ; of those, how many did not go to `to` (CH_NONE: did not come from `from`) in *astray. */
uint32_t moves(const uint32_t *before, const uint32_t *after, uint32_t n, uint32_t from, uint32_t to, uint32_t *astray);

/* Nodes 0 … n-1 of weight 1. */
void plain_nodes(struct ch_node *node, uint32_t n);
/* n different ids anywhere, weights up to `heaviest` where `can` has them. */
void random_nodes(struct rng *r, struct ch_node *node, uint32_t n, unsigned can, uint32_t heaviest);
void shuffle(struct rng *r, struct ch_node *node, uint32_t n);

#endif
