/* callers.h: callers of a cache that want values, and an origin that takes its time: in virtual time.
 *
 * A caller asks (cm_recompute_ops) and does what it is told: serves, computes, waits. A computation takes as long as
 * the scenario says, and ends with what the scenario says, or never. When one ends, all who wait for its key ask again,
 * in the order in which they began to wait, after the entry was told (`done`).
 *
 * The same callers run twice: in the host, where an entry decides and its decisions are logged, and in the judge, where
 * the decisions come from the log.
 */
#ifndef CALLERS_H
#define CALLERS_H

#include "cache_metrics.h"

#include <stdio.h>

#define CALLERS_MOST      (1u << 22)
#define CALLERS_MOST_KEYS (1u << 16)

struct caller {
    uint64_t at;
    uint32_t key; /* its number, below `keys` */
    uint32_t pad;
};

struct work {
    uint64_t takes;
    uint32_t result; /* enum cm_result */
    uint32_t hangs;  /* 1: it never comes back */
};

struct callers {
    struct cm_recompute_config config;
    uint64_t seed; /* of u */
    uint64_t asks; /* so many questions at most; then the run ends */
    uint32_t keys;
    uint32_t callers; /* in the order of their times */
    uint32_t works; /* >= 1: the i-th computation that is begun is the i-th; those behind the last are like the last */
    uint32_t
        rounds; /* in a host all of it happens so often, each time with a new state, and the last is logged; 0: once */
    struct caller caller[]; /* [callers], and behind them struct work [works] */
};
#define CALLERS_SIZE(n, m)                                                                                             \
    (sizeof(struct callers) + (size_t)(n) * sizeof(struct caller) + (size_t)(m) * sizeof(struct work))

static inline struct work *callers_works(struct callers *c)
{
    return (struct work *)(c->caller + c->callers);
}

/* What an entry gets to see of key number i: 0, 2^64 - 1, some that are alike in their lower 32 or 48 bits, and others. */
uint64_t callers_key(uint32_t i);

/* ---- a run ---- */

struct question {
    uint32_t caller, key; /* numbers */
    uint64_t now;
    double u;
    bool again; /* it waited */
};

struct computation {
    uint32_t caller, key;
    uint64_t asked, now;
    enum cm_result result;
    double u;
};

/* Who decides. Each may be NULL but ask. */
struct callers_policy {
    void *context;
    bool (*ask)(void *context, const struct question *question, struct cm_decision *decision); /* false: stop */
    void (*done)(void *context, const struct computation *computation);
};

/* 0; -EINVAL for a scenario out of bounds; -ENOMEM. A caller that is told to wait until a time that is not after now, or
 * told no action that there is, is gone. */
int callers_simulate(const struct callers *callers, const struct callers_policy *policy);

/* ---- in the host, and from its log ---- */

/* What is logged, for each question. */
struct ask_record {
    uint64_t until;
    uint32_t action;
    uint32_t pad;
};

struct decision_log;
int callers_run(const struct callers *callers, const struct cm_recompute_ops *ops, struct decision_log *log);

/* "   3. at 2 ms caller 4 wants key 0: wait until 12 ms". */
void question_print(FILE *out, uint32_t number, const struct question *question, const struct cm_decision *decision);

#endif
