/* retries.h: what all entries that try again have in common. */
#ifndef RETRIES_H
#define RETRIES_H

#include "circuit_breaker.h"

struct retries {
    struct cb_retry_config config;
    uint64_t saved; /* budgets: in hundredths of a retry */
};

int retries_create(const struct cb_retry_config *config, void **retries);
void retries_destroy(void *retries);

/* May there be one more try, which begins after `delay`? Not when they are used up, nor when nobody waits any more. */
static inline bool retries_left(const struct retries *r, const struct cb_failed *f, uint64_t delay)
{
    return f->tries < r->config.most_tries && f->now + delay < f->deadline;
}

/* base x 2^(tries - 1), at most cap: in double, which has no end that a shift would run over. */
static inline double retries_ceiling(const struct retries *r, uint32_t tries)
{
    double ceiling = (double)r->config.base_ns;
    for (uint32_t i = 1; i < tries && ceiling < (double)r->config.cap_ns; i++)
        ceiling *= 2;
    return ceiling < (double)r->config.cap_ns ? ceiling : (double)r->config.cap_ns;
}

#endif
