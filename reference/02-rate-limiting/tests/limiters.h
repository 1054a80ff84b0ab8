/* limiters.h: any entry by name, and beside it an oracle that knows its promise and nothing of how it is kept.
 *
 * The oracle remembers each unit that was ever allowed, and judges a request by the definition alone: `oracle_fits`, a
 * sum over all of them. What is left, and when to come back, it finds by bisection over that. Slow, and plain to see.
 */
#ifndef LIMITERS_H
#define LIMITERS_H

#include "rate_limiting.h"

#include "sim/rng.h"

#include <criterion/criterion.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 huge;

enum promise { FIXED, LOG, COUNTER, BUCKET, QUEUE, LOCAL, DISTRIBUTED };

struct candidate {
    const char *name;
    enum promise promise;
};

/* All entries that limit a rate, each with what it promises. */
extern const struct candidate candidates[];
extern const uint32_t candidates_count;

struct limiter_run {
    const char *name;
    const struct rl_ops *ops;
    void *limiter;
};

const struct rl_ops *limiter_ops(const char *name); /* fails the test if there is none */

/* create's answer; 0: limiter_stop ends it. */
int limiter_start(struct limiter_run *l, const char *name, const struct rl_config *config);
void limiter_stop(struct limiter_run *l);

static inline struct rl_answer ask(struct limiter_run *l, uint64_t key, uint64_t now, uint32_t cost)
{
    return l->ops->allow(l->limiter, key, now, cost, 0);
}

/* The key that keys_mix makes this id of. */
uint64_t keys_unmix(uint64_t id);

/* N in T, burst N, one thread, one node. */
struct rl_config plain_config(uint64_t limit, uint64_t window_ns);

/* ---- the oracle: one key ---------------------------------------------------------------------------------------- */

#define MOST_TAKEN 2048u

struct taken {
    uint64_t at;
    uint32_t cost, node;
};

struct oracle {
    struct rl_config config;
    enum promise promise;
    uint32_t count;
    struct taken list[MOST_TAKEN];
};

bool oracle_fits(const struct oracle *o, uint64_t now, uint64_t cost, uint32_t node);
struct rl_answer oracle_ask(struct oracle *o, uint64_t now, uint32_t cost, uint32_t node);

static inline bool same_answer(struct rl_answer a, struct rl_answer b)
{
    return a.allowed == b.allowed && a.delay_ns == b.delay_ns && a.retry_ns == b.retry_ns && a.left == b.left;
}

/* Fails the test with both answers in numbers when they differ. */
void expect_answer(const char *name, uint32_t step, struct rl_answer actual, struct rl_answer expected);

/* ---- random input ----------------------------------------------------------------------------------------------- */

struct rl_config draw_config(struct rng *r);
uint64_t draw_start(struct rng *r, const struct rl_config *c);
/* Later than or the same as `now`, but below RL_MAX_TIME: often where something begins or ends. */
uint64_t draw_next(struct rng *r, const struct rl_config *c, uint64_t now);
uint32_t draw_cost(struct rng *r, const struct rl_config *c, uint64_t left);

#endif
