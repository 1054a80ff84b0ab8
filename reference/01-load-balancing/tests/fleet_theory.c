/* fleet_theory.c: the fleet against queueing theory.
 *
 * Each test runs a system whose mean is known in closed form with SEEDS seeds, and asks for agreement within four
 * standard errors, taken from the spread between the seeds. The standard errors are a per cent or less, so a formula
 * that is another one (constant work taken for exponential, say) fails by far. Speeds are 1000 units a second and work
 * has mean 1, so a service takes 1 ms.
 */
#include "fleet_policies.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(fleet_theory, .timeout = 60);

enum { MANY = 200000 };

/* Mean 1/(mu - lambda), and the time in the system is itself exponential. */
Test(fleet_theory, mm1_mean_and_percentile)
{
    const struct fleet_scenario s = textbook(1, 800, dist_exponential(1), MANY);
    figure *const of[] = {figure_mean_ms, figure_p99_ms, figure_held, figure_busy};
    struct estimate e[4];
    estimate(&s, RANDOM, 4, of, e);
    assert_theory("mean, ms", e[0], 5, 0.01, 0);
    assert_theory("p99, ms", e[1], 5 * log(100), 0.02, 0.004 * 5 * log(100));
    assert_theory("requests held", e[2], 4, 0.01, 0);
    assert_theory("share of time at work", e[3], 0.8, 0.01, 0);
}

/* Pollaczek-Khinchine: the wait is lambda E[S^2] / (2 (1 - rho)). */
Test(fleet_theory, mg1_fifo_pollaczek_khinchine)
{
    const struct dist work[] = {dist_constant(1), dist_exponential(1), dist_hyperexponential(1, 4)};
    const double theory[] = {2.1666667, 3.3333333, 6.8333333};
    figure *const of[] = {figure_mean_ms};
    for (int i = 0; i < 3; i++) {
        const struct fleet_scenario s = textbook(1, 700, work[i], MANY);
        const double wait = 0.7 * dist_second_moment(&work[i]) / (2 * 0.3);
        struct estimate e;
        cr_assert(fabs(1 + wait - theory[i]) < 1e-6, "the formula itself gives %g for %s", 1 + wait,
                  dist_name(&work[i]));
        estimate(&s, RANDOM, 1, of, &e);
        assert_theory(dist_name(&work[i]), e, theory[i], 0.02, 0);
    }
}

/* Processor sharing does not mind: 1/(mu - lambda) for every law of work. */
Test(fleet_theory, mg1_processor_sharing_is_insensitive)
{
    const struct dist work[] = {dist_constant(1), dist_exponential(1), dist_hyperexponential(1, 4),
                                dist_bounded_pareto(1, 1.5, 1000)};
    figure *const of[] = {figure_mean_ms, figure_held};
    for (int i = 0; i < 4; i++) {
        struct fleet_scenario s = textbook(1, 700, work[i], MANY);
        struct estimate e[2];
        s.discipline = FLEET_PROCESSOR_SHARING;
        estimate(&s, RANDOM, 2, of, e);
        assert_theory(dist_name(&work[i]), e[0], 10.0 / 3, 0.02, 0);
        assert_theory(dist_name(&work[i]), e[1], 7.0 / 3, 0.02, 0);
    }
}

/* Round robin hands each of n servers every n-th arrival, so gaps are Erlang-n: E_n/M/1. Random leaves them
 * exponential. */
Test(fleet_theory, round_robin_beats_random_on_equal_servers)
{
    const struct fleet_scenario s = textbook(10, 9000, dist_exponential(1), 4ull * MANY);
    figure *const of[] = {figure_mean_ms};
    struct estimate e;
    double sigma = 0.5;
    for (int i = 0; i < 1000; i++)
        sigma = pow(9000 / (9000 + 1000 * (1 - sigma)), 10);
    const double theory = 1 / (1 - sigma);
    cr_assert(fabs(theory - 5.66) < 0.01, "the formula itself gives %g", theory);
    estimate(&s, ROUND_ROBIN, 1, of, &e);
    assert_theory("round robin, ms", e, theory, 0.01, 0);
    estimate(&s, RANDOM, 1, of, &e);
    assert_theory("random, ms", e, 10, 0.015, 0);
}

/* Two choices of 64: between the known values for 10 servers (3.11) and for very many (2.61), where random has 10. */
Test(fleet_theory, two_choices)
{
    const struct fleet_scenario s = textbook(64, 57600, dist_exponential(1), 2ull * MANY);
    figure *const of[] = {figure_mean_ms};
    struct estimate e;
    estimate(&s, TWO_CHOICES, 1, of, &e);
    cr_assert(e.error < 0.02 && e.mean > 2.62 && e.mean < 2.78, "expected 2.6 to 2.8 ms, got %g +- %g", e.mean,
              e.error);
}

/* Three fast, four middling, three slow servers: random gives each an M/M/1 of its own. */
Test(fleet_theory, random_split_over_unequal_servers)
{
    const double speed[] = {1500, 1500, 1500, 1000, 1000, 1000, 1000, 500, 500, 500};
    struct fleet_server unequal[10];
    struct fleet_scenario s = textbook(10, 4000, dist_exponential(1), 2ull * MANY);
    figure *const of[] = {figure_mean_ms};
    struct estimate e;
    double theory = 0;
    for (int i = 0; i < 10; i++) {
        unequal[i] = (struct fleet_server){.speed = speed[i], .weight = (uint32_t)speed[i]};
        theory += 0.1 * 1000 / (speed[i] - 400);
    }
    s.server = unequal;
    estimate(&s, RANDOM, 1, of, &e);
    assert_theory("one third of each", e, theory, 0.01, 0);
    s.rate = 9000;
    estimate(&s, WEIGHTED_RANDOM, 1, of, &e);
    assert_theory("by weight", e, 10, 0.015, 0);
}

/* M/M/1/K loses (1 - rho) rho^K / (1 - rho^(K+1)) of what comes; the same for processor sharing. */
Test(fleet_theory, queue_cap)
{
    const double rho = 0.9, theory = (1 - rho) * pow(rho, 5) / (1 - pow(rho, 6));
    figure *const of[] = {figure_loss};
    for (uint32_t discipline = 0; discipline < 2; discipline++) {
        struct fleet_scenario s = textbook(1, 1000 * rho, dist_exponential(1), MANY);
        struct estimate e;
        s.queue_cap = 5;
        s.discipline = discipline;
        estimate(&s, RANDOM, 1, of, &e);
        assert_theory("share refused", e, theory, 0.01, 0);
    }
}

/* The server does the work of who has given up, so timeouts change no one's time: P(time > T) as without them. */
Test(fleet_theory, timeouts_with_work_left_behind)
{
    figure *const of[] = {figure_loss, figure_held};
    struct fleet_scenario s = textbook(1, 800, dist_exponential(1), MANY);
    struct estimate e[2];
    s.timeout_ns = 8000000;
    estimate(&s, RANDOM, 2, of, e);
    assert_theory("share of timeouts", e[0], exp(-0.2 * 8), 0.015, 0);
    assert_theory("requests held", e[1], 4, 0.01, 0);
}

struct shares {
    struct rng random;
    uint64_t of[7];
};

static uint32_t pick_and_count(void *context, uint32_t balancer, uint64_t now)
{
    struct shares *s = context;
    (void)now;
    s->of[balancer]++;
    return rng_below(&s->random, 4);
}

/* Splitting a Poisson stream at random gives Poisson streams, so balancers that draw at random are as one; each gets
 * its share, give or take four standard deviations. */
Test(fleet_theory, several_balancers)
{
    figure *const of[] = {figure_mean_ms};
    struct fleet_scenario s = textbook(4, 2800, dist_exponential(1), MANY);
    struct estimate e;
    s.balancers = 7;
    estimate(&s, RANDOM, 1, of, &e);
    assert_theory("mean, ms", e, 10.0 / 3, 0.01, 0);
    struct shares shares = {.of = {0}};
    struct fleet_result r;
    const struct fleet_policy policy = {.context = &shares, .pick = pick_and_count};
    rng_seed(&shares.random, 1, 9);
    cr_assert(fleet_run(&s, NULL, &policy, &r, NULL) == 0, "the run failed");
    fleet_result_free(&r);
    for (int b = 0; b < 7; b++)
        cr_assert(fabs((double)shares.of[b] - MANY / 7.0) < 4 * sqrt(MANY * 6.0 / 49), "balancer %d got %.0f", b,
                  (double)shares.of[b]);
}
