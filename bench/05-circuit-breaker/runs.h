/* runs.h: the experiments of lab 05: services under a policy of the reference's entries, and what became of requests.
 *
 * All functions touch nothing global once runs_load has returned, and may run on several threads at once. An entry that
 * is missing or fails ends the program with exit code 3: no claim can be told without it.
 */
#ifndef RUNS_H
#define RUNS_H

#include "circuit_breaker.h"
#include "services.h"
#include "storage.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/* Loads the reference plugin from $FAULTLINE_BUILD (default "build"). Once, before any thread. */
void runs_load(void);

const struct cb_breaker_ops *breaker_named(const char *name);
const struct cb_retry_ops *retry_named(const char *name);

/* A breaker stands before naive retries, a queue behind them, and other retries take their place. "fixed-retry", with a
 * base of 0, is naive. "a+b": both. */
struct services_policy policy_named(const char *entry);

/* The article's service: 1,000 requests/s, one at a time, each 1 ms; time-outs of 1 s, up to 4 tries; at rest from
 * FAULT_AT on for `down` ns. Nothing bounds its queue. */
#define FAULT_AT (5 * S)
#define TIMEOUT  S
#define TRIES    4u
#define MU       1000.0
struct services article(double rate, uint64_t down, uint64_t after, uint64_t seed);

/* Opens at half of at least 20 calls in a second, for 2 s, then tries 20. */
struct cb_breaker_config article_breaker(void);

/* What was seen, in steps of STEP. The caller's; ends with seen_free. */
#define STEP (100 * MS)
struct seen {
    uint32_t steps;
    uint32_t *sent, *good, *bad; /* [steps]: tries at the last service; requests that ended */
    uint32_t *refused;           /* [steps]: requests, by a breaker */
    uint64_t tries, requests, successes, by_kind[SERVICES_KINDS], good_by_kind[SERVICES_KINDS];
    uint64_t busy_from; /* working at the first service, summed over time from here on */
    double busy_ns;
    uint64_t last;
    uint32_t working, last_service;
};
void seen_free(struct seen *seen);
struct seen see(const struct services *services, const char *entry);
struct seen see_from(const struct services *services, const char *entry, uint64_t busy_from);

/* Seconds from `at` until from then on nine of ten requests that end succeed, in every step; what never does counts as
 * the whole time that was left. */
double healed(const struct seen *seen, uint64_t at);

/* In the last `seconds`: requests that succeed, and tries, a second; and of the requests that ended, % that succeeded. */
double goodput_at_end(const struct seen *seen, uint32_t seconds);
double answered_at_end(const struct seen *seen, uint32_t seconds);
double load_at_end(const struct seen *seen, uint32_t seconds);

/* After a standstill: true when what waits is worked off, false when it becomes more than `most`. Stops as soon as it
 * knows; at `until` it says which is nearer. */
bool works_off(const struct services *services, const char *entry, uint32_t most);

/* The event of 2015, as far as it is known. at_once: who was not told asks again without a wait; else the first wait is
 * up to a time-out. */
struct storage event_2015(bool at_once, uint64_t seed);
struct storage_result store(const struct storage *storage, const char *entry, uint32_t *in_service, uint32_t seconds);

#endif
