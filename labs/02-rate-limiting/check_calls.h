/* check_calls.h: what the tests of lab 02 are written with: lists of calls whose right answers the judge's model knows.
 *
 * A list is built with the model at hand, so a test can go where it hurts: a nanosecond before a request fits, and at
 * that nanosecond. The list is then run in a host, and every answer compared with the model's. A list that fails is
 * made smaller, and shown as numbered steps.
 */
#ifndef CHECK_CALLS_H
#define CHECK_CALLS_H

#include "adapter.h"
#include "check_model.h"
#include "grade/check.h"
#include "sim/rng.h"

/* Each test is named in lab.json with its points. What a failure says is all that a student gets to see of it, so it
 * says what was done, what was expected and what happened. No answer is copied from the reference: the model follows
 * from the rules in README.md. */

#define MS  1000000ull /* in nanoseconds */
#define S   1000000000ull
#define ULL unsigned long long

struct rng random_of_test(uint64_t stream);                   /* from check_seed(); each test has streams of its own */
uint64_t between(struct rng *r, uint64_t low, uint64_t high); /* both included */
uint64_t some_key(struct rng *r);                             /* one of four, 0 and the largest among them */

void *room_for(void *old, size_t count, size_t size);                           /* realloc, or the test ends */
struct rl_config config_of(uint64_t limit, uint64_t window_ns, uint64_t burst); /* one thread, one node */

/* ---- lists ---- */

struct list {
    struct rl_config config;
    enum rule rule;
    struct model *model;
    struct call *call;
    uint32_t n, room;
};

/* What is to be right besides the decisions. */
enum { DECISIONS = 0, RETRY = 1, LEFT = 2 };

struct list *list_create(enum rule rule, uint64_t limit, uint64_t window_ns, uint64_t burst);
/* Adds a call. Is it to be allowed? */
bool list_ask(struct list *list, uint64_t key, uint64_t at, uint64_t cost);
/* Adds a call, and if it is refused two more of the same: a nanosecond before it fits, and when it does. Returns the
 * time of the last one. */
uint64_t list_ask_until(struct list *list, uint64_t key, uint64_t at, uint64_t cost);

/* Adds calls of four keys: bursts and pauses, small requests and large ones, some that can never be allowed, and many
 * at the very nanosecond before and when something fits. */
void list_random(struct list *list, struct rng *r, uint64_t start, uint32_t calls);

/* Runs the list, and fails the test with the smallest list that shows it when an answer is wrong. Frees the list. What
 * else a failure should say, in a sentence: `lesson`, or NULL. */
void list_check(const char *entry, struct list *list, unsigned what, const char *lesson);

void list_free(struct list *list);

/* The answers of one run, [n], to free; the test fails when it does not finish. Leaves the list as it is. */
struct call_answer *list_answers(const char *entry, const struct list *list);

/* ---- bulk: lists too long for a model, in which the test itself says what is right ---- */

struct bulk {
    struct rl_config config;
    struct call *call;
    uint8_t *allowed; /* [n] 0 or 1 */
    uint32_t n, room;
};
struct bulk *bulk_create(uint64_t limit, uint64_t window_ns, uint64_t burst, uint32_t calls);
void bulk_ask(struct bulk *bulk, uint64_t key, uint64_t at, uint32_t cost, bool allowed);
/* Runs it with at most data_bytes of memory that can be written. Frees it. `lesson`: what to say when memory runs
 * out. */
void bulk_check(const char *entry, struct bulk *bulk, uint64_t data_bytes, const char *lesson);
/* What a run without any state may take: libraries and all, in pages of any size. */
uint64_t bulk_base_bytes(void);

/* A header and these calls behind it, which is what the adapter reads: `size` bytes, to free. */
void *calls_block(const struct rl_config *config, const struct call *call, uint32_t n, size_t *size);

#endif
