/* check_model.h: the judge's own account: the rules of README.md in their most literal form.
 *
 * Each rule is one question, "would `cost` at `now` be allowed?", in exact integers of 128 bits, and one note of what
 * was allowed. The least wait and what is left follow from the question by bisection, since whoever waits longer or
 * asks for less never fares worse. Slow, and small enough to be believed.
 */
#ifndef CHECK_MODEL_H
#define CHECK_MODEL_H

#include "rate_limiting.h"

#include <stdio.h>

enum rule {
    RULE_LOG,     /* N in any window of T */
    RULE_COUNTER, /* previous x (T - elapsed) + (current + cost) x T <= N x T */
    RULE_BUCKET,  /* B tokens, N of them come back in T */
    RULE_FIXED,   /* N in each window [k T, (k + 1) T); an older now is the newest */
};

#define MODEL_KEYS 16

struct model;                                                               /* for up to MODEL_KEYS keys */
struct model *model_create(enum rule rule, const struct rl_config *config); /* NULL without memory */
void model_destroy(struct model *model);

/* Does not change anything. */
bool model_would(struct model *model, uint64_t key, uint64_t now, uint64_t cost);
uint64_t model_retry(struct model *model, uint64_t key, uint64_t now, uint64_t cost); /* of what would be refused */
uint64_t model_left(struct model *model, uint64_t key, uint64_t now);

void model_take(struct model *model, uint64_t key, uint64_t now, uint64_t cost); /* what would be allowed */

/* "in the last 100 ns 7 of N = 10 units were allowed": what the answer rests on. No line's end. */
void model_explain(FILE *out, struct model *model, uint64_t key, uint64_t now, uint64_t cost);

#endif
