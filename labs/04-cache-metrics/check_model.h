/* check_model.h: what the judge of lab 04 holds a cache's answers against: the contract (ledger.h) and the rules of
 * README.md for each policy, in their most literal form. Every object is looked at for every eviction.
 */
#ifndef CHECK_MODEL_H
#define CHECK_MODEL_H

#include "requests.h"

enum rule {
    RULE_LRU,
    RULE_SIEVE,
    RULE_GDSF,
    RULE_CONTRACT, /* any policy */
};

struct model;
struct model *model_create(enum rule rule, uint64_t capacity); /* NULL without memory */
void model_destroy(struct model *model);

/* Enters an answer. NULL when it is right; else a sentence, valid until the next call, and the model is of no use any
 * more. */
const char *model_enter(struct model *model, const struct cm_request *request, const struct answer *answer);

/* The answer that is right, entered: for lists that are made with the model at hand. Not for RULE_CONTRACT. */
void model_answer(struct model *model, const struct cm_request *request);

uint32_t model_objects(const struct model *model);
uint64_t model_key(const struct model *model, uint32_t i);       /* of the i-th object that is kept */
uint64_t model_expires(const struct model *model, uint64_t key); /* from when on its time is over; CM_NEVER */

#endif
