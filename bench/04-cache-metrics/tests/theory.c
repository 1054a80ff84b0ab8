/* The formulas of lab 04 against values that were published or can be counted. */
#include "theory.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(theory, .timeout = 60);

static void near(double actual, double expected, double tolerance, const char *what)
{
    cr_assert(fabs(actual - expected) <= tolerance, "%s: %.6f, not %.6f", what, actual, expected);
}

/* The article's own sums, and the corrected pair. */
Test(theory, time_of_a_thousand_requests)
{
    near(1000 * theory_mean_time(0.99, 1, 500), 5990, 1e-9, "990 hits and 10 misses of 500 ms");
    near(1000 * theory_mean_time(0.8, 1, 5), 1800, 1e-9, "800 hits and 200 misses of 5 ms");
    near(1000 * theory_mean_time(0.9, 1, 10), 1900, 1e-9, "900 hits and 100 misses of 10 ms");
    near(theory_mean_time(1, 1, 500), 1, 0, "nothing misses");
    near(theory_mean_time(0, 1, 500), 500, 0, "everything misses");
}

Test(theory, load_and_connections)
{
    near(theory_origin_load(0.992, 0.98), 2.5, 1e-12, "from 99.2 to 98 %");
    near(theory_origin_load(0.999, 0.99), 10, 1e-9, "from 99.9 to 99 %");
    near(theory_busy(1000, 0.992, 0.5), 4, 1e-12, "everyday");
    near(theory_busy(10000, 0.98, 0.5), 100, 1e-9, "the sale");
    near(theory_queue_growth(10000, 0.98, 0.5, 40), 120, 1e-9, "200 come a second, and 80 go");
    near(theory_queue_growth(10000, 0.98, 0.5, 100), 0, 1e-9, "a pool that is just large enough");
}

Test(theory, random_in_turn)
{
    near(theory_random_in_turn(1.25), 0.629, 5e-4, "five objects for four places");
    near(theory_random_in_turn(2), 0.203, 5e-4, "two for one");
    for (double x = 1.05; x < 5; x += 0.05) {
        const double h = theory_random_in_turn(x);
        near(h, exp(-x * (1 - h)), 1e-9, "it solves its equation");
        cr_assert(h > 0 && h < 0.95, "and is the solution below 1: %.6f for %.2f", h, x);
    }
}

/* Published for 10,000 objects, rounded to three digits. */
Test(theory, che_published)
{
    near(theory_che(10000, 0.8, 100), 0.157, 6e-4, "exponent 0.8, 100 kept");
    near(theory_che(10000, 0.8, 1000), 0.437, 6e-4, "exponent 0.8, 1,000 kept");
    near(theory_che(10000, 1, 100), 0.391, 6e-4, "exponent 1, 100 kept");
    near(theory_che(10000, 1, 1000), 0.676, 6e-4, "exponent 1, 1,000 kept");
    near(theory_che(10000, 1.2, 1000), 0.861, 6e-4, "exponent 1.2, 1,000 kept");
}

/* All alike: what is kept is what hits. */
Test(theory, che_of_equals)
{
    near(theory_che(1000, 0, 10), 0.01, 1e-9, "one in a hundred");
    near(theory_che(1000, 0, 500), 0.5, 1e-9, "half of them");
    for (uint32_t c = 1; c < 900; c += 100)
        cr_assert(theory_che(1000, 1, c) < theory_che(1000, 1, c + 100), "more room, more hits: %u", c);
}

Test(theory, recomputing)
{
    near(theory_stampede(1000, 0.5), 501, 1e-9, "a thousand a second, half a second");
    near(theory_stampede(0, 0.5), 1, 0, "nobody else comes");
    near(theory_early(1), 2.718, 5e-4, "beta 1");
    near(theory_early(0.5), 7.39, 5e-3, "beta 0.5");
    near(theory_early(2), 1.65, 5e-3, "beta 2");
}

/* Published, in units of the computation: 5.18, 7.49 and 12.09 for 100, 1,000 and 100,000 callers within one. */
Test(theory, early_lead)
{
    near(theory_early_lead(100, 1, 1), 5.18, 5e-3, "100 callers");
    near(theory_early_lead(1000, 1, 1), 7.49, 6e-3, "1,000 callers");
    near(theory_early_lead(1e5, 1, 1), 12.09, 5e-3, "100,000 callers");
    near(theory_early_lead(1000, 0.5, 1), 0.5 * (log(500) + 0.57721566), 1e-6, "in seconds");
}

Test(theory, the_others)
{
    near(theory_jitter(2000, 0.5, 10), 400, 0, "2,000 keys over five seconds");
    near(theory_negative(100, 1), 1 / 101.0, 1e-12, "one in 101");
    near(theory_negative(0, 1), 1, 0, "who comes once reaches the origin");
    near(theory_flight_p99(0.5, 10), 0.395, 1e-12, "the last hundredth of 10.5 s is 0.105 s");
    near(theory_flight_p99(0.01, 10), 0, 0, "less than a hundredth waits at all");
    near(theory_stale(1000, 0.5, 10), 501 / 10501.0, 1e-12, "501 of 10,501 callers");
}
