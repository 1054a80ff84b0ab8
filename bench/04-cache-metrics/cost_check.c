/* cost_check.c: is an entry right enough to be timed? */
#include "cost_check.h"

#include "ledger.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The judge's ledger goes along: no hit that is none, and never more than there is room for. */
static const char *verify_cache(const struct cm_cache_ops *ops)
{
    static _Thread_local char why[160];
    struct ledger *ledger = ledger_create(100);
    struct cm_config config = {.capacity = 100};
    struct cm_evicted evicted = {0};
    struct rng r;
    void *cache = NULL;
    const char *wrong = NULL;
    rng_seed(&r, 1, 1);
    config.random = r;
    if (!ledger || ops->create(&config, &cache) != 0)
        wrong = "it cannot be made";
    for (uint32_t i = 0; i < 5000 && !wrong; i++) {
        const struct cm_request q = {.key = rng_below(&r, 300), .time = i, .size = 1, .cost_us = 1, .next = CM_NEVER};
        evicted.n = 0;
        const struct answer answer = {ops->request(cache, &q, &evicted), evicted.n, evicted.key};
        const char *said = ledger_enter(ledger, &q, &answer);
        if (said) {
            snprintf(why, sizeof why, "%.150s", said);
            wrong = why;
        }
    }
    if (cache)
        ops->destroy(cache);
    ledger_destroy(ledger);
    free(evicted.key);
    return wrong;
}

static const char *verify_recompute(const struct cm_recompute_ops *ops)
{
    const struct cm_recompute_config config = {.ttl_ns = 1000, .patience_ns = 1000};
    void *state;
    if (ops->create(&config, &state) != 0)
        return "it cannot be made";
    const bool computes = ops->ask(state, 1, 0, 1).action == CM_COMPUTE;
    ops->done(state, 1, 0, 10, CM_VALUE, 1);
    const bool serves = ops->ask(state, 1, 20, 1).action == CM_SERVE;
    ops->destroy(state);
    return computes && serves ? NULL : "it does not compute what is missing, or does not serve what is fresh";
}

static const char *verify_curve(const struct cm_curve_ops *ops)
{
    static const uint64_t key[] = {1, 2, 3, 1, 2, 3}, capacity[] = {2, 3};
    const struct cm_curve_config config = {.most_sampled = 8192};
    double misses[2];
    if (ops->misses(&config, key, COUNT(key), capacity, 2, misses) != 0)
        return "it failed";
    return fabs(misses[0] - 6) < 0.1 && fabs(misses[1] - 3) < 0.1 ? NULL : "of three keys in turn it counts wrongly";
}

const char *cost_check(const struct cm_ops *ops)
{
    return ops->cache       ? verify_cache(ops->cache)
           : ops->recompute ? verify_recompute(ops->recompute)
           : ops->curve     ? verify_curve(ops->curve)
                            : NULL;
}
