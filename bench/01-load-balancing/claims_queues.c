/* claims_queues.c: the queues themselves: where waiting comes from, whoever balances.
 *
 * Three things decide how long a queue makes its customers wait: whether it is shared, how uneven the work is, and
 * in which order the work is done. And one law holds for all of them.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

/* ---- one shared queue ---- */

static double predict_central(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_central_wait(10, 9000, 1000);
}

static double measure_central(const struct claim_run *run)
{
    if (!run->broken)
        return run_central_wait(10, 0.9, 500000, 20000, run->seed);
    const struct fleet_scenario s = equal_fleet(10, 0.9, 300000, 50000, run->seed);
    return run_mean_ms("random", &s) - 1; /* the wait is what the time has beyond the service */
}

/* ---- uneven work ---- */

/* Four requests in five are below the mean, and two in ten thousand are a hundred times it and more. */
static struct dist heavy(void)
{
    return dist_bounded_pareto(1, 1.5, 1000);
}

static double predict_fifo(const struct claim_run *run)
{
    (void)run;
    const struct dist work = heavy();
    return 1e3 * theory_mg1_mean(700, 1e-3, 1e-6 * dist_second_moment(&work));
}

static double predict_sharing(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_mm1_mean(700, 1000);
}

/* n: is it processor sharing that is under test? Broken, it is the other discipline. */
static double measure_heavy(const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(1, 0.7, 400000, 20000, run->seed);
    s.work = heavy();
    s.discipline = (run->n != 0) != run->broken ? FLEET_PROCESSOR_SHARING : FLEET_FIFO;
    return run_mean_ms("random", &s);
}

/* ---- Little's law ---- */

/* Requests in the fleet, counted from outside, over arrivals a second x mean time as the clients saw it. Broken, the
 * clients give up after 4 ms and only the answered ones are asked how long it took. */
static double measure_little(const struct claim_run *run)
{
    struct fleet_scenario s = equal_fleet(10, 0.9, 200000, 20000, run->seed);
    struct fleet_result r;
    s.work = dist_hyperexponential(1, 4);
    s.timeout_ns = run->broken ? 4000000 : 0;
    run_entry("two-choices", &s, &r);
    const double per_ns = (double)(r.offered - 1) / (double)r.span_ns;
    const double ratio = r.mean_held / (per_ns * r.mean_ns);
    fleet_result_free(&r);
    return ratio;
}

/* ---- the table ---- */

static const struct claim claims[] = {
    {.id = "central-queue",
     .statement = "With one queue for ten servers nobody waits at a busy server while another is idle: the wait "
                  "is two thirds of a service time, where ten queues filled by lot have nine.",
     .formula = "Erlang: C(10, 9) / (10 mu - lambda)",
     .unit = "ms",
     .source = "simulated",
     .broken = "a queue at each server, filled by lot, in place of one for all",
     .relation = CLAIM_EQUALS,
     .predict = predict_central,
     .measure = measure_central,
     .seeds = 32},
    {.id = "heavy-tailed-fifo",
     .statement = "First in, first out: a few very long requests hold up all behind them, and the mean is four times "
                  "that of exponential work at the same load.",
     .formula = "Pollaczek-Khinchine: E[S] + lambda E[S^2] / (2 (1 - rho))",
     .unit = "ms",
     .source = "simulated",
     .broken = "processor sharing in place of first in, first out",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .predict = predict_fifo,
     .measure = measure_heavy},
    {.id = "heavy-tailed-sharing",
     .statement =
         "A server that works on all its requests side by side does not mind: the mean depends on the mean work "
         "alone, whatever the tail.",
     .formula = "1 / (mu - lambda), for every law of work",
     .unit = "ms",
     .source = "simulated",
     .broken = "first in, first out in place of processor sharing",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.n = true},
     .predict = predict_sharing,
     .measure = measure_heavy},
    {.id = "littles-law",
     .statement = "Requests in the fleet = arrivals a second x mean time, for every policy and every law; unless the "
                  "requests that were given up are left out of the mean, as dashboards do.",
     .formula = "L / (lambda W) = 1",
     .unit = "",
     .source = "simulated",
     .broken = "the mean of the answered requests only, once clients give up, in place of the mean of all",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .predicted = 1,
     .measure = measure_little},
};

const struct claim_part part_queues = {.claim = claims, .claims = COUNT(claims)};
