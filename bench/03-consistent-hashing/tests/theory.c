/* The formulas of lab 03 against values that were published or can be counted. */
#include "theory.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(theory, .timeout = 60);

static void near(double actual, double expected, double tolerance, const char *what)
{
    cr_assert(fabs(actual - expected) <= tolerance, "%s: %.6f, not %.6f", what, actual, expected);
}

Test(theory, harmonic)
{
    near(theory_harmonic(1), 1, 0, "H(1)");
    near(theory_harmonic(4), 25 / 12.0, 1e-15, "H(4)");
    near(theory_harmonic(10), 2.929, 5e-4, "H(10)");
    near(theory_harmonic(100), 5.187, 5e-4, "H(100)");
    near(theory_harmonic(1000000), log(1e6) + 0.5772156649, 1e-6, "H(10^6) by Euler's constant");
}

/* Every key of 0 … 19 (4 x 5) is one case: it stays when its rests by 4 and by 5 are equal. */
Test(theory, modulo_moves_by_counting)
{
    for (uint32_t n = 1; n <= 30; n++) {
        uint32_t moved = 0;
        for (uint32_t key = 0; key < n * (n + 1); key++)
            moved += key % n != key % (n + 1);
        near(theory_modulo_moves(n), moved / (n * (n + 1.0)), 1e-12, "moved keys");
    }
}

Test(theory, ring_cv)
{
    near(theory_ring_cv(10, 1), 0.905, 5e-4, "10 nodes of 1 point");
    near(theory_ring_cv(10, 100), 0.095, 5e-4, "10 nodes of 100 points");
    near(theory_ring_cv(100, 1), 0.990, 5e-4, "100 nodes of 1 point");
    near(theory_ring_cv(100, 256), 0.062, 5e-4, "100 nodes of 256 points");
    near(theory_ring_cv(100, 1000), 0.031, 5e-4, "100 nodes of 1000 points");
}

/* Three nodes: any two of them stand side by side. */
Test(theory, pairs_lost)
{
    near(theory_pairs_lost(3, 1), 1, 0, "3 nodes of 1 point");
    near(theory_pairs_lost(5, 1), 0.5, 0, "5 nodes of 1 point: 5 pairs of 10 are neighbours");
    near(theory_pairs_lost(100, 2), 1 - pow(98 / 99.0, 4), 1e-12, "100 nodes of 2 points");
}

Test(theory, outage)
{
    near(theory_hit_after(0.99, 1 / 11.0), 0.09, 1e-12, "hit ratio after modulo");
    near(theory_origin_load(0.99, 0.09), 91, 1e-9, "load after modulo");
    near(theory_origin_load(0.99, theory_hit_after(0.99, 10 / 11.0)), 10, 1e-9, "load after a ring");
}
