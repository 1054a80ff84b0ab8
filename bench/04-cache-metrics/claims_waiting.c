/* claims_waiting.c: who waits while somebody computes, for how long, and for whom. */
#include "flights.h"
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

/* In seconds. */
static const double rate = 1000, takes = 0.5, ttl = 10;

static struct flights_plan popular(const char *entry)
{
    return (struct flights_plan){.entry = entry,
                                 .config = {.ttl_ns = 10 * S, .stale_ns = 10 * S, .patience_ns = 2 * S, .beta = 1},
                                 .rate = rate,
                                 .takes = takes,
                                 .seconds = 11 * (ttl + takes)}; /* ten whole cycles, and one to begin with */
}

/* ---- p99 ---- */

static double predict_p99(const struct claim_run *run)
{
    (void)run;
    return 1 + 1e3 * theory_flight_p99(takes, ttl);
}

/* In ms; a hit takes one. */
static double p99(const struct claim_run *run)
{
    const struct flights_plan plan = popular(run->entry);
    struct flights f = flights_run(&plan, run->seed);
    flights_free(&f);
    return 1e-6 * f.figures.all.p99_ns;
}

static double predict_stale(const struct claim_run *run)
{
    (void)run;
    return 100 * theory_stale(rate, takes, ttl);
}

static double stale(const struct claim_run *run)
{
    const struct flights_plan plan = popular(run->entry);
    struct flights f = flights_run(&plan, run->seed);
    flights_free(&f);
    return 100 * (double)f.figures.all.stale / (double)f.figures.all.requests;
}

/* ---- leaders that fail, and some that never come back ---- */

/* Every other computation does. Broken, those who wait are never sent to ask again. */
static double longest_wait(const struct claim_run *run)
{
    struct flights_plan plan = popular("single-flight");
    plan.bad_first = run->n;
    if (run->broken)
        plan.config.patience_ns = 1000 * S;
    if (run->broken && run->n == FLIGHTS_FAILS)
        plan.bad_first = FLIGHTS_HANGS;
    struct flights f = flights_run(&plan, run->seed);
    flights_free(&f);
    return f.longest_wait;
}

static const struct claim claims[] = {
    {.id = "single-flight-p99",
     .statement = "With single flight one caller in a hundred waits most of a computation, though 95 % hit.",
     .formula = "1 ms + D - 0.01 (ttl + D): who comes within the computation waits for the rest of it",
     .unit = "ms",
     .source = "simulated",
     .broken = "stale-while-revalidate",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "single-flight"},
     .instead = {.entry = "stale-while-revalidate"},
     .predict = predict_p99,
     .measure = p99,
     .slack = 2,
     .slack_why = "the histogram of latencies is 0.4 % wide"},
    {.id = "stale-p99",
     .statement = "Who serves what is stale meanwhile keeps the p99 of a hit, with as many computations ...",
     .formula = "1 ms: nobody waits",
     .unit = "ms",
     .source = "simulated",
     .broken = "single flight",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.entry = "stale-while-revalidate"},
     .instead = {.entry = "single-flight"},
     .predicted = 1,
     .measure = p99,
     .slack = 0.004,
     .slack_why = "the histogram of latencies is 0.4 % wide"},
    {.id = "stale-answers",
     .statement = "... and pays with answers that are no hits, whatever the dashboard says.",
     .formula = "(1 + r D) / (1 + r (ttl + D))",
     .unit = "% of answers",
     .source = "simulated",
     .broken = "single flight, which gives none",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "stale-while-revalidate"},
     .instead = {.entry = "single-flight"},
     .predict = predict_stale,
     .measure = stale},
    {.id = "hung-leader",
     .statement =
         "A leader that never comes back strands nobody for longer than the patience and one computation more.",
     .formula = "patience + D, every other computation hangs",
     .unit = "s",
     .source = "simulated",
     .broken = "a patience without end",
     .relation = CLAIM_AT_MOST,
     .seeds = 4,
     .of = {.n = FLIGHTS_HANGS},
     .predicted = 2.5,
     .measure = longest_wait},
    {.id = "failed-leader",
     .statement = "One that fails makes the others wait for the next, and no longer.",
     .formula = "2 D, every other computation fails",
     .unit = "s",
     .source = "simulated",
     .broken = "a leader that dies in silence, and a patience without end",
     .relation = CLAIM_AT_MOST,
     .seeds = 4,
     .of = {.n = FLIGHTS_FAILS},
     .predicted = 1,
     .measure = longest_wait},
};

const struct claim_part part_waiting = {.claim = claims, .claims = COUNT(claims)};
