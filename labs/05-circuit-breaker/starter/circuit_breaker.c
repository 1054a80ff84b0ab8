/* Lab 05: your circuit breaker, and what belongs to it. This is the one file that you hand in.
 *
 * The contract, with what every operation promises, is in circuit_breaker.h; the tasks and their rules are in README.md.
 * The first entry, naive retries, is complete: it shows how one is made, and it is what fails in the article. The
 * entries after it are yours.
 *
 *     make check LAB=05                    all public tests, with your points
 *     make check LAB=05 TEST=opens         one of them
 *     make hint  LAB=05 TEST=probes        the next of three hints
 */
#include "circuit_breaker.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- retries: what all of them need, complete ---- */

struct retries {
    struct cb_retry_config config;
    uint64_t saved; /* what you like */
};

static int retries_create(const struct cb_retry_config *config, void **retries)
{
    struct retries *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->config = *config;
    *retries = r;
    return 0;
}

static void retries_destroy(void *retries)
{
    free(retries);
}

/* ---- naive retries, complete: at once, until the tries are used up ---- */

static bool naive_retry(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    const struct retries *r = retries;
    *delay = 0;
    return failed->tries < r->config.most_tries;
}

static const struct cb_retry_ops naive_ops = {
    .create = retries_create, .destroy = retries_destroy, .retry = naive_retry};
CB_RETRY(naive, "naive", "tries again at once", &naive_ops);

/* ---- task 0: break it ---- */

static int break_it_make(const struct cb_bounds *bounds, struct cb_fault *fault)
{
    (void)bounds;
    (void)fault;
    return 0; /* TODO: no fault does no harm */
}

static const struct cb_faults_ops break_it_ops = {.make = break_it_make};
CB_FAULTS(break_it, "break-it", "a fault that outlives itself", &break_it_ops);

/* ---- tasks 1 and 2: a breaker by the last so many calls ---- */

struct count_breaker {
    struct cb_breaker_config config;
    /* TODO: the state, a window, what is known of the probes */
};

static int count_create(const struct cb_breaker_config *config, void **breaker)
{
    struct count_breaker *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->config = *config;
    *breaker = b;
    return 0;
}

static void count_destroy(void *breaker)
{
    free(breaker);
}

static struct cb_permit count_allow(void *breaker, uint64_t now)
{
    (void)breaker;
    (void)now;
    return (struct cb_permit){false, 0}; /* TODO */
}

static void count_record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    (void)breaker;
    (void)ticket;
    (void)now;
    (void)outcome;
    (void)latency; /* TODO */
}

static const struct cb_breaker_ops count_ops = {
    .create = count_create, .destroy = count_destroy, .allow = count_allow, .record = count_record};
CB_BREAKER(count_breaker, "count-breaker", "opens by the last so many calls", &count_ops);

/* ---- task 3: a breaker by the calls of the last so many seconds ---- */

struct time_breaker {
    struct cb_breaker_config config;
    /* TODO */
};

static int time_create(const struct cb_breaker_config *config, void **breaker)
{
    struct time_breaker *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->config = *config;
    *breaker = b;
    return 0;
}

static void time_destroy(void *breaker)
{
    free(breaker);
}

static struct cb_permit time_allow(void *breaker, uint64_t now)
{
    (void)breaker;
    (void)now;
    return (struct cb_permit){false, 0}; /* TODO */
}

static void time_record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    (void)breaker;
    (void)ticket;
    (void)now;
    (void)outcome;
    (void)latency; /* TODO */
}

static const struct cb_breaker_ops time_ops = {
    .create = time_create, .destroy = time_destroy, .allow = time_allow, .record = time_record};
CB_BREAKER(time_breaker, "time-breaker", "opens by the calls of the last so many seconds", &time_ops);

/* ---- task 4: full jitter, with a budget ---- */

static bool budget_retry(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    (void)retries;
    (void)failed;
    *delay = 1; /* TODO */
    return true;
}

static const struct cb_retry_ops budget_ops = {
    .create = retries_create, .destroy = retries_destroy, .retry = budget_retry};
CB_RETRY(retry_budget, "retry-budget", "full jitter, paid for by what succeeded", &budget_ops);

/* ---- task 5: shedding ---- */

static int shedding_create(const struct cb_queue_config *config, void **queue)
{
    (void)config;
    *queue = NULL; /* TODO */
    return 0;
}

static void shedding_destroy(void *queue)
{
    (void)queue;
}

static bool shedding_arrive(void *queue, uint64_t now, const struct cb_work *work, struct cb_dropped *dropped)
{
    (void)queue;
    (void)now;
    (void)work;
    (void)dropped;
    return false; /* TODO: a service that refuses everything is never late */
}

static uint32_t shedding_take(void *queue, uint64_t now, struct cb_dropped *dropped)
{
    (void)queue;
    (void)now;
    (void)dropped;
    return CB_NOTHING; /* TODO */
}

static const struct cb_queue_ops shedding_ops = {
    .create = shedding_create, .destroy = shedding_destroy, .arrive = shedding_arrive, .take = shedding_take};
CB_QUEUE(shedding, "shedding", "does what is still of use", &shedding_ops);

/* ---- task 6: a policy of your own for 20 September 2015 ---- */

static bool own_retry(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    (void)retries;
    (void)failed;
    *delay = 0; /* TODO: at once is what they did */
    return true;
}

static const struct cb_retry_ops own_ops = {.create = retries_create, .destroy = retries_destroy, .retry = own_retry};
CB_RETRY(own_policy, "own-policy", "my own", &own_ops);
