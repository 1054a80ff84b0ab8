/* plots_article.c: the article's failure as two curves: what is lost, and how long the rest takes, as the load grows.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

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

static double loss(const char *entry, uint32_t i, const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(loss_load(i), REQUESTS, run->seed);
    return run_loss(entry, &s);
}

static double loss_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    const double rate = loss_load_fine(i);
    return 100 * (1 - theory_even_throughput(article_speed, ARTICLE_SERVERS, rate) / rate);
}

static double loss_round_robin(uint32_t i, const struct claim_run *run)
{
    return loss("round-robin", i, run);
}

static double loss_smooth_weighted(uint32_t i, const struct claim_run *run)
{
    return loss("smooth-weighted", i, run);
}

static double loss_least_connections(uint32_t i, const struct claim_run *run)
{
    return loss("least-connections", i, run);
}

static const struct claim_series loss_series[] = {
    {"round robin, theory", true, 29, loss_load_fine, loss_theory},
    {"round robin", false, 8, loss_load, loss_round_robin},
    {"smooth weighted", false, 8, loss_load, loss_smooth_weighted},
    {"least connections", false, 8, loss_load, loss_least_connections},
    {0},
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

static double time_of(const char *entry, uint32_t i, const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(time_load(i), REQUESTS, run->seed);
    return run_mean_ms(entry, &s);
}

static double time_round_robin(uint32_t i, const struct claim_run *run)
{
    return time_of("round-robin", i, run);
}

static double time_weighted_random(uint32_t i, const struct claim_run *run)
{
    return time_of("weighted-random", i, run);
}

static double time_smooth_weighted(uint32_t i, const struct claim_run *run)
{
    return time_of("smooth-weighted", i, run);
}

static double time_least_connections(uint32_t i, const struct claim_run *run)
{
    return time_of("least-connections", i, run);
}

static double time_two_choices(uint32_t i, const struct claim_run *run)
{
    return time_of("two-choices", i, run);
}

static double time_square_root(uint32_t i, const struct claim_run *run)
{
    double split[ARTICLE_SERVERS];
    struct fleet_server server[ARTICLE_SERVERS];
    struct fleet_scenario s = article_fleet(time_load(i), REQUESTS, run->seed);
    theory_square_root_split(article_speed, ARTICLE_SERVERS, s.rate, split);
    article_weights(split, server);
    s.server = server;
    return run_mean_ms("weighted-random", &s);
}

/* Below the ceiling each server is an E_10/M/1 queue of its own speed. */
static double time_round_robin_theory(uint32_t i, const struct claim_run *run)
{
    double sum = 0;
    (void)run;
    for (int k = 0; k < ARTICLE_SERVERS; k++)
        sum += theory_erlang_arrivals_mean(ARTICLE_SERVERS, time_load_fine(i) / ARTICLE_SERVERS, article_speed[k]);
    return 1e3 * sum / ARTICLE_SERVERS;
}

static double time_weighted_random_theory(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_proportional_mean(article_speed, ARTICLE_SERVERS, time_load_fine(i));
}

static double time_square_root_theory(uint32_t i, const struct claim_run *run)
{
    double split[ARTICLE_SERVERS];
    (void)run;
    return 1e3 * theory_square_root_split(article_speed, ARTICLE_SERVERS, time_load_fine(i), split);
}

static const struct claim_series time_series[] = {
    {"round robin, theory", true, 16, time_load_fine, time_round_robin_theory},
    {"weighted random, theory", true, 35, time_load_fine, time_weighted_random_theory},
    {"square-root rule, theory", true, 35, time_load_fine, time_square_root_theory},
    {"round robin", false, 10, time_load, time_round_robin},
    {"weighted random", false, 10, time_load, time_weighted_random},
    {"square-root rule", false, 10, time_load, time_square_root},
    {"smooth weighted", false, 10, time_load, time_smooth_weighted},
    {"two choices", false, 10, time_load, time_two_choices},
    {"least connections", false, 10, time_load, time_least_connections},
    {0},
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
