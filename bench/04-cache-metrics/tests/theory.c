/* theory.c: the formulas of lab 04 against published values. */
#include "theory.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(theory, .timeout = 60);

static void near(const char *what, double expected, double actual, double off)
{
    cr_assert(fabs(expected - actual) <= off, "%s: expected: %g; actual: %g", what, expected, actual);
}

Test(theory, the_corrected_pair_of_the_article)
{
    near("A", 5.99, theory_mean_time(0.99, 1, 500), 1e-12);
    near("B", 1.9, theory_mean_time(0.90, 1, 10), 1e-12);
    near("the article's own B", 1.8, theory_mean_time(0.80, 1, 5), 1e-12);
}

Test(theory, the_flash_sale)
{
    near("99.2 to 98 %", 2.5, theory_origin_load(0.992, 0.98), 1e-9);
    near("everyday", 4, theory_connections(1000, 0.992, 0.5), 1e-9);
    near("sale", 100, theory_connections(10000, 0.98, 0.5), 1e-9);
}

Test(theory, random_eviction_of_a_scan)
{
    near("n / c = 1.25", 0.629, theory_random_scan(1.25), 5e-4);
    near("n / c = 2", 0.203, theory_random_scan(2), 5e-4);
    for (double n = 1.1; n < 10; n += 0.1) {
        const double h = theory_random_scan(n);
        near("it solves its equation", h, exp(-n * (1 - h)), 1e-9);
    }
}

/* 10,000 objects: the table of Che's values in the literature's own setting. */
Test(theory, che)
{
    const struct {
        double a;
        uint32_t c;
        double hits;
    } table[] = {{0.8, 100, 0.157}, {0.8, 1000, 0.437}, {1, 100, 0.391}, {1, 1000, 0.676}, {1.2, 1000, 0.861}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        near("Che", table[i].hits, theory_che(10000, table[i].a, table[i].c), 6e-4);
    near("all of equal weight", 0.25, theory_che(1000, 0, 250), 1e-9);
}

Test(theory, expiry)
{
    near("a stampede", 501, theory_stampede(1000, 0.5), 1e-9);
    near("beta 1", 2.718, theory_early(1), 5e-4);
    near("beta 0.5", 7.389, theory_early(0.5), 5e-4);
    near("beta 2", 1.649, theory_early(2), 5e-4);
    const double lead[] = {5.18, 7.49, 12.09}, rd[] = {100, 1000, 100000};
    for (int i = 0; i < 3; i++)
        near("lead in units of D", lead[i], theory_early_lead(1, rd[i], 1), 6e-3);
}
