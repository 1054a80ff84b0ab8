/* crowd.h: several threads at one limiter, and what each key got. */
#ifndef CROWD_H
#define CROWD_H

#include "rate_limiting.h"

struct crowd {
    uint32_t threads, keys;
    uint64_t calls; /* of each thread */
    uint32_t most_cost;
    uint64_t now, first_key, seed;
    /* How a thread goes through the keys. APART: calls / keys calls at one, then at the next, from a place of its own.
     * TOGETHER: all threads begin with the same one, and wait for each other before each. */
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
