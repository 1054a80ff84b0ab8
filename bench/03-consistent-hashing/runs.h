/* runs.h: the experiments of lab 03: entries of the reference plugin, nodes that come and go, and what became of keys.
 *
 * All functions touch nothing global once runs_load has returned, and may run on several threads at once. An entry that
 * is missing or fails ends the program with exit code 3: no claim can be told without it. What is given out is the
 * caller's to free.
 */
#ifndef RUNS_H
#define RUNS_H

#include "owners.h"

/* Loads the reference plugin from $FAULTLINE_BUILD (default "build"). Once, before any thread. */
void runs_load(void);

struct map {
    const struct ch_ops *ops;
    void *state;
};
struct map map_create(const char *entry, const struct ch_config *config, const struct ch_node *node, uint32_t n);
void map_destroy(struct map *map);
void map_add(struct map *map, uint32_t id);
void map_remove(struct map *map, uint32_t id);

/* n different nodes of weight 1 with numbers drawn at random: where a ring's points stand follows from them. */
struct ch_node *nodes_at_random(uint64_t seed, uint32_t n);

/* n keys drawn at random, and who owns them. */
uint64_t *keys_at_random(uint64_t seed, uint32_t n);
uint32_t *owners_of(const struct map *map, const uint64_t *key, uint32_t n);

/* What happens to `keys` random keys when a map of n random nodes is joined by one more, or left by the one that
 * joined as number `leaver` (of 0 … n-1). */
enum { NODE_JOINS = -1 };
struct movement move_of(const char *entry, const struct ch_config *config, uint32_t n, int64_t leaver, uint32_t keys,
                        uint64_t seed);

/* The nodes' shares of a ring, [n], exactly: how far it is from each point back to the one before, put down for whoever
 * owns the point's position. The map's entry stands on ch_point(id, 0 … points-1). */
double *ring_shares(const struct map *map, const struct ch_node *node, uint32_t n, uint32_t points);

#endif
