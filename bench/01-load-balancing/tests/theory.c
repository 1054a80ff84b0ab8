/* theory.c: the closed forms against published tables, against each other, and against cases that can be done by hand.
 *
 * The formulas are what every claim is judged by, so nothing simulated is used here.
 */
#include "theory.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(theory, .timeout = 60);

static void near(const char *what, double is, double should, double within)
{
    cr_assert(fabs(is - should) <= within, "%s is %.9g and should be %.9g, within %g", what, is, should, within);
}

/* The share that waits, to the six digits that tables print. */
Test(theory, erlang_c_table)
{
    const struct {
        uint32_t servers;
        double offered, waits;
    } row[] = {{2, 1.8, 0.852632}, {5, 4.5, 0.762493},  {10, 8, 0.409180},
               {10, 9, 0.668732},  {100, 90, 0.216940}, {100, 95, 0.506457}};
    for (size_t i = 0; i < COUNT(row); i++)
        near("Erlang's C", theory_erlang_c(row[i].servers, row[i].offered), row[i].waits, 5e-7);
}

/* B(1, a) = a / (1 + a); B(2, a) = a^2 / (2 + 2 a + a^2). C comes from B; one server waits with the chance that it is
 * busy. */
Test(theory, erlang_by_hand)
{
    near("B(1, 3)", theory_erlang_b(1, 3), 3.0 / 4, 1e-15);
    near("B(2, 3)", theory_erlang_b(2, 3), 9.0 / 17, 1e-15);
    near("B(0, 3): nobody is served", theory_erlang_b(0, 3), 1, 0);
    near("C(1, 0.7)", theory_erlang_c(1, 0.7), 0.7, 1e-15);
    near("B of 200 servers stays in range", theory_erlang_b(200, 1000), 0.8, 0.01);
    near("the wait of one server is M/M/1's", theory_central_wait(1, 700, 1000), 0.7 / 300, 1e-15);
    near("the wait of ten", theory_central_wait(10, 9000, 1000), 0.668732e-3, 1e-9);
}

/* Mean times in service times for 1, 2 and 3 choices. */
Test(theory, supermarket_table)
{
    const struct {
        double load, mean[3];
    } row[] = {{0.5, {2, 1.2657, 1.1252}},  {0.7, {3.3333, 1.6145, 1.3568}}, {0.8, {5, 1.9474, 1.5809}},
               {0.9, {10, 2.6141, 2.0279}}, {0.95, {20, 3.3830, 2.5351}},    {0.99, {100, 5.4320, 3.8578}}};
    for (size_t i = 0; i < COUNT(row); i++)
        for (uint32_t d = 1; d <= 3; d++)
            near("mean time", theory_supermarket_mean(d, row[i].load), row[i].mean[d - 1], 6e-5);
}

Test(theory, supermarket_tail)
{
    near("one choice, 4 or more", theory_supermarket_tail(1, 0.9, 4), 0.6561, 1e-12);
    near("two choices, 4 or more: 0.9^15", theory_supermarket_tail(2, 0.9, 4), 0.205891132094649, 1e-12);
    near("three choices, 3 or more: 0.9^13", theory_supermarket_tail(3, 0.9, 3), 0.2541865828329, 1e-12);
    near("0 or more", theory_supermarket_tail(2, 0.9, 0), 1, 0);
}

/* Erlang-1 is Poisson; very many phases are a clock, for which s = exp(-(1 - s) / load). */
Test(theory, erlang_arrivals)
{
    near("E_10/M/1 at 90 %", theory_erlang_arrivals_mean(10, 0.9, 1), 5.66, 0.005);
    near("E_1/M/1 is M/M/1", theory_erlang_arrivals_mean(1, 0.9, 1), 10, 1e-9);
    double s = 0.5;
    for (int i = 0; i < 1000; i++)
        s = exp(-(1 - s) / 0.9);
    near("D/M/1", theory_erlang_arrivals_mean(1000000, 0.9, 1), 1 / (1 - s), 1e-4);
    near("units", theory_erlang_arrivals_mean(10, 900, 1000), theory_erlang_arrivals_mean(10, 0.9, 1) / 1000, 1e-15);
}

Test(theory, one_server)
{
    near("M/M/1", theory_mm1_mean(900, 1000), 0.01, 1e-15);
    near("p99", theory_mm1_percentile(900, 1000, 0.01), 0.0460517018598809, 1e-12);
    near("M/G/1 with exponential work is M/M/1", theory_mg1_mean(0.9, 1, 2), 10, 1e-12);
    near("M/D/1 waits half as long", theory_mg1_mean(0.9, 1, 1), 5.5, 1e-12);
}

static const double article[] = {1500, 1500, 1500, 1000, 1000, 1000, 1000, 500, 500, 500};

Test(theory, even_shares_of_the_articles_fleet)
{
    const double row[][2] = {{4000, 4000}, {5000, 5000}, {6000, 5700},  {7000, 6400},
                             {8000, 7100}, {9000, 7800}, {20000, 10000}};
    near("ceiling", theory_even_ceiling(article, 10), 5000, 0);
    for (size_t i = 0; i < COUNT(row); i++)
        near("throughput", theory_even_throughput(article, 10, row[i][0]), row[i][1], 1e-9);
}

Test(theory, square_root_rule)
{
    double split[10], sum = 0;
    near("proportional at 9,000, ms", 1e3 * theory_proportional_mean(article, 10, 9000), 10, 1e-9);
    near("proportional at 3,000, ms", 1e3 * theory_proportional_mean(article, 10, 3000), 1.43, 0.005);
    near("square root at 9,000, ms", 1e3 * theory_square_root_split(article, 10, 9000, split), 9.55, 0.005);
    near("square root at 3,000, ms", 1e3 * theory_square_root_split(article, 10, 3000, split), 1.24, 0.005);
    for (int i = 0; i < 10; i++)
        sum += split[i];
    near("the split is all of the load", sum, 3000, 1e-9);
    near("the slow get nothing", split[9], 0, 0);
    for (int i = 0; i < 10; i++)
        split[i] = article[i] * 0.9;
    near("a proportional split", theory_split_mean(article, split, 10), theory_proportional_mean(article, 10, 9000),
         1e-12);
}

/* No step from the best split makes it better. */
Test(theory, square_root_rule_is_the_best)
{
    double split[10];
    const double best = theory_square_root_split(article, 10, 7000, split);
    for (int from = 0; from < 10; from++)
        for (int to = 0; to < 10; to++) {
            split[from] -= 1;
            split[to] += 1;
            cr_assert(from == to || theory_split_mean(article, split, 10) > best, "moving load from %d to %d helps",
                      from, to);
            split[from] += 1;
            split[to] -= 1;
        }
}

Test(theory, overloading_a_few)
{
    const double one[] = {100};
    near("no burst where there is one server", theory_burst_loss(one, 1, 100, 10), 0, 0);
    near("bursts of 1,500, 1,000 and 500", theory_burst_loss(article, 10, 6000, 100), 0.708333333, 1e-8);
    near("8 of 10 are small", theory_two_choices_loss(8, 10, 250, 6000), 56.0 / 90 - 2000.0 / 6000, 1e-12);
    near("below that ceiling", theory_two_choices_loss(8, 10, 250, 3000), 0, 0);
}

/* One choice: the largest of n Poisson numbers of mean 1, nearly. */
Test(theory, fullest_bin)
{
    double below = 0, term = exp(-1.0), mean = 0;
    for (int k = 0; k < 24; k++) {
        below += term;
        term /= k + 1;
        mean += 1 - pow(below, 65536);
    }
    near("one choice is the Poisson law", theory_fullest_bin(1, 65536), mean, 1e-6);
    near("one choice, as thrown", theory_fullest_bin(1, 65536), 7.70, 0.2);
    near("two choices, as thrown", theory_fullest_bin(2, 65536), 3.28, 0.1);
    near("three choices, as thrown", theory_fullest_bin(3, 65536), 3.00, 0.001);
    near("two choices of 2^20, as thrown", theory_fullest_bin(2, 1048576), 4.00, 0.01);
}

/* A board that is always fresh is the supermarket; one choice does not look at it. */
Test(theory, notice_board)
{
    near("fresh", theory_board_mean(2, 0.9, 0.01), theory_supermarket_mean(2, 0.9), 0.005);
    near("one choice, 4 service times", theory_board_mean(1, 0.7, 4), 1 / (1 - 0.7), 1e-3);
    cr_assert(theory_board_mean(2, 0.9, 2) < theory_board_mean(2, 0.9, 4), "older news should cost more");
    cr_assert(theory_board_mean(2, 0.9, 8) < 10, "at 8 service times two choices still beat one");
    cr_assert(theory_board_mean(2, 0.9, 64) > 10, "at 64 service times they no longer do");
}

/* The balance equations of theory_fail_fast_share, solved one by one. */
Test(theory, fail_fast_share)
{
    const uint32_t n = 10;
    const double a = 6;
    double p = 1, all = 0, share = 0;
    for (uint32_t busy = 0; busy < n; busy++) {
        all += p;
        share += p / (n - busy);
        p *= a * (n - 1 - busy) / (n - busy) / (busy + 1);
    }
    near("share", theory_fail_fast_share(n, a), share / all, 1e-12);
    near("an idle fleet shares evenly", theory_fail_fast_share(n, 1e-9), 0.1, 1e-9);
    near("a drowned one sends it everything but the rest's speed", theory_fail_fast_share(n, 1e9), 1, 1e-6);
}

Test(theory, ejected_failures)
{
    near("trials at 0, 1, 3, 6", theory_ejected_failures(5, 1, 10), 20, 0);
    near("... and 10", theory_ejected_failures(5, 1, 10.5), 25, 0);
    near("a minute", theory_ejected_failures(5, 1, 60), 55, 0);
}

/* Half of the balancers have somebody idle: 10 servers each, a tenth of them idle, so one on the average. */
Test(theory, join_idle)
{
    near("10 servers a balancer", theory_join_idle_mean(10, 0.9), 1 / (1 - 0.45), 1e-12);
    near("no server has a balancer", theory_join_idle_mean(0, 0.9), 10, 1e-9);
    near("all servers have one balancer", theory_join_idle_mean(1e12, 0.9), 1, 1e-9);
}
