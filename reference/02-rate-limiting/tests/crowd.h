/* crowd.h: several threads at one limiter, and what each key got. Without Criterion, so that a program for
 * ThreadSanitizer can use it. */
#ifndef CROWD_H
#define CROWD_H

#include "rate_limiting.h"

struct crowd {
    uint32_t threads, keys;
    uint64_t calls; /* of each thread */
    uint32_t most_cost;
    uint64_t now, first_key, seed;
    /* How a thread goes through the keys. APART: one after the other, from a place of its own. TOGETHER: all threads
     * make calls / keys calls at the first, then wait for each other, then at the next. */
    enum { AT_RANDOM, APART, TOGETHER } order;
    uint32_t arrived;
    uint64_t *units; /* [keys], out: allowed */
};

/* Returns when all threads have made all their calls. */
void crowd_run(struct crowd *c, const struct rl_ops *ops, void *limiter);
void crowd_end(struct crowd *c);

/* To another core, if there is one that this thread may run on. */
void crowd_move(void);

#endif
