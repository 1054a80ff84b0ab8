/* check_model.h: what the judge of lab 05 holds a breaker's and a retry's answers against: the rules of README.md in their
 * most literal form. Every outcome is kept, and all of them are looked at for every question.
 */
#ifndef CHECK_MODEL_H
#define CHECK_MODEL_H

#include "steps.h"

enum rule {
    RULE_COUNT, /* a breaker by the last so many outcomes */
    RULE_TIME,  /* a breaker by the outcomes of the last so many slices */
    RULE_RETRY, /* full jitter with a budget */
};

struct model;
struct model *model_create(enum rule rule, const struct steps_config *config, uint32_t instance); /* NULL: no memory */
void model_destroy(struct model *model);

/* Enters a step that is carried out, with the record of its own. NULL when it is right; else a sentence, valid until the
 * next call. */
const char *model_enter(struct model *model, const struct step *step, const uint64_t *record);

/* The record that is right, for a list that is made with the model at hand. */
uint64_t model_answer(const struct model *model, const struct step *step);

/* For tests that go where it hurts. */
enum cb_state model_state(const struct model *model);
uint64_t model_since(const struct model *model); /* of open and half-open */

#endif
