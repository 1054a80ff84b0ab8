/* plots_article.c: the article's failure as two curves: what is lost, and how long the rest takes, as the load grows.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

enum { REQUESTS = 40000 };

/* ---- loss ---- */

static double loss_load(uint32_t i)
{
    return 3000 + 1000.0 * i;
}

static double loss_load_fine(uint32_t i)
{
    return 3000 + 250.0 * i;
}

static double loss(const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(run->x, REQUESTS, run->seed);
    return run_loss(run->entry, &s);
}

static double loss_theory(const struct claim_run *run)
{
    return 100 * (1 - theory_even_throughput(article_speed, ARTICLE_SERVERS, run->x) / run->x);
}

static const struct claim_series loss_series[] = {
    {.name = "round robin, theory", .line = true, .points = 29, .x = loss_load_fine, .y = loss_theory},
    {.name = "round robin", .points = 8, .x = loss_load, .of = {.entry = "round-robin"}, .y = loss},
    {.name = "smooth weighted", .points = 8, .x = loss_load, .of = {.entry = "smooth-weighted"}, .y = loss},
    {.name = "least connections", .points = 8, .x = loss_load, .of = {.entry = "least-connections"}, .y = loss},
    {.name = NULL},
};

/* ---- time ---- */

static double time_load(uint32_t i)
{
    return i < 9 ? 1000.0 * (i + 1) : 9500;
}

static double time_load_fine(uint32_t i)
{
    return 1000 + 250.0 * i;
}

static double mean_time(const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(run->x, REQUESTS, run->seed);
    return run_mean_ms(run->entry, &s);
}

static double time_square_root(const struct claim_run *run)
{
    double split[ARTICLE_SERVERS];
    struct fleet_server server[ARTICLE_SERVERS];
    struct fleet_scenario s = article_fleet(run->x, REQUESTS, run->seed);
    theory_square_root_split(article_speed, ARTICLE_SERVERS, s.rate, split);
    article_weights(split, server);
    s.server = server;
    return run_mean_ms("weighted-random", &s);
}

/* Below the ceiling each server is an E_10/M/1 queue of its own speed. */
static double time_round_robin_theory(const struct claim_run *run)
{
    double sum = 0;
    for (int k = 0; k < ARTICLE_SERVERS; k++)
        sum += theory_erlang_arrivals_mean(ARTICLE_SERVERS, run->x / ARTICLE_SERVERS, article_speed[k]);
    return 1e3 * sum / ARTICLE_SERVERS;
}

static double time_weighted_random_theory(const struct claim_run *run)
{
    return 1e3 * theory_proportional_mean(article_speed, ARTICLE_SERVERS, run->x);
}

static double time_square_root_theory(const struct claim_run *run)
{
    double split[ARTICLE_SERVERS];
    return 1e3 * theory_square_root_split(article_speed, ARTICLE_SERVERS, run->x, split);
}

static const struct claim_series time_series[] = {
    {.name = "round robin, theory", .line = true, .points = 16, .x = time_load_fine, .y = time_round_robin_theory},
    {.name = "weighted random, theory",
     .line = true,
     .points = 35,
     .x = time_load_fine,
     .y = time_weighted_random_theory},
    {.name = "square-root rule, theory", .line = true, .points = 35, .x = time_load_fine, .y = time_square_root_theory},
    {.name = "round robin", .points = 10, .x = time_load, .of = {.entry = "round-robin"}, .y = mean_time},
    {.name = "weighted random", .points = 10, .x = time_load, .of = {.entry = "weighted-random"}, .y = mean_time},
    {.name = "square-root rule", .points = 10, .x = time_load, .y = time_square_root},
    {.name = "smooth weighted", .points = 10, .x = time_load, .of = {.entry = "smooth-weighted"}, .y = mean_time},
    {.name = "two choices", .points = 10, .x = time_load, .of = {.entry = "two-choices"}, .y = mean_time},
    {.name = "least connections", .points = 10, .x = time_load, .of = {.entry = "least-connections"}, .y = mean_time},
    {.name = NULL},
};

/* ---- the table ---- */

static const struct claim_plot table[] = {
    {.id = "loss",
     .title = "What is lost as the load grows",
     .reading =
         "Round robin leaves zero at 5,000 requests a second, half of what the fleet can do; the others stay on it "
         "to the end. At 10,000 the theory, which knows no chance, is a little below what is measured.",
     .x = "offered load",
     .x_unit = "requests/s",
     .y = "loss",
     .y_unit = "%",
     .seeds = 10,
     .series = loss_series},
    {.id = "time",
     .title = "How long a request takes",
     .reading =
         "Each curve's wall is its capacity: round robin's stands at 5,000, everybody else's at 10,000. Behind its "
         "wall round robin stays level only because the requests that it loses are not in the mean. At "
         "light load whoever knows the speeds is ahead; from about 4,000 on whoever sees what is in flight.",
     .x = "offered load",
     .x_unit = "requests/s",
     .y = "mean time of the answered",
     .y_unit = "ms",
     .log_y = true,
     .seeds = 10,
     .series = time_series},
};

const struct claim_part plots_article = {.plot = table, .plots = COUNT(table)};
