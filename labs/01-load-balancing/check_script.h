/* check_script.h: what the tests of lab 01 are written with: properties of an entry, tested with scripts, and shown on
 * the smallest script found that breaks them.
 *
 * A property is a function that is called for each step before the model takes it, and says what is wrong with it, if
 * anything is. The model is the judge's own account of what has happened so far: it goes by the picks that were logged,
 * not by those that would have been right.
 */
#ifndef CHECK_SCRIPT_H
#define CHECK_SCRIPT_H

#include "adapter.h"
#include "grade/check.h"

#define MODEL_BACKENDS 64

/* Each test is named in lab.json with its points. What a failure says is all that a student gets to see of it, so it
 * says what was done, what was expected and what happened. No answer is copied from the reference: a property follows
 * from the rules in README.md. */

#define MS 1000000ull /* in nanoseconds */
#define S  1000000000ull

struct lb_config config_for(uint32_t backends); /* the settings of all tests, but where one says otherwise */
struct rng random_of_test(uint64_t stream);     /* from check_seed(); each test has streams of its own */
uint32_t between(struct rng *r, uint32_t low, uint32_t high); /* both included */

struct model {
    const struct lb_config *config;
    uint64_t now, picks;
    bool member[MODEL_BACKENDS];
    uint32_t weight[MODEL_BACKENDS];
    uint32_t in_flight[MODEL_BACKENDS];
    uint32_t members; /* with a weight above 0 */
    /* since members or weights last changed */
    uint64_t since, total;
    uint64_t count[MODEL_BACKENDS];
    uint64_t changes;
    /* peak EWMA */
    double cost[MODEL_BACKENDS];
    uint64_t measured[MODEL_BACKENDS];
    /* outlier ejection */
    uint32_t failures[MODEL_BACKENDS], ejections[MODEL_BACKENDS], out;
    uint64_t back_at[MODEL_BACKENDS]; /* 0: is not out */
    uint64_t seen[MODEL_BACKENDS]; /* number of the pick that named it last, or since when it could have been named */
};

/* false, and what is wrong, for a step that breaks the property. `backend`: what a pick got, or whose request ends. */
typedef bool property(const struct model *m, const struct script_step *step, uint32_t backend, char *why, size_t size);

/* Steps under construction. */
struct steps {
    struct script_step step[60000];
    uint32_t n, ids;
    uint64_t now;
};
struct steps *new_steps(void); /* none yet; to free */
void steps_add(struct steps *s, uint32_t backend, uint32_t weight);
void steps_remove(struct steps *s, uint32_t backend);
void steps_weight(struct steps *s, uint32_t backend, uint32_t weight);
uint32_t steps_pick(struct steps *s); /* its id */
void steps_done(struct steps *s, uint32_t id, enum lb_outcome outcome, uint64_t latency);
void steps_answer(struct steps *s, uint32_t id, uint32_t bad, uint64_t latency, bool slower_by_number);
void steps_count(struct steps *s); /* the marker */

/* A header and a script of these steps behind it, which is what the adapter reads: `size` bytes, to free. *script points
 * into it. */
void *script_block(const struct lb_config *config, const struct script_step *steps, uint32_t n, struct script **script,
                   size_t *size);
uint32_t count_picks(const struct script_step *steps, uint32_t n);

/* Runs the script and fails the test, with the smallest failing script, when a step breaks the property. */
void check_property(const char *entry, const struct lb_config *config, struct steps *steps, property *holds);

/* The picks of one run: [count of picks], to free. The test fails when the run does not finish. */
uint32_t *check_picks(const char *entry, const struct lb_config *config, const struct steps *steps, uint32_t *count);

/* Each pick of the entry must have the least (in flight + 1) / weight, in three random scripts. */
struct load_test {
    uint32_t backends, weights, steps;
    bool failures, leaving;
};
void check_least_loaded(const char *entry, struct load_test test, uint64_t stream);

/* A fleet run under the host, replayed here: the figures of the judge's own fleet. `pick` and `done` (may be NULL) see
 * what the balancer saw. */
void check_fleet(const char *entry, const struct fleet_scenario *scenario, struct fleet_result *result,
                 void (*pick)(void *context, uint32_t server, uint64_t now),
                 void (*done)(void *context, uint32_t server, enum lb_outcome outcome, uint64_t latency, uint64_t now),
                 void *context);

#endif
