/* plots_trouble.c: old news, a server that fails fast, and balancers that do not see each other. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

enum { REQUESTS = 60000 };

/* ---- old news ---- */

enum { BOARD_SERVERS = 64, BEARABLE = 7 };

static const double periods[] = {0.25, 0.5, 1, 2, 4, 8, 16, 32, 64};

static double herd(const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(BOARD_SERVERS, 0.9, REQUESTS, 500 * BOARD_SERVERS, run->seed);
    s.report_every_ns = (uint64_t)(1e6 * run->x);
    return run_mean_ms(run->entry, &s);
}

static double herd_two_theory(const struct claim_run *run)
{
    return theory_board_mean(2, 0.9, run->x);
}

static double herd_random_theory(const struct claim_run *run)
{
    (void)run;
    return theory_supermarket_mean(1, 0.9);
}

static const struct claim_series herd_series[] = {
    {.name = "random, theory", .line = true, .points = COUNT(periods), .at = periods, .y = herd_random_theory},
    {.name = "two choices of reports, theory",
     .line = true,
     .points = COUNT(periods),
     .at = periods,
     .y = herd_two_theory},
    {.name = "two choices of reports",
     .points = COUNT(periods),
     .at = periods,
     .of = {.entry = "two-choices-reported"},
     .y = herd},
    {.name = "shortest queue reported",
     .points = BEARABLE,
     .at = periods,
     .of = {.entry = "join-shortest-queue"},
     .y = herd},
    {.name = NULL},
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

static double failed(const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(10, run->x, (uint64_t)(SECONDS * 10000 * run->x), 0, run->seed);
    const struct fleet_change fails = {.at = 0, .server = 3, .kind = FLEET_FAIL_FAST, .value = FAILS_IN};
    s.change = &fails;
    s.changes = 1;
    return run_loss(run->entry, &s);
}

static double failed_theory(const struct claim_run *run)
{
    return 100 * theory_fail_fast_share(10, 10 * run->x);
}

static const struct claim_series failed_series[] = {
    {.name = "least connections, theory", .line = true, .points = 40, .x = fail_load_fine, .y = failed_theory},
    {.name = "least connections",
     .points = 8,
     .x = fail_load,
     .of = {.entry = "least-connections-buckets"},
     .y = failed},
    {.name = "random", .points = 8, .x = fail_load, .of = {.entry = "random"}, .y = failed},
    {.name = "least connections with ejection",
     .points = 8,
     .x = fail_load,
     .of = {.entry = "outlier-ejection+least-connections-buckets"},
     .y = failed},
    {.name = NULL},
};

/* ---- balancers that do not see each other ---- */

static const double crowd_load = 0.7;

static const double crowds[] = {1, 3, 10, 30, 100, 300, 1000};

static double crowd(const struct claim_run *run)
{
    const uint32_t balancers = (uint32_t)run->x;
    struct fleet_scenario s = equal_fleet(10, crowd_load, REQUESTS, 50 * balancers + 10000, run->seed);
    s.balancers = balancers;
    return run_mean_ms(run->entry, &s);
}

static double crowd_random_theory(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_mm1_mean(1000 * crowd_load, 1000);
}

static double crowd_turns_theory(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_erlang_arrivals_mean(10, 1000 * crowd_load, 1000);
}

static const struct claim_series crowd_series[] = {
    {.name = "random, theory", .line = true, .points = COUNT(crowds), .at = crowds, .y = crowd_random_theory},
    {.name = "one round robin, theory", .line = true, .points = COUNT(crowds), .at = crowds, .y = crowd_turns_theory},
    {.name = "round robin", .points = COUNT(crowds), .at = crowds, .of = {.entry = "round-robin"}, .y = crowd},
    {.name = "least connections",
     .points = COUNT(crowds),
     .at = crowds,
     .of = {.entry = "least-connections"},
     .y = crowd},
    {.name = "join idle queue", .points = COUNT(crowds), .at = crowds, .of = {.entry = "join-idle-queue"}, .y = crowd},
    {.name = NULL},
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
