/* check_steps.h: what the tests of breakers and retries are written with: lists of steps whose right answers the judge's
 * model knows.
 */
#ifndef CHECK_STEPS_H
#define CHECK_STEPS_H

#include "adapter.h"
#include "check_model.h"
#include "grade/check.h"
#include "sim/rng.h"

/* Each test is named in lab.json with its points. What a failure says is all that a student gets to see of it, so it
 * says what was done, what was expected and what happened. No answer is copied from the reference: the model follows
 * from the rules in README.md. */

#define MS UINT64_C(1000000) /* in nanoseconds */
#define S  UINT64_C(1000000000)

struct rng random_of_test(uint64_t stream);                   /* from check_seed(); each test has streams of its own */
uint64_t between(struct rng *r, uint64_t low, uint64_t high); /* both included */

struct list {
    enum rule rule;
    struct steps_config config;
    struct model *model[STEPS_INSTANCES];
    struct step *step;
    uint32_t n, room, calls;
    uint64_t now;
};

/* Half failures or more of 10 calls at least, of the last 20, or of 10 s in 10 slices; slow is 1 s, at half; open for
 * 5 s; 3 probes, for 60 s. */
struct cb_breaker_config usual_breaker(void);

struct list *list_breaker(enum rule rule, const struct cb_breaker_config *config, uint32_t instances);
struct list *list_retry(const struct cb_retry_config *config, uint32_t instances);
void list_free(struct list *list);

/* A call asks at list->now: its id; *allowed: may it go? */
uint32_t list_allow(struct list *list, uint32_t instance, bool *allowed);
/* It ends at list->now. Left out when it was refused. */
void list_record(struct list *list, uint32_t instance, uint32_t id, enum cb_outcome outcome, uint64_t latency);
/* One that asks and ends at once; true: it could go. */
bool list_call(struct list *list, enum cb_outcome outcome, uint64_t latency);
void list_failed(struct list *list, uint32_t instance, uint32_t tries, uint64_t left, double u);
void list_succeeded(struct list *list, uint32_t instance);

/* Calls that overlap, fail in spells, are slow, are ignored, never come back; and times at the very edges of what the
 * breaker waits for. */
void list_random(struct list *list, struct rng *r, uint32_t steps, uint64_t step_ns);

/* Runs the list, and fails the test with the smallest list that shows it when an answer is wrong. Frees the list. What
 * else a failure should say, in a sentence: `lesson`, or NULL. */
void list_check(const char *entry, struct list *list, const char *lesson);

/* The same list tens of thousands of times, each time anew, in little memory. */
void list_check_ends(const char *entry, struct list *list);

void *steps_block(const struct steps_config *config, const struct step *step, uint32_t n, uint32_t late, size_t *size);

const struct steps *steps_of(const void *block);

#endif
