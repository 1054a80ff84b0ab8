/* claims_retries.c: a service is down for a while, and those whom it failed try again.
 *
 * x is the load in requests/s, n how long it is down, in seconds. The service can do 1,000/s, a try is given up after
 * 1 s, and a request is tried up to four times, at once.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <string.h>

static struct theory_service service_of(const struct claim_run *run)
{
    const double retries = strcmp(run->entry, "no-retry") == 0 ? 0 : TRIES - 1;
    return (struct theory_service){.mu = MU, .lambda = run->x, .timeout = TIMEOUT * 1e-9, .retries = retries};
}

/* Retries that wait: from 0.1 s on, at most 10 s. */
static struct services waits(struct services s)
{
    s.service[0].retry.base_ns = 100 * MS;
    s.service[0].retry.cap_ns = 10 * S;
    return s;
}

static struct services down(const struct claim_run *run, uint64_t after)
{
    const struct services s = article(run->x, run->n * S, after, run->seed);
    return strcmp(run->entry, "full-jitter") == 0 || strcmp(run->entry, "retry-budget") == 0 ? waits(s) : s;
}

static double measure_heals(const struct claim_run *run)
{
    const struct services s = down(run, 110 * S);
    struct seen seen = see(&s, run->entry);
    const double seconds = healed(&seen, FAULT_AT + run->n * S);
    seen_free(&seen);
    return seconds;
}

static double measure_goodput(const struct claim_run *run)
{
    const struct services s = down(run, 60 * S);
    struct seen seen = see(&s, run->entry);
    const double goodput = goodput_at_end(&seen, 20);
    seen_free(&seen);
    return goodput;
}

static double measure_answered(const struct claim_run *run)
{
    const struct services s = down(run, 60 * S);
    struct seen seen = see(&s, run->entry);
    const double answered = answered_at_end(&seen, 20);
    seen_free(&seen);
    return answered;
}

static double predict_within(const struct claim_run *run)
{
    const struct theory_service s = service_of(run);
    return theory_heals_within(&s, run->n);
}

static double predict_after(const struct claim_run *run)
{
    const struct theory_service s = service_of(run);
    return theory_heals_after(&s, run->n);
}

/* ---- the edge ---- */

/* The largest load, to 1 request/s, that works off what a standstill of 3.5 s left: 2,000, of which a time-out's work,
 * 1,000, is answered in time. With 3,000 it is as far from healing as it was at first, and taken for lost. */
#define LOST 3000u

static double measure_edge(const struct claim_run *run)
{
    uint32_t heals = 225, never = 275;
    while (never - heals > 1) {
        const uint32_t load = (heals + never) / 2;
        struct services s = article(load, 3500 * MS, 4000 * S, run->seed);
        s.service[0].retry.most_tries = run->n;
        if (works_off(&s, "fixed-retry", LOST))
            heals = load;
        else
            never = load;
    }
    return (heals + never) / 2.0;
}

static double predict_edge(const struct claim_run *run)
{
    const struct theory_service s = {.mu = MU, .retries = run->n - 1.0};
    return theory_edge(&s);
}

/* ---- what retries add ---- */

#define LOST_S 200u

/* Half of all tries are lost, all the time. */
static double measure_load(const struct claim_run *run)
{
    struct services s = waits(article(run->x, LOST_S * S, 0, run->seed));
    s.trouble[0].speed_permille = 1000;
    s.trouble[0].lost_permille = 500;
    struct seen seen = see(&s, run->entry);
    const double times = (double)seen.tries / (double)seen.requests;
    seen_free(&seen);
    return times;
}

#define NAIVE "fixed-retry"

static const struct claim claims[] = {
    {.id = "naive-never-heals",
     .statement = "A service at 70 % load is down for 20 s. Requests are tried four times, at once: a minute after the "
                  "fault is over nobody is answered.",
     .formula = "0, as lambda (1 + R) = 2,800 > mu = 1,000",
     .unit = "requests/s",
     .source = "simulated",
     .broken = "no retries",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.entry = NAIVE, .x = 700, .n = 20},
     .instead = {.entry = "no-retry"},
     .predicted = 0,
     .measure = measure_goodput},
    {.id = "naive-heals",
     .statement = "At 20 % load it heals, but it takes four times as long as the fault did.",
     .formula = "at most D lambda (1 + R) / (mu - lambda (1 + R))",
     .unit = "s",
     .source = "simulated",
     .broken = "30 % load",
     .relation = CLAIM_AT_MOST,
     .seeds = 16,
     .of = {.entry = NAIVE, .x = 200, .n = 20},
     .instead = {.x = 300},
     .predict = predict_within,
     .measure = measure_heals},
    {.id = "naive-heals-after",
     .statement =
         "To the second: what waits at the end of the fault, but for a time-out's work, is worked off at what is "
         "left of mu; a time-out later the first are answered.",
     .formula = "(lambda (D + (D-T) + (D-2T) + (D-3T)) - mu T) / (mu - lambda (1 + R)) + T",
     .unit = "s",
     .source = "simulated",
     .broken = "no retries",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = NAIVE, .x = 200, .n = 20},
     .instead = {.entry = "no-retry"},
     .predict = predict_after,
     .measure = measure_heals,
     .slack = 4,
     .slack_why = "while the wait is close to a time-out chance decides: some fail again, and come back three times"},
    {.id = "edge",
     .statement =
         "The largest load from which a service with three retries heals by itself is a quarter of what it can do.",
     .formula = "mu / (1 + R)",
     .unit = "requests/s",
     .source = "simulated",
     .broken = "one retry",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.n = TRIES},
     .instead = {.n = 2},
     .predict = predict_edge,
     .measure = measure_edge,
     .slack = 2.5,
     .slack_why = "1 %: at the edge the queue is a random walk, so who draws well heals a little above it"},
    {.id = "no-retry-heals",
     .statement = "Without retries it heals at 70 % load, in a little less than D lambda / (mu - lambda) = 47 s.",
     .formula = "(D lambda - mu T) / (mu - lambda) + T",
     .unit = "s",
     .source = "simulated",
     .broken = "naive retries",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "no-retry", .x = 700, .n = 20},
     .instead = {.entry = NAIVE},
     .predict = predict_after,
     .measure = measure_heals,
     .slack = 1,
     .slack_why = "while the wait is close to a time-out chance decides"},
    {.id = "survives-2s",
     .statement = "At 30 % load a fault of 2 s passes: what waits is less than a time-out's work.",
     .formula = "all, as lambda (2 s + 1 s) = 900 < mu T = 1,000",
     .unit = "% answered",
     .source = "simulated",
     .broken = "20 s down",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = NAIVE, .x = 300, .n = 2},
     .instead = {.n = 20},
     .predicted = 100,
     .measure = measure_answered},
    {.id = "dies-20s",
     .statement = "One of 20 s does not, at the same load: vulnerable is not yet failed, and failed does not heal.",
     .formula = "none, as lambda (1 + R) = 1,200 > mu",
     .unit = "% answered",
     .source = "simulated",
     .broken = "2 s down",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = NAIVE, .x = 300, .n = 20},
     .instead = {.n = 2},
     .predicted = 0,
     .measure = measure_answered},
    {.id = "jitter-never",
     .statement = "Full jitter of up to 10 s spreads the same load over a longer time: it never heals either.",
     .formula = "0, as lambda (1 + R) = 2,800 > mu, whenever they come",
     .unit = "requests/s",
     .source = "simulated",
     .broken = "the same jitter with a budget",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.entry = "full-jitter", .x = 700, .n = 20},
     .instead = {.entry = "retry-budget"},
     .predicted = 0,
     .measure = measure_goodput},
    {.id = "budget-load",
     .statement = "A budget of 10 % bounds what retries add, also when half of all tries are lost.",
     .formula = "at most 1 + b",
     .unit = "tries a request",
     .source = "simulated",
     .broken = "naive retries",
     .relation = CLAIM_AT_MOST,
     .seeds = 8,
     .of = {.entry = "retry-budget", .x = 200},
     .instead = {.entry = NAIVE},
     .predicted = 1.1,
     .measure = measure_load},
};

const struct claim_part part_retries = {.claim = claims, .claims = COUNT(claims)};
