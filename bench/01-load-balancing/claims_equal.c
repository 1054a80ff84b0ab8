/* claims_equal.c: equal servers, and what each piece of knowledge is worth: nothing (random), an order (round robin),
 * two or three looks (choices), one queue for all. All at 90 % load, where chance hurts.
 *
 * The laws of d choices are limits of many servers. A fleet of n is off by about k/n, so two sizes, n and 4 n, tell
 * where n leads to: (4 T(4n) - T(n)) / 3. What is left is of the order 1/n^2. From n = 16, 64 and 256 it can be
 * measured: 4 to 8 service times over n^2, one to two thousandths at n = 64; the extrapolation leaves a quarter of it.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

enum { FEW = 10, SIZE = 64 };
static const double load = 0.9;

/* ---- turns against lots ---- */

static double predict_turns(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_erlang_arrivals_mean(FEW, 1000 * load, 1000);
}

static double measure_turns(const struct claim_run *run)
{
    const struct fleet_scenario s = equal_fleet(FEW, load, 300000, 50000, run->seed);
    return run_mean_ms(run->entry, &s);
}

static double predict_percentile(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_mm1_percentile(800, 1000, 0.01);
}

static double measure_percentile(const struct claim_run *run)
{
    const struct fleet_scenario s = equal_fleet(FEW, 0.8, 300000, 20000, run->seed);
    struct fleet_result r;
    uint64_t ns;
    run_entry(run->entry, &s, &r);
    hist_percentile(r.latency, 99, &ns);
    fleet_result_free(&r);
    return (double)ns / 1e6;
}

/* ---- d choices ---- */

static double measure_choices(const struct claim_run *run)
{
    const struct fleet_scenario small = equal_fleet(SIZE, load, 250000, 300 * SIZE, run->seed);
    const struct fleet_scenario large = equal_fleet(4 * SIZE, load, 250000, 4 * 300 * SIZE, run->seed + 1);
    return (4 * run_mean_ms(run->entry, &large) - run_mean_ms(run->entry, &small)) / 3;
}

static double predict_choices(const struct claim_run *run)
{
    return theory_supermarket_mean(run->n, load);
}

/* Servers that get their requests by lot are queues of their own, however many there are: no limit needed. */
static double measure_one(const struct claim_run *run)
{
    const struct fleet_scenario s = equal_fleet(SIZE, load, 500000, 300000, run->seed);
    return run_mean_ms(run->entry, &s);
}

static double predict_tail(const struct claim_run *run)
{
    (void)run;
    return 100 * theory_supermarket_tail(2, load, 4);
}

static double measure_tail(const struct claim_run *run)
{
    const struct fleet_scenario small = equal_fleet(SIZE, load, 250000, 300 * SIZE, run->seed);
    const struct fleet_scenario large = equal_fleet(4 * SIZE, load, 250000, 4 * 300 * SIZE, run->seed + 1);
    return (4 * run_tail(run->entry, &large, 4) - run_tail(run->entry, &small, 4)) / 3;
}

/* ---- balls into bins ---- */

enum { BINS = 1 << 16 };

static double predict_balls(const struct claim_run *run)
{
    return theory_fullest_bin(run->n, BINS);
}

static double measure_balls(const struct claim_run *run)
{
    return run_fullest_bin(run->entry, BINS, run->seed);
}

/* ---- the table ---- */

#define LIMIT "the extrapolation from 64 and 256 servers leaves a term of the order 1/64^2"

static const struct claim claims[] = {
    {.id = "turns-beat-lots",
     .statement = "On equal servers round robin is good: taking turns smooths the arrivals, and a request takes little "
                  "more than half of the time that drawing lots would cost it.",
     .formula = "E_N/M/1: 1 / (mu (1 - s)), s = (N lambda / (N lambda + mu (1 - s)))^N; lots: 1 / (mu - lambda)",
     .unit = "ms",
     .source = "simulated",
     .broken = "random in place of round robin",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "round-robin"},
     .instead = {.entry = "random"},
     .predict = predict_turns,
     .measure = measure_turns},
    {.id = "percentile-of-lots",
     .statement = "A mean hides its tail: one request in a hundred takes 4.6 times the mean, at any load.",
     .formula = "p99 = ln(100) / (mu - lambda)",
     .unit = "ms",
     .source = "simulated",
     .broken = "two choices in place of random",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "random"},
     .instead = {.entry = "two-choices"},
     .predict = predict_percentile,
     .measure = measure_percentile,
     .slack = 0.09,
     .slack_why = "the histogram's buckets: a percentile is within 0.39 %"},
    {.id = "one-choice",
     .statement = "One random choice: at 90 % load a request takes ten service times, however many servers there are.",
     .formula = "1 / (1 - load)",
     .unit = "service times",
     .source = "simulated",
     .broken = "two choices in place of one",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "random", .n = 1},
     .instead = {.entry = "two-choices"},
     .predict = predict_choices,
     .measure = measure_one},
    {.id = "two-choices",
     .statement = "A second look takes three quarters of that away.",
     .formula = "sum over i >= 1 of load^(2^i - 2)",
     .unit = "service times",
     .source = "simulated",
     .broken = "one choice in place of two",
     .relation = CLAIM_EQUALS,
     .seeds = 24,
     .of = {.entry = "two-choices", .n = 2},
     .instead = {.entry = "random"},
     .predict = predict_choices,
     .measure = measure_choices,
     .slack = 0.001,
     .slack_why = LIMIT},
    {.id = "three-choices",
     .statement = "A third look brings little more: the step from one to two is the one that counts.",
     .formula = "sum over i >= 1 of load^((3^i - 3) / 2)",
     .unit = "service times",
     .source = "simulated",
     .broken = "two choices in place of three",
     .relation = CLAIM_EQUALS,
     .seeds = 24,
     .of = {.entry = "three-choices", .n = 3},
     .instead = {.entry = "two-choices"},
     .predict = predict_choices,
     .measure = measure_choices,
     .slack = 0.001,
     .slack_why = LIMIT},
    {.id = "tail-of-two-choices",
     .statement = "With two choices hardly any queue gets long: the share that holds i or more falls doubly "
                  "exponentially; here i = 4, where one choice has two queues in three.",
     .formula = "load^(2^i - 1)",
     .unit = "%",
     .source = "simulated",
     .broken = "one choice in place of two",
     .relation = CLAIM_EQUALS,
     .seeds = 24,
     .of = {.entry = "two-choices"},
     .instead = {.entry = "random"},
     .predict = predict_tail,
     .measure = measure_tail,
     .slack = 0.05,
     .slack_why = LIMIT},
    {.id = "balls-one-choice",
     .statement = "65,536 requests thrown at 65,536 servers by lot: the unluckiest gets seven or eight.",
     .formula = "sum over i of 1 - (1 - x_i)^n, dx_i/dt = x_(i-1) - x_i; grows as ln n / ln ln n",
     .unit = "requests",
     .source = "counted",
     .broken = "two choices in place of one",
     .relation = CLAIM_EQUALS,
     .seeds = 400,
     .of = {.entry = "random", .n = 1},
     .instead = {.entry = "two-choices"},
     .predict = predict_balls,
     .measure = measure_balls},
    {.id = "balls-two-choices",
     .statement = "Each thrown at the emptier of two: the fullest holds three, now and then four.",
     .formula = "sum over i of 1 - (1 - x_i)^n, dx_i/dt = x_(i-1)^2 - x_i^2; grows as ln ln n / ln 2",
     .unit = "requests",
     .source = "counted",
     .broken = "one choice in place of two",
     .relation = CLAIM_EQUALS,
     .seeds = 400,
     .of = {.entry = "two-choices", .n = 2},
     .instead = {.entry = "random"},
     .predict = predict_balls,
     .measure = measure_balls},
    {.id = "balls-three-choices",
     .statement = "The emptiest of three: three, and that is all.",
     .formula = "sum over i of 1 - (1 - x_i)^n, dx_i/dt = x_(i-1)^3 - x_i^3; grows as ln ln n / ln 3",
     .unit = "requests",
     .source = "counted",
     .broken = "two choices in place of three",
     .relation = CLAIM_EQUALS,
     .seeds = 100,
     .of = {.entry = "three-choices", .n = 3},
     .instead = {.entry = "two-choices"},
     .predict = predict_balls,
     .measure = measure_balls,
     .slack = 0.001,
     .slack_why = "a fullest bin of four is rarer than these runs can see"},
};

const struct claim_part part_equal = {.claim = claims, .claims = COUNT(claims)};
