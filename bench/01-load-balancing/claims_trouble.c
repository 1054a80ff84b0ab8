/* claims_trouble.c: what breaks the clever ones: news that is old, a server that fails fast, and balancers that do not
 * see each other.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

/* ---- old news ---- */

enum { BOARD_SERVERS = 128, OLD = 8, STALE = 64 }; /* the last two in service times, which are 1 ms */
static const double board_load = 0.9;

/* On reports that are n service times old. */
static double measure_board(const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(BOARD_SERVERS, board_load, 250000, 300 * BOARD_SERVERS, run->seed);
    s.report_every_ns = run->n * UINT64_C(1000000);
    return run_mean_ms(run->entry, &s);
}

static double predict_blind(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_mm1_mean(1000 * board_load, 1000);
}

static double predict_board(const struct claim_run *run)
{
    return theory_board_mean(2, board_load, run->n);
}

/* ---- a server that fails fast ---- */

enum {
    FAILS_IN = 1000,
    TRIAL_SECONDS = 60
}; /* ns; a server out for 1, 2, 3 ... seconds is tried after 55 and after 66 */
static const double fail_load = 0.6;

static void run_with_failing(const char *entry, double seconds, uint64_t seed, struct fleet_result *r)
{
    const uint64_t requests = (uint64_t)(seconds * 10000 * fail_load);
    struct fleet_scenario s = equal_fleet(10, fail_load, requests, 0, seed);
    const struct fleet_change fails = {.at = 0, .server = 3, .kind = FLEET_FAIL_FAST, .value = FAILS_IN};
    s.change = &fails;
    s.changes = 1;
    run_entry(entry, &s, r);
}

static double predict_swallowed(const struct claim_run *run)
{
    (void)run;
    return 100 * theory_fail_fast_share(10, 10 * fail_load);
}

static double measure_swallowed(const struct claim_run *run)
{
    struct fleet_result r;
    run_with_failing(run->entry, 30, run->seed, &r);
    const double share = 100 * fleet_loss(&r);
    fleet_result_free(&r);
    return share;
}

static double predict_ejected(const struct claim_run *run)
{
    (void)run;
    return theory_ejected_failures(5, 1, TRIAL_SECONDS);
}

static double measure_ejected(const struct claim_run *run)
{
    struct fleet_result r;
    run_with_failing(run->entry, TRIAL_SECONDS, run->seed, &r);
    const double failures = (double)(r.offered - r.ok);
    fleet_result_free(&r);
    return failures;
}

/* ---- balancers that do not see each other ---- */

enum { CROWD = 4000 };
static const double crowd_load = 0.7;

/* All start at the same place, and take their first turns together. Where a balancer is in its cycle is forgotten after
 * some tens of requests each. */
static double measure_crowd(const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(10, crowd_load, 200000, 50 * run->n + 20000, run->seed);
    s.balancers = run->n;
    return run_mean_ms(run->entry, &s);
}

static double predict_crowd(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_mm1_mean(1000 * crowd_load, 1000);
}

static double predict_fresh_start(const struct claim_run *run)
{
    (void)run;
    const double none = 1 - 1.0 / (double)CROWD;
    return 100 * (1 - theory_power(none, CROWD));
}

/* The first requests of a crowd of new balancers, one for each on the average. */
static double measure_fresh_start(const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(10, crowd_load, CROWD, 0, run->seed);
    struct fleet_result r;
    s.balancers = CROWD;
    run_entry(run->entry, &s, &r);
    const double share = 100.0 * (double)r.server[0].picked / (double)r.offered;
    fleet_result_free(&r);
    return share;
}

enum { TOKEN_BALANCERS = 50, SERVERS_EACH = 10 };

static double predict_tokens(const struct claim_run *run)
{
    (void)run;
    return theory_join_idle_mean(SERVERS_EACH, 0.9);
}

static double measure_tokens(const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(TOKEN_BALANCERS * SERVERS_EACH, 0.9, 300000, 150000, run->seed);
    s.balancers = TOKEN_BALANCERS;
    return run_mean_ms(run->entry, &s);
}

/* ---- the table ---- */

static const struct claim claims[] = {
    {.id = "herding",
     .statement = "The shortest queue of 8 service times ago is no longer the shortest: everybody runs there, and it "
                  "is worse than not looking at all.",
     .formula = "at least 1 / (1 - load), which drawing lots has",
     .unit = "service times",
     .source = "simulated",
     .broken = "two choices on the same old reports in place of the shortest queue",
     .relation = CLAIM_AT_LEAST,
     .seeds = 24,
     .of = {.entry = "join-shortest-queue", .n = OLD},
     .instead = {.entry = "two-choices-reported"},
     .predict = predict_blind,
     .measure = measure_board},
    {.id = "two-choices-of-old-news",
     .statement = "Two choices on reports just as old bear it: who looks at little can't run after everybody else.",
     .formula = "the notice board: a_i = load (Q_i^2 - Q_(i+1)^2) / q_i for a period, over and over",
     .unit = "service times",
     .source = "simulated",
     .broken = "the shortest queue on the same old reports in place of two choices",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "two-choices-reported", .n = OLD},
     .instead = {.entry = "join-shortest-queue"},
     .predict = predict_board,
     .measure = measure_board,
     .slack = 0.04,
     .slack_why =
         "the formula is the limit of many servers: n are off by 4.6/n, measured from 64 to 256; here n = 128"},
    {.id = "two-choices-of-stale-news",
     .statement =
         "But not for ever: on reports of 64 service times ago two choices are worse than drawing lots as well, "
         "which would take 10.",
     .formula = "the notice board: a_i = load (Q_i^2 - Q_(i+1)^2) / q_i for a period, over and over",
     .unit = "service times",
     .source = "simulated",
     .broken = "random, which needs no news, in place of two choices",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "two-choices-reported", .n = STALE},
     .instead = {.entry = "random"},
     .predict = predict_board,
     .measure = measure_board,
     .slack = 0.16,
     .slack_why = "the formula is the limit of many servers: n are off by 20/n, measured from 64 to 256; here n = 128"},
    {.id = "fail-fast-swallows",
     .statement = "A server that answers at once, with errors, is never busy: at 60 % load least connections sends it "
                  "more than twice its share.",
     .formula = "1 / (N - a (1 - B(N-1, a)))",
     .unit = "%",
     .source = "simulated",
     .broken = "random, which does not look, in place of least connections",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "least-connections-buckets"},
     .instead = {.entry = "random"},
     .predict = predict_swallowed,
     .measure = measure_swallowed,
     .slack = 0.03,
     .slack_why =
         "the formula is for an answer in no time; in the microsecond that it takes here the server is not idle: "
         "0.03 % of the requests, and ten times that at ten microseconds"},
    {.id = "fail-fast-ejected",
     .statement = "Take out who fails five times in a row, longer each time, and a minute costs a handful of requests "
                  "for each trial instead of 80,000.",
     .formula = "5 x (trials at 0, 1, 3, 6, 10 ... s)",
     .unit = "requests",
     .source = "counted",
     .broken = "least connections without ejection",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "outlier-ejection+least-connections-buckets"},
     .instead = {.entry = "least-connections-buckets"},
     .predict = predict_ejected,
     .measure = measure_ejected},
    {.id = "many-round-robins",
     .statement =
         "Four thousand balancers that each take turns are together no better than drawing lots: the order was "
         "worth something only while one alone kept it.",
     .formula = "1 / (mu - lambda) (Palm and Khinchine: the sum of many sparse streams is Poisson)",
     .unit = "ms",
     .source = "simulated",
     .broken = "one balancer in place of four thousand",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "round-robin", .n = CROWD},
     .instead = {.n = 1},
     .predict = predict_crowd,
     .measure = measure_crowd,
     .slack = 0.01,
     .slack_why = "the sum of m streams is Poisson only in the limit: off by about 24/m ms, measured at m = 500"},
    {.id = "many-least-connections",
     .statement =
         "Nor are four thousand that each count only what they sent themselves: there is next to nothing to count.",
     .formula = "1 / (mu - lambda)",
     .unit = "ms",
     .source = "simulated",
     .broken = "one balancer in place of four thousand",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "least-connections", .n = CROWD},
     .instead = {.n = 1},
     .predict = predict_crowd,
     .measure = measure_crowd,
     .slack = 0.01,
     .slack_why = "the sum of m streams is Poisson only in the limit: off by about 24/m ms, measured at m = 500"},
    {.id = "fresh-start",
     .statement = "Fresh balancers all begin with the same server: of the first requests of a crowd, one each, it gets "
                  "nearly two thirds.",
     .formula = "1 - (1 - 1/m)^m, about 1 - 1/e",
     .unit = "%",
     .source = "simulated",
     .broken = "random in place of round robin",
     .relation = CLAIM_EQUALS,
     .seeds = 100,
     .of = {.entry = "round-robin"},
     .instead = {.entry = "random"},
     .predict = predict_fresh_start,
     .measure = measure_fresh_start},
    {.id = "tokens-from-the-idle",
     .statement = "Let idle servers say so, each to one balancer, and fifty balancers do at 90 % load what none of "
                  "them could see alone.",
     .formula = "join idle queue: 1 / (1 - load (1 - p)), p / (1 - p) = r (1 - load), r servers a balancer",
     .unit = "service times",
     .source = "simulated",
     .broken = "random in place of join idle queue",
     .relation = CLAIM_EQUALS,
     .seeds = 24,
     .of = {.entry = "join-idle-queue"},
     .instead = {.entry = "random"},
     .predict = predict_tokens,
     .measure = measure_tokens,
     .slack = 0.03,
     .slack_why = "the theorem is the limit of many, and counts an idle server once: here one that a lot has found "
                  "stays listed as idle where it said so"},
};

const struct claim_part part_trouble = {.claim = claims, .claims = COUNT(claims)};
