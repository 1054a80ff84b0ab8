/* The formulas of lab 05 against published values, and against what can be counted by hand. */
#include "theory.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(theory, .timeout = 60);

static void near(double actual, double expected, double tolerance, const char *what)
{
    cr_assert(fabs(actual - expected) <= tolerance, "%s: %.6f, not %.6f", what, actual, expected);
}

static struct theory_service at(double lambda, double retries)
{
    return (struct theory_service){.mu = 1000, .lambda = lambda, .timeout = 1, .retries = retries};
}

/* Three retries: a quarter of what it can do (Bronson et al. 2021: vulnerable from 1/(1+R) on). */
Test(theory, edge)
{
    const struct theory_service three = at(0, 3), none = at(0, 0), budget = at(0, 0.1);
    near(theory_edge(&three), 250, 0, "three retries");
    near(theory_edge(&none), 1000, 0, "none");
    near(theory_edge(&budget), 909.09, 0.01, "a tenth");
}

Test(theory, heals_within)
{
    const struct theory_service slow = at(200, 3), near_edge = at(240, 3), beyond = at(250, 3), none = at(700, 0),
                                budget = at(700, 0.1);
    near(theory_heals_within(&slow, 20), 80, 1e-9, "lambda 200");
    near(theory_heals_within(&near_edge, 20), 480, 1e-9, "lambda 240");
    cr_assert(isinf(theory_heals_within(&beyond, 20)), "at the edge never");
    near(theory_heals_within(&none, 20), 46.67, 0.01, "no retries");
    near(theory_heals_within(&budget, 20), 66.96, 0.01, "a budget of 10 %");
}

/* 200/s for 20 s: requests of 20 s, and retries of 19, 18 and 17 s. */
Test(theory, backlog)
{
    const struct theory_service s = at(200, 3), none = at(700, 0);
    near(theory_backlog(&s, 20), 200 * (20 + 19 + 18 + 17), 1e-9, "20 s");
    near(theory_backlog(&s, 1.5), 200 * (1.5 + 0.5), 1e-9, "1.5 s: one retry has come");
    near(theory_backlog(&s, 0.5), 100, 1e-9, "0.5 s: none has");
    near(theory_heals_after(&s, 20), (14800 - 1000) / 200.0 + 1, 1e-9, "heals");
    near(theory_heals_after(&none, 20), (14000 - 1000) / 300.0 + 1, 1e-9, "heals without retries");
    near(theory_heals_after(&s, 0.5), 0, 0, "nobody is late");
}

Test(theory, deadly)
{
    const struct theory_service s300 = at(300, 3), s700 = at(700, 3), s1000 = at(1000, 3);
    near(theory_deadly(&s300), (1000 / 300.0 + 3) / 3, 1e-9, "300 (D + D-1 + D-2) = 1000");
    near(theory_deadly(&s700), (1000 / 700.0 + 1) / 2, 1e-9, "700 (D + D-1) = 1000");
    near(theory_deadly(&s1000), 1, 1e-9, "1000 D = 1000");
}

/* Google's SRE book: 3 layers of 4 tries; AWS Builders' Library: 5 layers of 3. */
Test(theory, amplification)
{
    near(theory_amplification(4, 3), 64, 0, "3 layers of 4 tries");
    near(theory_amplification(3, 5), 243, 0, "5 layers of 3 tries");
    near(theory_amplification(1, 9), 1, 0, "no retries");
}

Test(theory, binomial)
{
    near(theory_at_least(10, 0.2, 5), 0.0328, 5e-5, "false trips with 10 calls");
    cr_assert(theory_at_least(100, 0.2, 50) < 1e-10 && theory_at_least(100, 0.2, 50) > 1e-12, "with 100");
    near(theory_at_least(2, 0.5, 1), 0.75, 1e-15, "a coin twice");
    near(theory_at_least(3, 0.5, 3), 0.125, 1e-15, "three times in a row");
    near(theory_at_least(5, 0.3, 0), 1, 1e-12, "none at least");
    near(theory_at_least(5, 1, 5), 1, 0, "certain");
    near(theory_at_least(5, 0, 1), 0, 0, "impossible");
}

Test(theory, little)
{
    near(theory_little(100, 30), 3000, 0, "threads that wait");
}

Test(theory, queues)
{
    near(theory_mm1_wait(0.5), 1, 0, "M/M/1");
    near(theory_md1_wait(0.5), 0.5, 0, "M/D/1");
    near(theory_md1_wait(0.8), 2, 1e-12, "M/D/1 at 0.8");
}
