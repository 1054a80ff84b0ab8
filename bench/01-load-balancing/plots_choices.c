/* plots_choices.c: equal servers: what a look, a second look, and all of them are worth. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const entry_of[] = {"", "random", "two-choices", "three-choices"}; /* by the number of choices */

/* ---- time against load ---- */

enum { MANY = 128, REQUESTS = 40000 };

static double load_of(uint32_t i)
{
    static const double load[] = {0.5, 0.6, 0.7, 0.8, 0.85, 0.9};
    return load[i];
}

static double load_fine(uint32_t i)
{
    return 0.5 + 0.01 * i;
}

static double mean_of(uint32_t d, uint32_t i, const struct claim_run *run)
{
    const struct fleet_scenario s = equal_fleet(MANY, load_of(i), REQUESTS, 300 * MANY, run->seed);
    return run_mean_ms(entry_of[d], &s);
}

static double mean_one(uint32_t i, const struct claim_run *run)
{
    return mean_of(1, i, run);
}

static double mean_two(uint32_t i, const struct claim_run *run)
{
    return mean_of(2, i, run);
}

static double mean_three(uint32_t i, const struct claim_run *run)
{
    return mean_of(3, i, run);
}

static double mean_one_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return theory_supermarket_mean(1, load_fine(i));
}

static double mean_two_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return theory_supermarket_mean(2, load_fine(i));
}

static double mean_three_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return theory_supermarket_mean(3, load_fine(i));
}

static const struct claim_series mean_series[] = {
    {"one choice, theory", true, 41, load_fine, mean_one_theory},
    {"two choices, theory", true, 41, load_fine, mean_two_theory},
    {"three choices, theory", true, 41, load_fine, mean_three_theory},
    {"one choice", false, 6, load_of, mean_one},
    {"two choices", false, 6, load_of, mean_two},
    {"three choices", false, 6, load_of, mean_three},
    {0},
};

/* ---- how long queues get ---- */

static double length_of(uint32_t i)
{
    return i + 1.0;
}

static double tail_of(uint32_t d, uint32_t i, const struct claim_run *run)
{
    const struct fleet_scenario s = equal_fleet(MANY, 0.9, REQUESTS, 300 * MANY, run->seed);
    return run_tail(entry_of[d], &s, i + 1);
}

static double tail_one(uint32_t i, const struct claim_run *run)
{
    return tail_of(1, i, run);
}

static double tail_two(uint32_t i, const struct claim_run *run)
{
    return tail_of(2, i, run);
}

static double tail_one_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return 100 * theory_supermarket_tail(1, 0.9, i + 1);
}

static double tail_two_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return 100 * theory_supermarket_tail(2, 0.9, i + 1);
}

static const struct claim_series tail_series[] = {
    {"one choice, theory", true, 12, length_of, tail_one_theory},
    {"two choices, theory", true, 6, length_of, tail_two_theory},
    {"one choice", false, 12, length_of, tail_one},
    {"two choices", false, 6, length_of, tail_two},
    {0},
};

/* ---- balls into bins ---- */

static double bins_of(uint32_t i)
{
    return (double)(16u << 2 * i);
}

static double fullest(uint32_t d, uint32_t i, const struct claim_run *run)
{
    return run_fullest_bin(entry_of[d], 16u << 2 * i, run->seed);
}

static double fullest_one(uint32_t i, const struct claim_run *run)
{
    return fullest(1, i, run);
}

static double fullest_two(uint32_t i, const struct claim_run *run)
{
    return fullest(2, i, run);
}

static double fullest_one_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return theory_fullest_bin(1, bins_of(i));
}

static double fullest_two_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return theory_fullest_bin(2, bins_of(i));
}

static const struct claim_series fullest_series[] = {
    {"one choice, theory", true, 7, bins_of, fullest_one_theory},
    {"two choices, theory", true, 7, bins_of, fullest_two_theory},
    {"one choice", false, 7, bins_of, fullest_one},
    {"two choices", false, 7, bins_of, fullest_two},
    {0},
};

/* ---- the same load on more and more servers ---- */

static uint32_t servers_at(uint32_t i)
{
    return 2u << i;
}

static double servers_of(uint32_t i)
{
    return servers_at(i);
}

static double together(const char *entry, uint32_t i, const struct claim_run *run)
{
    const uint32_t n = servers_at(i);
    const struct fleet_scenario s = equal_fleet(n, 0.9, REQUESTS, 300 * n + 4000, run->seed);
    return run_mean_ms(entry, &s);
}

static double together_turns(uint32_t i, const struct claim_run *run)
{
    return together("round-robin", i, run);
}

static double together_two(uint32_t i, const struct claim_run *run)
{
    return together("two-choices", i, run);
}

static double together_all(uint32_t i, const struct claim_run *run)
{
    return together("least-connections", i, run);
}

static double together_lots_theory(uint32_t i, const struct claim_run *run)
{
    (void)i, (void)run;
    return theory_supermarket_mean(1, 0.9);
}

static double together_turns_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_erlang_arrivals_mean(servers_at(i), 900, 1000);
}

static double together_two_theory(uint32_t i, const struct claim_run *run)
{
    (void)i, (void)run;
    return theory_supermarket_mean(2, 0.9);
}

static double together_central_theory(uint32_t i, const struct claim_run *run)
{
    const uint32_t n = servers_at(i);
    (void)run;
    return 1 + 1e3 * theory_central_wait(n, 900.0 * n, 1000);
}

static const struct claim_series together_series[] = {
    {"by lot, theory", true, 7, servers_of, together_lots_theory},
    {"round robin, theory", true, 7, servers_of, together_turns_theory},
    {"two choices, theory of many", true, 7, servers_of, together_two_theory},
    {"one queue for all, theory", true, 7, servers_of, together_central_theory},
    {"round robin", false, 7, servers_of, together_turns},
    {"two choices", false, 7, servers_of, together_two},
    {"least connections", false, 7, servers_of, together_all},
    {0},
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
