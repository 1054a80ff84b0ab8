/* plots_choices.c: equal servers: what a look, a second look, and all of them are worth. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

/* ---- time against load ---- */

enum { MANY = 128, REQUESTS = 40000 };

static const double loads[] = {0.5, 0.6, 0.7, 0.8, 0.85, 0.9};

static double load_fine(uint32_t i)
{
    return 0.5 + 0.01 * i;
}

static double mean_time(const struct claim_run *run)
{
    const struct fleet_scenario s = equal_fleet(MANY, run->x, REQUESTS, 300 * MANY, run->seed);
    return run_mean_ms(run->entry, &s);
}

static double mean_theory(const struct claim_run *run)
{
    return theory_supermarket_mean(run->n, run->x);
}

static const struct claim_series mean_series[] = {
    {.name = "one choice, theory", .line = true, .points = 41, .x = load_fine, .of = {.n = 1}, .y = mean_theory},
    {.name = "two choices, theory", .line = true, .points = 41, .x = load_fine, .of = {.n = 2}, .y = mean_theory},
    {.name = "three choices, theory", .line = true, .points = 41, .x = load_fine, .of = {.n = 3}, .y = mean_theory},
    {.name = "one choice", .points = COUNT(loads), .at = loads, .of = {.entry = "random"}, .y = mean_time},
    {.name = "two choices", .points = COUNT(loads), .at = loads, .of = {.entry = "two-choices"}, .y = mean_time},
    {.name = "three choices", .points = COUNT(loads), .at = loads, .of = {.entry = "three-choices"}, .y = mean_time},
    {.name = NULL},
};

/* ---- how long queues get ---- */

static double length_of(uint32_t i)
{
    return i + 1.0;
}

static double tail(const struct claim_run *run)
{
    const struct fleet_scenario s = equal_fleet(MANY, 0.9, REQUESTS, 300 * MANY, run->seed);
    return run_tail(run->entry, &s, (uint32_t)run->x);
}

static double tail_theory(const struct claim_run *run)
{
    return 100 * theory_supermarket_tail(run->n, 0.9, (uint32_t)run->x);
}

static const struct claim_series tail_series[] = {
    {.name = "one choice, theory", .line = true, .points = 12, .x = length_of, .of = {.n = 1}, .y = tail_theory},
    {.name = "two choices, theory", .line = true, .points = 6, .x = length_of, .of = {.n = 2}, .y = tail_theory},
    {.name = "one choice", .points = 12, .x = length_of, .of = {.entry = "random"}, .y = tail},
    {.name = "two choices", .points = 6, .x = length_of, .of = {.entry = "two-choices"}, .y = tail},
    {.name = NULL},
};

/* ---- balls into bins ---- */

static const double bins[] = {16, 64, 256, 1024, 4096, 16384, 65536};

static double fullest(const struct claim_run *run)
{
    return run_fullest_bin(run->entry, (uint32_t)run->x, run->seed);
}

static double fullest_theory(const struct claim_run *run)
{
    return theory_fullest_bin(run->n, run->x);
}

static const struct claim_series fullest_series[] = {
    {.name = "one choice, theory",
     .line = true,
     .points = COUNT(bins),
     .at = bins,
     .of = {.n = 1},
     .y = fullest_theory},
    {.name = "two choices, theory",
     .line = true,
     .points = COUNT(bins),
     .at = bins,
     .of = {.n = 2},
     .y = fullest_theory},
    {.name = "one choice", .points = COUNT(bins), .at = bins, .of = {.entry = "random"}, .y = fullest},
    {.name = "two choices", .points = COUNT(bins), .at = bins, .of = {.entry = "two-choices"}, .y = fullest},
    {.name = NULL},
};

/* ---- the same load on more and more servers ---- */

static const double servers[] = {2, 4, 8, 16, 32, 64, 128};

static double together(const struct claim_run *run)
{
    const uint32_t n = (uint32_t)run->x;
    const struct fleet_scenario s = equal_fleet(n, 0.9, REQUESTS, 300 * n + 4000, run->seed);
    return run_mean_ms(run->entry, &s);
}

static double together_theory(const struct claim_run *run)
{
    return theory_supermarket_mean(run->n, 0.9);
}

static double together_turns_theory(const struct claim_run *run)
{
    return 1e3 * theory_erlang_arrivals_mean((uint32_t)run->x, 900, 1000);
}

static double together_central_theory(const struct claim_run *run)
{
    return 1 + 1e3 * theory_central_wait((uint32_t)run->x, 900.0 * run->x, 1000);
}

static const struct claim_series together_series[] = {
    {.name = "by lot, theory",
     .line = true,
     .points = COUNT(servers),
     .at = servers,
     .of = {.n = 1},
     .y = together_theory},
    {.name = "round robin, theory", .line = true, .points = COUNT(servers), .at = servers, .y = together_turns_theory},
    {.name = "two choices, theory of many",
     .line = true,
     .points = COUNT(servers),
     .at = servers,
     .of = {.n = 2},
     .y = together_theory},
    {.name = "one queue for all, theory",
     .line = true,
     .points = COUNT(servers),
     .at = servers,
     .y = together_central_theory},
    {.name = "round robin", .points = COUNT(servers), .at = servers, .of = {.entry = "round-robin"}, .y = together},
    {.name = "two choices", .points = COUNT(servers), .at = servers, .of = {.entry = "two-choices"}, .y = together},
    {.name = "least connections",
     .points = COUNT(servers),
     .at = servers,
     .of = {.entry = "least-connections"},
     .y = together},
    {.name = NULL},
};

/* ---- the table ---- */

static const struct claim_plot table[] = {
    {.id = "choices",
     .title = "One, two, three choices",
     .reading =
         "128 equal servers. From one choice to two is a step to another kind of curve, from two to three is not. "
         "Points lie a little above the lines, which are for very many servers.",
     .x = "load",
     .x_unit = "of capacity",
     .y = "mean time",
     .y_unit = "service times",
     .log_y = true,
     .seeds = 10,
     .series = mean_series},
    {.id = "tail",
     .title = "How many queues are long",
     .reading =
         "At 90 % load. A straight line on this paper is a geometric law: each further place costs one choice the "
         "same factor. Two choices bend it: each further place squares what is left.",
     .x = "requests in the queue, at least",
     .x_unit = "",
     .y = "share of queues",
     .y_unit = "%",
     .log_y = true,
     .seeds = 10,
     .series = tail_series},
    {.id = "balls",
     .title = "The fullest of n bins",
     .reading = "As many requests as servers, none of them ever done. One choice grows with every decade; two choices "
                "look level at three, and are: ln ln n.",
     .x = "servers",
     .x_unit = "",
     .y = "requests in the fullest",
     .y_unit = "",
     .log_x = true,
     .seeds = 40,
     .series = fullest_series},
    {.id = "together",
     .title = "What more servers bring at the same load",
     .reading =
         "At 90 % load. Filled by lot, servers gain nothing from each other; in turns a little; and who sees all "
         "queues comes close to one queue for all, which no policy can beat that places a request at once.",
     .x = "servers",
     .x_unit = "",
     .y = "mean time",
     .y_unit = "service times",
     .log_x = true,
     .log_y = true,
     .seeds = 10,
     .series = together_series},
};

const struct claim_part plots_choices = {.plot = table, .plots = COUNT(table)};
