/* claims_expiry.c: who computes when a value expires: everybody, one, a few ahead of time, or each key at its own. */
#include "flights.h"
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <math.h>

/* A popular value, half a second to compute, asked for run->n times a second; early by beta = run->x. */
static const double takes = 0.5;

static struct flights_plan popular(const char *entry, double rate, double beta, double callers)
{
    /* So long that the first to be early hardly ever finds its value younger than that. */
    const double ahead = beta > 0 ? theory_early_lead(rate, takes, beta) + 6 * beta * takes : 2;
    return (struct flights_plan){
        .entry = entry,
        .config = {.ttl_ns = (uint64_t)(1e9 * ahead), .patience_ns = 60 * S, .stale_ns = 10 * S, .beta = beta},
        .rate = rate,
        .takes = takes,
        .seconds = callers / rate};
}

static struct flights_cycles cycles(const struct claim_run *run, double callers)
{
    const struct flights_plan plan = popular(run->entry, run->n, run->x, callers);
    struct flights f = flights_run(&plan, run->seed);
    const struct flights_cycles c = flights_cycles(&f);
    flights_free(&f);
    return c;
}

static double computations(const struct claim_run *run)
{
    return cycles(run, 150e3).computations;
}

static double lead(const struct claim_run *run)
{
    return cycles(run, 150e3).lead;
}

static double predict_stampede(const struct claim_run *run)
{
    return theory_stampede(run->n, takes);
}

static double predict_early(const struct claim_run *run)
{
    return theory_early(run->x);
}

static double predict_lead(const struct claim_run *run)
{
    return theory_early_lead(run->n, takes, run->x);
}

/* ---- many keys that were filled at once ---- */

enum { MANY = 2000 };
static const double ttl = 10, window = 1;

static double predict_jitter(const struct claim_run *run)
{
    return theory_jitter(MANY, run->x, ttl);
}

/* Computations of the busiest second, once all of the keys are there. Each is asked for 20 times a second. */
static double busiest(const struct claim_run *run)
{
    const struct flights_plan plan = {
        .entry = "ttl-jitter",
        .config = {.ttl_ns = (uint64_t)(1e9 * ttl), .jitter = run->broken ? 0 : run->x, .patience_ns = 60 * S},
        .rate = 20 * MANY,
        .takes = 0.001,
        .seconds = ttl + 2,
        .keys = MANY};
    struct flights f = flights_run(&plan, run->seed);
    double most = 0;
    for (double from = ttl * (1 - run->x); from < ttl + 0.5; from += window)
        most = fmax(most, flights_begun(&f, (uint64_t)(1e9 * from), (uint64_t)(1e9 * (from + window))));
    flights_free(&f);
    return most / window;
}

/* ---- keys that do not exist ---- */

static double predict_negative(const struct claim_run *run)
{
    return 100 * theory_negative(run->n, run->x);
}

static double reach_origin(const struct claim_run *run)
{
    const struct flights_plan plan = {
        .entry = run->entry,
        .config = {.ttl_ns = S, .negative_ttl_ns = (uint64_t)(1e9 * run->x), .patience_ns = 60 * S},
        .rate = run->n,
        .takes = 1e-6,
        .seconds = 1000,
        .no_values = true};
    struct flights f = flights_run(&plan, run->seed);
    const double share = 100.0 * f.n / f.callers;
    flights_free(&f);
    return share;
}

static const struct claim claims[] = {
    {.id = "stampede",
     .statement =
         "Of a value asked for 1,000 times a second that takes half a second, 501 callers compute each expiry.",
     .formula = "1 + callers/s x seconds",
     .unit = "computations",
     .source = "simulated",
     .broken = "single flight",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "no-coordination", .n = 1000},
     .instead = {.entry = "single-flight"},
     .predict = predict_stampede,
     .measure = computations},
    {.id = "single-flight",
     .statement = "With single flight one does.",
     .formula = "1",
     .unit = "computations",
     .source = "simulated",
     .broken = "nobody who coordinates",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.entry = "single-flight", .n = 1000},
     .instead = {.entry = "no-coordination"},
     .predicted = 1,
     .measure = computations},
    {.id = "early-expiry",
     .statement = "With early expiry nobody waits, and not one computes each expiry, but e of them.",
     .formula = "e^(1 / beta), beta = 1",
     .unit = "computations",
     .source = "simulated",
     .broken = "single flight: the one that is often promised",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "early-expiry", .x = 1, .n = 1000},
     .instead = {.entry = "single-flight"},
     .predict = predict_early,
     .measure = computations},
    {.id = "early-expiry-slower",
     .statement = "Whatever the rate: a fifth of the callers, and as many computations.",
     .formula = "e^(1 / beta), beta = 1",
     .unit = "computations",
     .source = "simulated",
     .broken = "nobody who coordinates: a fifth of the stampede",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "early-expiry", .x = 1, .n = 200},
     .instead = {.entry = "no-coordination"},
     .predict = predict_early,
     .measure = computations},
    {.id = "early-expiry-later",
     .statement = "With half of beta they begin later, and more of them do.",
     .formula = "e^(1 / beta), beta = 0.5",
     .unit = "computations",
     .source = "simulated",
     .broken = "beta = 1",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "early-expiry", .x = 0.5, .n = 400},
     .instead = {.x = 1},
     .predict = predict_early,
     .measure = computations,
     .slack = 0.1,
     .slack_why = "the formula is the limit of many callers within a computation; here they are 200"},
    {.id = "early-lead",
     .statement = "The first of them begins so long before the value expires.",
     .formula = "beta D (ln(r beta D) + 0.5772), 1,000 callers/s, half a second",
     .unit = "s",
     .source = "simulated",
     .broken = "nobody who is early",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "early-expiry", .x = 1, .n = 1000},
     .instead = {.entry = "no-coordination"},
     .predict = predict_lead,
     .measure = lead},
    {.id = "jitter",
     .statement = "2,000 keys filled at once come back over half of their ttl, when each has a ttl of its own.",
     .formula = "keys / (jitter x ttl)",
     .unit = "computations in the busiest second",
     .source = "simulated",
     .broken = "one ttl for all: they come back within a second",
     .relation = CLAIM_EQUALS,
     .seeds = 12,
     .of = {.x = 0.5},
     .predict = predict_jitter,
     .measure = busiest,
     .slack = 40,
     .slack_why = "the busiest of five seconds is one standard deviation, 20, above their mean, or two"},
    {.id = "negative-caching",
     .statement =
         "Of a hundred requests a second for a key that isn't there, about one in a second reaches the origin.",
     .formula = "1 / (1 + requests/s x negative ttl)",
     .unit = "% of requests",
     .source = "simulated",
     .broken = "nothing is kept of the answer that there is nothing",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "negative-caching", .x = 1, .n = 100},
     .instead = {.entry = "no-coordination"},
     .predict = predict_negative,
     .measure = reach_origin},
};

/* ---- plots ---- */

static double moment(uint32_t i)
{
    return 0.125 * i;
}

static double under_way(const struct claim_run *run)
{
    struct flights_plan plan = popular(run->entry, run->n, 0, 0);
    plan.config.ttl_ns = 10 * S;
    plan.config.beta = 1;
    plan.seconds = 24.5;
    struct flights f = flights_run(&plan, run->seed);
    const double n = flights_under_way(&f, (uint64_t)(1e9 * run->x));
    flights_free(&f);
    return fmax(n, 0.5); /* the scale has no 0 */
}

static const struct claim_series flight_series[] = {
    {.name = "nobody coordinates",
     .line = true,
     .points = 193,
     .x = moment,
     .of = {.entry = "no-coordination", .n = 200},
     .y = under_way},
    {.name = "early expiry",
     .line = true,
     .points = 193,
     .x = moment,
     .of = {.entry = "early-expiry", .n = 200},
     .y = under_way},
    {.name = "single flight",
     .line = true,
     .points = 193,
     .x = moment,
     .of = {.entry = "single-flight", .n = 200},
     .y = under_way},
    {.name = NULL},
};

static double fewer_computations(const struct claim_run *run)
{
    return cycles(run, 40e3).computations;
}

static double fewer_lead(const struct claim_run *run)
{
    return cycles(run, 40e3).lead;
}

static const double betas[] = {0.4, 0.5, 0.7, 1, 1.5, 2, 3};

static const struct claim_series beta_series[] = {
    {.name = "computations, theory",
     .line = true,
     .points = COUNT(betas),
     .at = betas,
     .of = {.n = 400},
     .y = predict_early},
    {.name = "computations",
     .points = COUNT(betas),
     .at = betas,
     .of = {.entry = "early-expiry", .n = 400},
     .y = fewer_computations},
    {.name = "seconds ahead, theory",
     .line = true,
     .points = COUNT(betas),
     .at = betas,
     .of = {.n = 400},
     .y = predict_lead},
    {.name = "seconds ahead",
     .points = COUNT(betas),
     .at = betas,
     .of = {.entry = "early-expiry", .n = 400},
     .y = fewer_lead},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "stampede",
     .title = "One value, 200 callers a second, half a second to compute, a ttl of ten",
     .reading =
         "When it expires, everybody computes until the first is back: a hundred at once, and the next hundred "
         "begins with the next expiry. Early expiry has the same at the start, when there is nothing to be early "
         "for; then a few. One at a time is one.",
     .x = "time",
     .x_unit = "s",
     .y = "computations under way",
     .y_unit = "computations",
     .log_y = true,
     .seeds = 1,
     .series = flight_series},
    {.id = "beta",
     .title = "What beta buys: fewer computations, further ahead",
     .reading = "400 callers a second, half a second to compute. With a larger beta fewer compute for each expiry, "
                "and the value is used for less of its ttl.",
     .x = "beta",
     .x_unit = "ratio",
     .y = "computations, or seconds",
     .y_unit = "for each expiry",
     .log_x = true,
     .log_y = true,
     .seeds = 12,
     .series = beta_series},
};

const struct claim_part part_expiry = {.claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
