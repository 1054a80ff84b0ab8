/* consistent_hashing.h: the contract of lab 03.
 *
 * A map says which node a key belongs to. Everybody who has the same nodes in his map gives the same answer, so nobody
 * has to ask. What a map is worth shows when a node joins or leaves: how many keys then belong to another node.
 *
 * An entry is one table of functions, registered with CH_ENTRY under its name. Rules for all of them:
 *
 * - A key is 64 bits that were hashed already (hash.h): evenly spread, and all that a map knows of the thing itself.
 * - A node is a number that its operator gave it. It stays the node's own: who leaves and comes back is the same one.
 * - Answers depend on the configuration and on the nodes (and the order in which they came and went, unless the entry
 *   says CH_ORDER_FREE), and on nothing else: nothing is random. Where two nodes have the same claim to a key, the one
 *   with the smaller number has it.
 * - What an entry can't do it refuses with -ENOTSUP, and says so beforehand in `can`. It never answers wrongly instead.
 * - What fails changes nothing.
 * - State lives behind the pointer that `create` gives. No globals. Several threads may look up at the same time while
 *   nobody changes the map.
 */
#ifndef CONSISTENT_HASHING_H
#define CONSISTENT_HASHING_H

#include "hash.h"

#include "host/plugin.h"

#include <stddef.h>
#include <stdint.h>

#define CH_NONE       UINT32_MAX /* no node: there is none */
#define CH_MAX_NODES  (UINT32_C(1) << 20)
#define CH_MAX_WEIGHT 1000u

/* An entry reads what it needs of this and ignores the rest. */
struct ch_config {
    uint32_t points; /* rings: points for each unit of a node's weight, 1 … 10000 */
    uint32_t bits;   /* rings: a position is so many upper bits of a key or a point, 8 … 64; with few, points meet */
    uint32_t slots;  /* Maglev: slots of its table, a prime, 2 … 2^27 */
    uint32_t probes; /* multi-probe: how often a key is put on the ring, 1 … 1000 */
    uint32_t capacity; /* anchor: so many nodes at most will ever be there at once, 1 … CH_MAX_NODES */
    uint32_t percent;  /* bounded loads: no node is given more than this share of the average, 100 … 10000 */
};

/* What people use, where nothing else is said. */
#define CH_USUAL                                                                                                       \
    ((struct ch_config){.points = 100, .bits = 64, .slots = 65537, .probes = 21, .capacity = 1024, .percent = 125})

struct ch_node {
    uint32_t id;     /* below CH_MAX_NODES */
    uint32_t weight; /* 1 … CH_MAX_WEIGHT: its share of the keys is weight / sum of all weights */
};

enum {
    CH_WEIGHTS = 1,    /* takes weights other than 1 */
    CH_ANY_NODE = 2,   /* any node can be removed; without it only the one that joined last */
    CH_MONOTONE = 4,   /* a key moves only to a node that joins, or from one that leaves; never between others */
    CH_ORDER_FREE = 8, /* the order in which nodes came and went makes no difference */
    CH_POINTS = 16,    /* keeps points for each node: its memory is that of points times nodes */
    CH_SCANS = 32,     /* looks at every node for each key */
};

struct ch_ops {
    /* 0 and *map; -ENOMEM; -EINVAL: a configuration that the entry can't use. The caller ends it with destroy. */
    int (*create)(const struct ch_config *config, void **map);
    void (*destroy)(void *map);

    /* n >= 1 nodes join, in the order of the list; all of them or, when it fails, none. -EEXIST: one is there already, or twice in
     * the list; -EINVAL: an id or a weight out of bounds; -ENOTSUP: a weight that the entry can't keep; -ENOSPC: more
     * nodes than there is room for; -ENOMEM. */
    int (*add)(void *map, const struct ch_node *node, uint32_t n);
    /* -ENOENT: it isn't there; -ENOTSUP: it isn't the one that the entry could remove; -ENOMEM. */
    int (*remove)(void *map, uint32_t id);

    uint32_t (*lookup)(const void *map, uint64_t key); /* the node, or CH_NONE when there are none */

    /* The same for n keys, where an entry is faster that way; NULL: lookup is as good. */
    void (*lookup_many)(const void *map, const uint64_t *key, uint32_t *node, size_t n);

    /* The nodes that keep a copy of `key`: the first `most` (>= 1) nodes in this key's order of preference, all of them
     * different, lookup's first. Returns how many there are: `most`, or all nodes when they are fewer. NULL: can't. */
    uint32_t (*replicas)(const void *map, uint64_t key, uint32_t most, uint32_t *node);

    /* Bounded loads: puts one more key on a node and says on which (CH_NONE when there are none). Counting this key, m
     * are placed: the node is the first in the key's order of preference that with this key holds at most
     * ceil(percent / 100 x m x weight / sum of all weights). NULL for entries that don't count. */
    uint32_t (*place)(void *map, uint64_t key);
    /* A key that was placed there is gone. -ENOENT: none is there. When a node leaves, what it held is gone with it. */
    int (*release)(void *map, uint32_t id);

    size_t (*bytes)(const void *map); /* of state held now */

    unsigned can; /* CH_WEIGHTS | ... */
};

#define CH_ENTRY(identifier, name, summary, ops) PLUGIN_ENTRY(identifier, name, summary, ops)

#endif
