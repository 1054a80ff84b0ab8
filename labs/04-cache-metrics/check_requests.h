/* check_requests.h: what the tests of caches are written with: lists of requests whose right answers the judge's model
 * knows.
 */
#ifndef CHECK_REQUESTS_H
#define CHECK_REQUESTS_H

#include "adapter.h"
#include "check_model.h"
#include "grade/check.h"

/* Each test is named in lab.json with its points. What a failure says is all that a student gets to see of it, so it
 * says what was done, what was expected and what happened. No answer is copied from the reference: the model follows
 * from the rules in README.md. */

#define MS UINT64_C(1000000) /* in nanoseconds */

struct rng random_of_test(uint64_t stream);                   /* from check_seed(); each test has streams of its own */
uint32_t between(struct rng *r, uint32_t low, uint32_t high); /* both included */

struct list {
    enum rule rule;
    struct caches caches;
    struct model *model[REQUESTS_CACHES];
    struct step *step;
    uint32_t n, room;
    uint64_t now;
};

/* `caches` of this capacity side by side; give others another one in caches.config before the first request. */
struct list *list_create(enum rule rule, uint64_t capacity, uint32_t caches);
void list_free(struct list *list);

/* Adds a request at list->now, to cache 0 or to the one that is named. */
void list_ask(struct list *list, uint64_t key, uint32_t size, uint32_t cost_us, uint32_t ttl_ms);
void list_ask_cache(struct list *list, uint32_t cache, const struct cm_request *request);

/* What random requests are like. */
struct shape {
    uint32_t requests, keys;
    uint32_t size, cost_us, ttl_ms; /* up to so much: 1 … size, 0 … cost_us, 0 … ttl_ms (whose half have none) */
    bool own_size;                  /* each key has its size and cost; else every request has others */
    uint32_t step_us;               /* the time between two: 0 … step_us */
};
/* Adds them: popular keys and rare ones, keys that are alike in some of their bits, runs of one key, and scans. */
void list_random(struct list *list, struct rng *r, const struct shape *shape);

/* Runs the list, and fails the test with the smallest list that shows it when an answer is wrong. Frees the list. What
 * else a failure should say, in a sentence: `lesson`, or NULL. */
void list_check(const char *entry, struct list *list, const char *lesson);

/* A ttl to the nanosecond, what fits in no way, sizes and capacities beyond 32 bits: short lists, and the same for all. */
void list_check_edges(const char *entry, enum rule rule);

/* Caches that come and go: a short list, carried out tens of thousands of times in little memory. */
void list_check_ends(const char *entry, enum rule rule, uint64_t stream);

/* Bytes that can be written, libraries and all, which take pages whatever their size: 2 MiB with pages of 4 KiB, of which
 * less than 400 KiB are taken before the entry is there. */
uint64_t small_memory(void);

/* A header, these caches and steps behind it, which is what the adapter reads: `size` bytes, to free. */
void *requests_block(const struct caches *caches, const struct step *step, uint32_t n, uint32_t late, size_t *size);

const struct requests *requests_of(const void *block);

#endif
