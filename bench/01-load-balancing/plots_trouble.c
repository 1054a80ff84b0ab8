/* plots_trouble.c: old news, a server that fails fast, and balancers that do not see each other. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { REQUESTS = 60000 };

/* ---- old news ---- */

enum { BOARD_SERVERS = 64, PERIODS = 9, BEARABLE = 7 };

static double period_of(uint32_t i)
{
    return 0.25 * (double)(1u << i);
}

static double herd(const char *entry, uint32_t i, const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(BOARD_SERVERS, 0.9, REQUESTS, 500 * BOARD_SERVERS, run->seed);
    s.report_every_ns = (uint64_t)(1e6 * period_of(i));
    return run_mean_ms(entry, &s);
}

static double herd_shortest(uint32_t i, const struct claim_run *run)
{
    return herd("join-shortest-queue", i, run);
}

static double herd_two(uint32_t i, const struct claim_run *run)
{
    return herd("two-choices-reported", i, run);
}

static double herd_two_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return theory_board_mean(2, 0.9, period_of(i));
}

static double herd_random_theory(uint32_t i, const struct claim_run *run)
{
    (void)i, (void)run;
    return theory_supermarket_mean(1, 0.9);
}

static const struct claim_series herd_series[] = {
    {"random, theory", true, PERIODS, period_of, herd_random_theory},
    {"two choices of reports, theory", true, PERIODS, period_of, herd_two_theory},
    {"two choices of reports", false, PERIODS, period_of, herd_two},
    {"shortest queue reported", false, BEARABLE, period_of, herd_shortest},
    {0},
};

/* ---- a server that fails fast ---- */

enum { FAILS_IN = 1000, SECONDS = 10 };

static double fail_load(uint32_t i)
{
    return 0.1 * (i + 1);
}

static double fail_load_fine(uint32_t i)
{
    return 0.02 * (i + 1);
}

static double failed(const char *entry, uint32_t i, const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(10, fail_load(i), (uint64_t)(SECONDS * 10000 * fail_load(i)), 0, run->seed);
    const struct fleet_change fails = {.at = 0, .server = 3, .kind = FLEET_FAIL_FAST, .value = FAILS_IN};
    s.change = &fails;
    s.changes = 1;
    return run_loss(entry, &s);
}

static double failed_counting(uint32_t i, const struct claim_run *run)
{
    return failed("least-connections-buckets", i, run);
}

static double failed_random(uint32_t i, const struct claim_run *run)
{
    return failed("random", i, run);
}

static double failed_ejecting(uint32_t i, const struct claim_run *run)
{
    return failed("outlier-ejection+least-connections-buckets", i, run);
}

static double failed_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return 100 * theory_fail_fast_share(10, 10 * fail_load_fine(i));
}

static const struct claim_series failed_series[] = {
    {"least connections, theory", true, 40, fail_load_fine, failed_theory},
    {"least connections", false, 8, fail_load, failed_counting},
    {"random", false, 8, fail_load, failed_random},
    {"least connections with ejection", false, 8, fail_load, failed_ejecting},
    {0},
};

/* ---- balancers that do not see each other ---- */

enum { CROWDS = 7 };
static const double crowd_load = 0.7;

static double crowd_of(uint32_t i)
{
    static const double balancers[CROWDS] = {1, 3, 10, 30, 100, 300, 1000};
    return balancers[i];
}

static double crowd(const char *entry, uint32_t i, const struct claim_run *run)
{
    const uint32_t balancers = (uint32_t)crowd_of(i);
    struct fleet_scenario s = equal_fleet(10, crowd_load, REQUESTS, 50 * balancers + 10000, run->seed);
    s.balancers = balancers;
    return run_mean_ms(entry, &s);
}

static double crowd_turns(uint32_t i, const struct claim_run *run)
{
    return crowd("round-robin", i, run);
}

static double crowd_counts(uint32_t i, const struct claim_run *run)
{
    return crowd("least-connections", i, run);
}

static double crowd_tokens(uint32_t i, const struct claim_run *run)
{
    return crowd("join-idle-queue", i, run);
}

static double crowd_random_theory(uint32_t i, const struct claim_run *run)
{
    (void)i, (void)run;
    return 1e3 * theory_mm1_mean(1000 * crowd_load, 1000);
}

static double crowd_turns_theory(uint32_t i, const struct claim_run *run)
{
    (void)i, (void)run;
    return 1e3 * theory_erlang_arrivals_mean(10, 1000 * crowd_load, 1000);
}

static const struct claim_series crowd_series[] = {
    {"random, theory", true, CROWDS, crowd_of, crowd_random_theory},
    {"one round robin, theory", true, CROWDS, crowd_of, crowd_turns_theory},
    {"round robin", false, CROWDS, crowd_of, crowd_turns},
    {"least connections", false, CROWDS, crowd_of, crowd_counts},
    {"join idle queue", false, CROWDS, crowd_of, crowd_tokens},
    {0},
};

/* ---- the table ---- */

static const struct claim_plot table[] = {
    {.id = "herding",
     .title = "How useful is old information?",
     .reading = "64 servers at 90 % load, whose queues are reported now and then. While reports are fresh the shortest "
                "queue is best; when they come every four service times it is already worse than drawing lots. Two "
                "choices bear reports nine times as old; but for ever neither do they.",
     .x = "time between reports",
     .x_unit = "service times",
     .y = "mean time",
     .y_unit = "service times",
     .log_x = true,
     .log_y = true,
     .seeds = 10,
     .series = herd_series},
    {.id = "fail-fast",
     .title = "One of ten servers answers at once, with errors",
     .reading = "Random loses the failing server's tenth. Least connections loses more, and the more the busier the "
                "healthy ones are: a server that fails is always the least busy. Ejection leaves next to nothing.",
     .x = "load",
     .x_unit = "of ten servers",
     .y = "requests lost",
     .y_unit = "%",
     .seeds = 10,
     .series = failed_series},
    {.id = "balancers",
     .title = "Balancers that do not see each other",
     .reading =
         "Ten servers at 70 % load. One balancer's order or count is worth much; of many balancers each sees too "
         "little of it, and all end as random does. Idle servers that speak up help while there are not many more "
         "balancers than servers.",
     .x = "balancers",
     .x_unit = "",
     .y = "mean time",
     .y_unit = "ms",
     .log_x = true,
     .seeds = 10,
     .series = crowd_series},
};

const struct claim_part plots_trouble = {.plot = table, .plots = COUNT(table)};
