/* rendezvous.h: what the two forms of rendezvous hashing share. Nodes stand by id; each costs a key something, and the
 * key goes to the cheapest; of equal ones to the first. */
#ifndef RENDEZVOUS_H
#define RENDEZVOUS_H

#include "nodes.h"

struct rendezvous {
    struct nodes nodes;
    uint64_t *seed; /* [nodes.count] of the node's hash */
    uint32_t room;
};

int rendezvous_add(void *map, const struct ch_node *node, uint32_t count);
int rendezvous_remove(void *map, uint32_t id);
void rendezvous_destroy(void *map);
size_t rendezvous_bytes(const void *map);

/* The `most` cheapest nodes, the cheapest first. cost: of the i-th. */
uint32_t rendezvous_order(const struct rendezvous *r,
                          uint64_t (*cost)(const struct rendezvous *r, uint64_t key, uint32_t i), uint64_t key,
                          uint32_t most, uint32_t *node);

#endif
