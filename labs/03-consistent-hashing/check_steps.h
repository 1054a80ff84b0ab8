/* check_steps.h: what the tests of lab 03 are written with: steps whose right answers the judge's model knows.
 *
 * A list is built with the model at hand, so that a test can ask for a node that is there, or for a key at the very end
 * of the ring. The steps are then run in a host, and every answer compared with the model's. A list that fails is made
 * smaller, and shown as numbered steps.
 */
#ifndef CHECK_STEPS_H
#define CHECK_STEPS_H

#include "check_model.h"
#include "grade/check.h"
#include "sim/rng.h"
#include "steps.h"

/* Each test is named in lab.json with its points. What a failure says is all that a student gets to see of it, so it
 * says what was done, what was expected and what happened. No answer is copied from the reference: the model follows
 * from the rules in README.md. */

struct rng random_of_test(uint64_t stream);                   /* from check_seed(); each test has streams of its own */
uint32_t between(struct rng *r, uint32_t low, uint32_t high); /* both included */
void *room_for(void *old, size_t count, size_t size);         /* realloc, or the test ends */

struct list {
    struct ch_config config;
    enum rule rule;
    struct model *model;
    struct step *step;
    uint32_t n, room;
};

struct list *list_create(enum rule rule, struct ch_config config);
void list_free(struct list *list);

void list_add(struct list *list, uint32_t id, uint32_t weight, uint32_t n);
void list_remove(struct list *list, uint32_t id);
void list_lookup(struct list *list, uint64_t key, uint32_t n); /* n > 1: so many keys that follow from this one */
void list_replicas(struct list *list, uint64_t key, uint32_t n);
void list_place(struct list *list, uint64_t key, uint32_t n);
void list_release(struct list *list, uint32_t id);

/* A node that is there (the list has one), and one that isn't. */
uint32_t some_node(const struct list *list, struct rng *r);
uint32_t no_node(const struct list *list, struct rng *r);

/* Runs the list, and fails the test with the smallest list that shows it when an answer is wrong. Frees the list. What
 * else a failure should say, in a sentence: `lesson`, or NULL. */
void list_check(const char *entry, struct list *list, const char *lesson);

/* The list as the adapter reads it: `size` bytes, to free. The last `late` steps are to be held back. */
struct steps *steps_block(const struct ch_config *config, const struct step *step, uint32_t n, uint32_t late,
                          size_t *size);

#endif
