/* claims_cures.c: what heals a service at 70 % load whose callers try four times, at once, after it was down for 20 s.
 *
 * n of the queues is how many may wait.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#define LOAD 700
#define DOWN (20 * S)

static struct seen after_fault(const struct claim_run *run, uint64_t down, uint64_t after)
{
    struct services s = article(LOAD, down, after, run->seed);
    s.service[0].queue.most = run->n ? run->n : UINT32_MAX;
    s.service[0].retry.base_ns = run->x > 0 ? 100 * MS : 0;
    s.service[0].retry.cap_ns = S;
    return see(&s, run->entry);
}

static double measure_heals(const struct claim_run *run)
{
    struct seen seen = after_fault(run, DOWN, 70 * S);
    const double seconds = healed(&seen, FAULT_AT + DOWN);
    seen_free(&seen);
    return seconds;
}

/* A breaker that is open tries again at moments that have nothing to do with the fault's end: so it ends at another one
 * in each run. */
static double measure_breaker(const struct claim_run *run)
{
    const uint64_t down = DOWN + run->seed % 30 * 100 * MS;
    struct seen seen = after_fault(run, down, 20 * S);
    const double seconds = healed(&seen, FAULT_AT + down);
    seen_free(&seen);
    return seconds;
}

static double predict_breaker(const struct claim_run *run)
{
    (void)run;
    return (double)(article_breaker().open_ns + TIMEOUT) * 1e-9;
}

static double measure_goodput(const struct claim_run *run)
{
    struct seen seen = after_fault(run, DOWN, 60 * S);
    const double goodput = goodput_at_end(&seen, 20);
    seen_free(&seen);
    return goodput;
}

static double predict_drained(const struct claim_run *run)
{
    return run->n / MU;
}

/* ---- a budget ---- */

static double predict_budget(const struct claim_run *run)
{
    const struct theory_service s = {.mu = MU, .lambda = LOAD, .timeout = 1, .retries = run->x};
    return theory_heals_within(&s, (double)DOWN * 1e-9);
}

#define NAIVE "fixed-retry"

static const struct claim claims[] = {
    {.id = "budget-heals",
     .statement =
         "A retry budget of 10 % heals it within 67 s; in fact sooner, since nothing succeeds while it is down, "
         "so nothing pays for retries.",
     .formula = "at most D lambda (1 + b) / (mu - lambda (1 + b))",
     .unit = "s",
     .source = "simulated",
     .broken = "naive retries",
     .relation = CLAIM_AT_MOST,
     .seeds = 8,
     .of = {.entry = "retry-budget", .x = 0.1},
     .instead = {.entry = NAIVE},
     .predict = predict_budget,
     .measure = measure_heals},
    {.id = "breaker-heals",
     .statement =
         "A breaker heals it in a second or two: it opens within the first second, so next to nothing waits, and "
         "is at most open, or waiting for its probes, when the fault ends.",
     .formula = "at most the time open + a time-out",
     .unit = "s",
     .source = "simulated",
     .broken = "no breaker",
     .relation = CLAIM_AT_MOST,
     .seeds = 32,
     .of = {.entry = "time-breaker"},
     .instead = {.entry = NAIVE},
     .predict = predict_breaker,
     .measure = measure_breaker},
    {.id = "short-queue-heals",
     .statement = "A queue of 500 heals it: what waits in it is never older than half a time-out.",
     .formula = "cap / mu, until what waited is done for nobody",
     .unit = "s",
     .source = "simulated",
     .broken = "a queue of 2,000",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = NAIVE, .n = 500},
     .instead = {.n = 2000},
     .predict = predict_drained,
     .measure = measure_heals,
     .slack = 0.1,
     .slack_why = "it is looked at in steps of 0.1 s"},
    {.id = "long-queue-never",
     .statement = "One of 2,000 does not: it fills up, and what comes out of it has waited for 2 s, twice a time-out.",
     .formula = "0, as cap / mu = 2 s > T = 1 s",
     .unit = "requests/s",
     .source = "simulated",
     .broken = "a queue of 500",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.entry = NAIVE, .n = 2000},
     .instead = {.n = 500},
     .predicted = 0,
     .measure = measure_goodput},
    {.id = "lifo-heals",
     .statement =
         "A service that takes the newest first answers at once, with an endless queue; the last who had failed "
         "come back three times.",
     .formula = "at most (1 + R) T",
     .unit = "s",
     .source = "simulated",
     .broken = "first come, first served",
     .relation = CLAIM_AT_MOST,
     .seeds = 16,
     .of = {.entry = "lifo"},
     .instead = {.entry = "bounded-fifo"},
     .predicted = TRIES * 1.0,
     .measure = measure_heals},
};

const struct claim_part part_cures = {.claim = claims, .claims = COUNT(claims)};
