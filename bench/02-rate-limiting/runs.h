/* runs.h: the experiments of lab 02: entries of the reference plugin, asked by clients, and what came of it.
 *
 * All functions touch nothing global once runs_load has returned, and may run on several threads at once. An entry that
 * is missing or fails ends the program with exit code 3: no claim can be told without it. Times are in ns.
 */
#ifndef RUNS_H
#define RUNS_H

#include "rate_limiting.h"
#include "window.h"

/* Loads the reference plugin from $FAULTLINE_BUILD (default "build"). Once, before any thread. */
void runs_load(void);

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/* The article's limit: 100 requests a minute, a burst of 100, one node that tells the others at once. */
struct rl_config article_limit(void);

/* One limiter at work. */
struct limiter {
    const struct rl_ops *ops;
    void *state;
};
struct limiter limiter_create(const char *entry, const struct rl_config *config);
void limiter_destroy(struct limiter *limiter);
struct rl_answer limiter_ask(struct limiter *limiter, uint64_t key, uint64_t now, uint32_t node);

/* What was admitted, in the order of time. */
struct admissions {
    struct admitted *list;
    size_t count, room;
};
void admissions_add(struct admissions *a, uint64_t at);
void admissions_free(struct admissions *a);

/* Asks `n` times at `at`, of key 1, and keeps what was admitted. Returns how many were. */
uint64_t ask_at(struct limiter *limiter, struct admissions *a, uint64_t at, uint64_t n);

#endif
