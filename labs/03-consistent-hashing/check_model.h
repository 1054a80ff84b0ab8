/* check_model.h: what the judge of lab 03 holds the answers against.
 *
 * Rules, and no data structure: a node's distance from a key is that of its nearest point clockwise, and nodes are
 * preferred in the order of their distances, the smaller number first among equals. Every point of every node is looked
 * at for every key. Slow, and small enough to be believed.
 */
#ifndef CHECK_MODEL_H
#define CHECK_MODEL_H

#include "owners.h"

#include <stdio.h>

enum rule { RULE_RING, RULE_JUMP, RULE_BOUNDED };

struct model;
struct model *model_create(enum rule rule, const struct ch_config *config); /* NULL without memory */
void model_destroy(struct model *model);

/* What the entry is to answer: 0 or -errno. Nothing changes when it is an error. */
int model_add(struct model *model, uint32_t id, uint32_t weight, uint32_t n);
int model_remove(struct model *model, uint32_t id);
int model_release(struct model *model, uint32_t id);

uint32_t model_lookup(const struct model *model, uint64_t key);
/* The first `most` nodes in the key's order; how many there are. */
uint32_t model_replicas(const struct model *model, uint64_t key, uint32_t most, uint32_t *node);
uint32_t model_place(struct model *model, uint64_t key); /* and puts it there */

uint32_t model_nodes(const struct model *model);
uint32_t model_node(const struct model *model, uint32_t i); /* the i-th that joined */

/* "the key stands at 0x1f, node 3's nearest point at 0x2a": what the answer rests on, before it is placed. */
void model_explain(FILE *out, const struct model *model, uint64_t key);

#endif
