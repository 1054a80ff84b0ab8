/* claims_recompute.c: what happens when a value expires: how many compute it, how long others wait. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define S    UINT64_C(1000000000)
#define RATE 1000.0 /* callers/s of one key */
#define TOOK 0.5    /* s */
#define TTL  10.0   /* s */

static struct crowd crowd_of(const char *entry, double beta)
{
    return (struct crowd){
        .entry = entry,
        .config = {.ttl_ns = (uint64_t)(TTL * 1e9), .stale_ns = 5 * S, .patience_ns = 3 * S, .beta = beta},
        .rate = RATE,
        .seconds = 60,
        .warm_up = 5,
        .takes = TOOK,
        .keys = 1};
}

/* Computations for each time that the value expired, or would have. x: beta. */
static double each_expiry(const struct claim_run *run)
{
    struct crowd c = crowd_of(run->entry, run->x);
    c.seconds = 150;
    const struct crowd_seen s = runs_crowd(&c, run->seed);
    return s.expiries > 0 ? (double)s.computations / s.expiries : NAN;
}

static double predict_stampede(const struct claim_run *run)
{
    (void)run;
    return theory_stampede(RATE, TOOK);
}

static double predict_early(const struct claim_run *run)
{
    return theory_early(run->x);
}

static double predict_lead(const struct claim_run *run)
{
    return theory_early_lead(run->x, RATE, TOOK);
}

static double lead(const struct claim_run *run)
{
    struct crowd c = crowd_of(run->entry, run->x);
    c.seconds = 150;
    return runs_crowd(&c, run->seed).lead;
}

static double p99(const struct claim_run *run)
{
    const struct crowd c = crowd_of(run->entry, 1);
    return runs_crowd(&c, run->seed).p99;
}

/* The slowest hundredth of a cycle's callers came in its last part of the computation. */
static double predict_p99(const struct claim_run *run)
{
    (void)run;
    return TOOK - 0.01 * (TTL + TOOK);
}

/* Every other computation hangs. How long anybody waited. x: patience. */
static double longest_wait(const struct claim_run *run)
{
    struct crowd c = crowd_of(run->entry, 1);
    c.config.patience_ns = (uint64_t)(run->x * 1e9);
    c.hang_one_in = 2;
    return runs_crowd(&c, run->seed).longest_wait;
}

/* ---- many keys ---- */

#define KEYS 2000u

static double burst(const struct claim_run *run)
{
    struct crowd c = crowd_of(run->entry, 1);
    c.config.jitter = 0.5;
    c.rate = 40000;
    c.seconds = 11;
    c.warm_up = 1;
    c.takes = 0.001;
    c.keys = KEYS;
    c.all_at_once = true;
    return runs_crowd(&c, run->seed).most_in_a_second;
}

static double predict_spread(const struct claim_run *run)
{
    (void)run;
    return KEYS / (0.5 * TTL);
}

/* ---- what does not exist ---- */

static double predict_nothing(const struct claim_run *run)
{
    const double negative = 1, took = 0.01;
    (void)run;
    return 100 * (1 + RATE * took) / (1 + RATE * (took + negative));
}

static double reach_the_origin(const struct claim_run *run)
{
    struct crowd c = crowd_of(run->entry, 1);
    c.config.negative_ttl_ns = S;
    c.takes = 0.01;
    c.nothing = true;
    c.warm_up = 0;
    const struct crowd_seen s = runs_crowd(&c, run->seed);
    return 100 * (double)s.computations / (double)s.asked;
}

static const struct claim claims[] = {
    {.id = "stampede",
     .statement = "A value that is asked for 1,000 times a second and takes half a second to compute: when it expires, "
                  "501 compute it.",
     .formula = "1 + rate x D",
     .unit = "computations",
     .source = "simulated",
     .broken = "single flight in place of no coordination",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "no-coordination", .x = 1},
     .instead = {.entry = "single-flight"},
     .predict = predict_stampede,
     .measure = each_expiry},
    {.id = "single-flight",
     .statement = "With single flight one computes.",
     .formula = "one",
     .unit = "computations",
     .source = "simulated",
     .broken = "no coordination in place of single flight",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "single-flight", .x = 1},
     .instead = {.entry = "no-coordination"},
     .predicted = 1,
     .measure = each_expiry},
    {.id = "single-flight-p99",
     .statement = "But all wait for him: the 99th percentile is nearly the whole computation.",
     .formula = "D - 0.01 (ttl + D)",
     .unit = "s",
     .source = "simulated",
     .broken = "stale-while-revalidate in place of single flight",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "single-flight"},
     .instead = {.entry = "stale-while-revalidate"},
     .predict = predict_p99,
     .measure = p99,
     .slack = 0.02,
     .slack_why = "a minute is no whole number of cycles"},
    {.id = "stale-p99",
     .statement = "Whoever is given the old value meanwhile does not wait at all.",
     .formula = "0",
     .unit = "s",
     .source = "simulated",
     .broken = "single flight in place of stale-while-revalidate",
     .relation = CLAIM_AT_MOST,
     .seeds = 4,
     .of = {.entry = "stale-while-revalidate"},
     .instead = {.entry = "single-flight"},
     .predicted = 0,
     .measure = p99},
    {.id = "hung-leader",
     .statement = "A leader who hangs strands nobody for longer than the patience, and a computation.",
     .formula = "patience + D, when every other leader hangs",
     .unit = "s",
     .source = "simulated",
     .broken = "a patience of 20 s in place of 3 s",
     .relation = CLAIM_AT_MOST,
     .seeds = 4,
     .of = {.entry = "single-flight", .x = 3},
     .instead = {.x = 20},
     .predicted = 3 + TOOK,
     .measure = longest_wait},
    {.id = "early-expiry",
     .statement = "When each caller may begin early, by chance, 2.7 compute it for each expiry, whatever the rate.",
     .formula = "e^(1 / beta), beta = 1",
     .unit = "computations",
     .source = "simulated",
     .broken = "beta = 2 in place of 1",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "early-expiry", .x = 1},
     .instead = {.x = 2},
     .predict = predict_early,
     .measure = each_expiry,
     .slack = 0.03,
     .slack_why = "the formula is the limit of many callers in the time of a computation"},
    {.id = "early-expiry-eager",
     .statement = "Half as eager (beta = 0.5), 7.4 compute it: nobody tells them of each other.",
     .formula = "e^(1 / beta), beta = 0.5",
     .unit = "computations",
     .source = "simulated",
     .broken = "beta = 1 in place of 0.5",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "early-expiry", .x = 0.5},
     .instead = {.x = 1},
     .predict = predict_early,
     .measure = each_expiry,
     .slack = 0.15,
     .slack_why = "the formula is the limit of many callers in the time of a computation"},
    {.id = "early-lead",
     .statement = "The first of them begins 3.4 s before the value expires.",
     .formula = "beta D (ln(rate beta D) + 0.577)",
     .unit = "s",
     .source = "simulated",
     .broken = "beta = 0.5 in place of 1",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "early-expiry", .x = 1},
     .instead = {.x = 0.5},
     .predict = predict_lead,
     .measure = lead,
     .slack = 0.03,
     .slack_why = "the formula is the limit of many callers in the time of a computation"},
    {.id = "jitter",
     .statement = "2,000 values that were filled at one moment come back over 5 s, with a ttl drawn from 5 to 10 s: "
                  "400 a second.",
     .formula = "keys / (jitter x ttl), and a quarter for the luck of the worst second and those who come twice",
     .unit = "computations/s",
     .source = "simulated",
     .broken = "one ttl for all in place of jitter",
     .relation = CLAIM_AT_MOST,
     .seeds = 16,
     .of = {.entry = "ttl-jitter"},
     .instead = {.entry = "no-coordination"},
     .predict = predict_spread,
     .measure = burst,
     .slack = 100,
     .slack_why = "the worst of five seconds, and callers who come while it is computed"},
    {.id = "negative-caching",
     .statement = "Of requests for what does not exist one in a hundred reaches the origin when that answer is kept "
                  "for a second.",
     .formula = "(1 + rate D) / (1 + rate (D + negative ttl)), D = 10 ms",
     .unit = "%",
     .source = "simulated",
     .broken = "nothing is kept of such an answer",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "negative-caching"},
     .instead = {.entry = "no-coordination"},
     .predict = predict_nothing,
     .measure = reach_the_origin,
     .slack = 0.02,
     .slack_why = "a minute is no whole number of cycles"},
};

/* ---- plots ---- */

static double x_tenth(uint32_t i)
{
    return 8 + 0.1 * i;
}

static double y_under_way(const struct claim_run *run)
{
    struct crowd c = crowd_of(run->entry, 1);
    c.seconds = 14;
    const struct crowd_seen s = runs_crowd(&c, run->seed);
    const uint32_t n = s.under_way[(uint32_t)(run->x * 10 + 0.5)];
    return n > 0 ? n : 0.1; /* the scale is logarithmic */
}

static const struct claim_series series[] = {
    {.name = "no coordination", .points = 50, .x = x_tenth, .of = {.entry = "no-coordination"}, .y = y_under_way},
    {.name = "early expiry", .points = 50, .x = x_tenth, .of = {.entry = "early-expiry"}, .y = y_under_way},
    {.name = "single flight", .points = 50, .x = x_tenth, .of = {.entry = "single-flight"}, .y = y_under_way},
    {0}};

static const struct claim_plot plots[] = {
    {.id = "expiry",
     .title = "A value expires at about 10.5 s: computations of it under way",
     .reading = "Without coordination 500 compute the same value within half a second (0.1 stands for none). With "
                "single flight "
                "it is one. With early expiry a few began before it was over, each at another moment.",
     .x = "time",
     .x_unit = "s",
     .y = "computations under way",
     .y_unit = "number",
     .log_y = true,
     .seeds = 1,
     .series = series},
};

const struct claim_part part_recompute = {
    .claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
