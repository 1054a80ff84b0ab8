/* claims_article.c: the article's failure, and its cures.
 *
 * Ten servers do 10,000 requests a second together: three 1,500, four 1,000, three 500. Round robin gives each a tenth.
 * So the slow ones are overloaded from 5,000 on, half of what the fleet can do, and every request beyond what they can
 * do is lost in their full queues while the fast ones idle.
 *
 * The formulas count a fluid: min(rate / N, mu) is what a server answers. The queue cap of 100 and the length of a run
 * hardly touch that. A server at 120 % load is full within a second (the warm-up is five), is then never empty again
 * (a chance of about 1.2^-100, 1e-8), and loses exactly what comes above its speed; a server at 80 % of its speed fills
 * 100 places with a chance below 0.8^100, 2e-10. What is left is the chance of a finite run, and that is in the
 * tolerance.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

/* ---- round robin's ceiling, and what it loses beyond ---- */

static double predict_ceiling(const struct claim_run *run)
{
    (void)run;
    return theory_even_ceiling(article_speed, ARTICLE_SERVERS);
}

/* Overload the fleet, and see which share of what they are sent the slowest servers still answer: with fixed shares,
 * that share of the offered rate is the rate at which they would just keep up. (All that are as slow as the slowest are
 * taken together.) */
static double measure_ceiling(const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(9000, 400000, run->seed);
    struct fleet_result r;
    double slowest = article_speed[0], sent = 0, answered = 0;
    run_entry(run->entry, &s, &r);
    for (int i = 1; i < ARTICLE_SERVERS; i++)
        slowest = article_speed[i] < slowest ? article_speed[i] : slowest;
    for (int i = 0; i < ARTICLE_SERVERS; i++)
        if (article_speed[i] <= slowest) {
            sent += (double)r.server[i].picked;
            answered += (double)r.server[i].ok;
        }
    fleet_result_free(&r);
    return s.rate * answered / sent;
}

static double predict_even_loss(const struct claim_run *run)
{
    return 100 * (1 - theory_even_throughput(article_speed, ARTICLE_SERVERS, run->x) / run->x);
}

/* Of n thousand requests at a rate of x, the share that is lost. */
static double measure_loss(const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(run->x, 1000 * run->n, run->seed);
    return run_loss(run->entry, &s);
}

/* ---- the table ---- */

#define FLUID       "sum over servers of max(0, rate/N - mu_i), over rate"
#define NO_OVERLOAD "every server below its speed: 0"

static const struct claim claims[] = {
    {.id = "round-robin-ceiling",
     .statement = "Round robin can use only half of this fleet: it is at its limit when a tenth of the load is all "
                  "that the slowest server can do.",
     .formula = "N x min mu_i",
     .unit = "requests/s",
     .source = "simulated",
     .broken = "smooth weighted in place of round robin",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "round-robin"},
     .instead = {.entry = "smooth-weighted"},
     .predict = predict_ceiling,
     .measure = measure_ceiling},
    {.id = "round-robin-loss-6000",
     .statement = "At 6,000 requests a second, 60 % of what the fleet can do, round robin already loses one request "
                  "in twenty.",
     .formula = FLUID,
     .unit = "%",
     .source = "simulated",
     .broken = "smooth weighted in place of round robin",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "round-robin", .x = 6000, .n = 400},
     .instead = {.entry = "smooth-weighted"},
     .predict = predict_even_loss,
     .measure = measure_loss},
    {.id = "round-robin-loss-8000",
     .statement = "At 8,000 requests a second it loses one in nine, and the fast servers still are half idle.",
     .formula = FLUID,
     .unit = "%",
     .source = "simulated",
     .broken = "least connections in place of round robin",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "round-robin", .x = 8000, .n = 400},
     .instead = {.entry = "least-connections"},
     .predict = predict_even_loss,
     .measure = measure_loss},
    {.id = "lossless-smooth-weighted",
     .statement = "Turns by weight, interleaved, lose nothing where round robin loses one in twenty.",
     .formula = NO_OVERLOAD,
     .unit = "%",
     .source = "simulated",
     .broken = "round robin in place of smooth weighted",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "smooth-weighted", .x = 6000, .n = 200},
     .instead = {.entry = "round-robin"},
     .predicted = 0,
     .measure = measure_loss},
    {.id = "lossless-weighted-random",
     .statement = "Lots drawn by weight lose nothing either: it is the shares that matter here, not the order.",
     .formula = NO_OVERLOAD,
     .unit = "%",
     .source = "simulated",
     .broken = "round robin in place of weighted random",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "weighted-random", .x = 6000, .n = 200},
     .instead = {.entry = "round-robin"},
     .predicted = 0,
     .measure = measure_loss},
    {.id = "lossless-weighted-least-connections",
     .statement = "Counting requests in flight, and setting them against the weights, loses nothing.",
     .formula = NO_OVERLOAD,
     .unit = "%",
     .source = "simulated",
     .broken = "round robin in place of weighted least connections",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "weighted-least-connections", .x = 6000, .n = 200},
     .instead = {.entry = "round-robin"},
     .predicted = 0,
     .measure = measure_loss},
    {.id = "lossless-least-connections",
     .statement =
         "Counting alone does it, without being told any weight: slow servers show by what they have not answered.",
     .formula = NO_OVERLOAD,
     .unit = "%",
     .source = "simulated",
     .broken = "round robin in place of least connections",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "least-connections", .x = 6000, .n = 200},
     .instead = {.entry = "round-robin"},
     .predicted = 0,
     .measure = measure_loss},
    {.id = "lossless-two-choices",
     .statement = "Looking at only two servers a request is enough for this fleet, without weights.",
     .formula = NO_OVERLOAD,
     .unit = "%",
     .source = "simulated",
     .broken = "round robin in place of two choices",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "two-choices", .x = 6000, .n = 200},
     .instead = {.entry = "round-robin"},
     .predicted = 0,
     .measure = measure_loss},
    {.id = "lossless-peak-ewma",
     .statement = "Going by how long a server took of late finds the slow ones too, without weights.",
     .formula = NO_OVERLOAD,
     .unit = "%",
     .source = "simulated",
     .broken = "round robin in place of peak ewma",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "peak-ewma", .x = 6000, .n = 200},
     .instead = {.entry = "round-robin"},
     .predicted = 0,
     .measure = measure_loss},
};

const struct claim_part part_article = {.claim = claims, .claims = COUNT(claims)};
