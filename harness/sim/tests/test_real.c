/* test_real.c: the portable log and exp are as exact as they say. The reference is the C library in extended precision
 * (which need not be the same to the last bit everywhere: it only bounds an error). */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

#include "sim/real.h"
#include "sim/rng.h"

TestSuite(real, .timeout = 60);

/* In units of the last place of the exact value, rounded. */
static double error(double got, long double exact)
{
    const double near = (double)exact;
    return fabs((double)(((long double)got - exact) / (long double)(nextafter(fabs(near), INFINITY) - fabs(near))));
}

Test(real, log_and_exp_are_within_one_unit)
{
    struct rng r;
    rng_seed(&r, 1, 0);
    for (int i = 0; i < 300000; i++) {
        const double near_one = 0.5 + 1.5 * rng_double(&r);
        const double any = ldexp(near_one, (int)rng_below(&r, 2040) - 1020);
        const double exponent = (rng_double(&r) - 0.5) * (i % 2 ? 1400 : 2);
        cr_assert(error(real_log(near_one), logl(near_one)) < 1, "log(%a) = %a, expected %La", near_one,
                  real_log(near_one), logl(near_one));
        cr_assert(error(real_log(any), logl(any)) < 1, "log(%a) = %a, expected %La", any, real_log(any), logl(any));
        cr_assert(error(real_exp(exponent), expl(exponent)) < 1, "exp(%a) = %a, expected %La", exponent,
                  real_exp(exponent), expl(exponent));
    }
}

Test(real, quotients_are_within_four_units_near_zero_and_far)
{
    struct rng r;
    rng_seed(&r, 2, 0);
    for (int i = 0; i < 300000; i++) {
        const double size = ldexp(rng_open(&r), -(int)rng_below(&r, 70));
        const double x = i % 2 ? size : -size;
        cr_assert(error(real_log1p_over(x), log1pl(x) / x) < 4, "log1p_over(%a) = %a, expected %La", x,
                  real_log1p_over(x), log1pl(x) / x);
        const double y = x * (i % 3 ? 1 : 600);
        cr_assert(error(real_expm1_over(y), expm1l(y) / y) < 4, "expm1_over(%a) = %a, expected %La", y,
                  real_expm1_over(y), expm1l(y) / y);
        const double big = ldexp(rng_open(&r), (int)rng_below(&r, 1000));
        cr_assert(error(real_log1p_over(big), log1pl(big) / big) < 4, "log1p_over(%a) = %a, expected %La", big,
                  real_log1p_over(big), log1pl(big) / big);
    }
}

Test(real, edges)
{
    const struct {
        const char *what;
        double got, expected;
    } cases[] = {
        {"log(0)", real_log(0), -INFINITY},
        {"log(1)", real_log(1), 0},
        {"log(infinity)", real_log(INFINITY), INFINITY},
        {"log(-1)", real_log(-1), NAN},
        {"log(NaN)", real_log(NAN), NAN},
        {"log(2^-1074)", real_log(0x1p-1074), -744.4400719213812},
        {"exp(0)", real_exp(0), 1},
        {"exp(-infinity)", real_exp(-INFINITY), 0},
        {"exp(infinity)", real_exp(INFINITY), INFINITY},
        {"exp(NaN)", real_exp(NAN), NAN},
        {"exp(710)", real_exp(710), INFINITY},
        {"exp(-746)", real_exp(-746), 0},
        {"exp(-745.1)", real_exp(-745.1), 0x1p-1074},
        {"log1p_over(0)", real_log1p_over(0), 1},
        {"log1p_over(-1)", real_log1p_over(-1), INFINITY},
        {"log1p_over(infinity)", real_log1p_over(INFINITY), 0},
        {"expm1_over(0)", real_expm1_over(0), 1},
        {"expm1_over(-infinity)", real_expm1_over(-INFINITY), 0},
        {"expm1_over(infinity)", real_expm1_over(INFINITY), INFINITY},
        {"expm1_over(800)", real_expm1_over(800), INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert(cases[i].got == cases[i].expected || (isnan(cases[i].got) && isnan(cases[i].expected)),
                  "%s: expected %a, got %a", cases[i].what, cases[i].expected, cases[i].got);
    cr_assert(isfinite(real_exp(709.78)), "exp(709.78) is finite, got %a", real_exp(709.78));
}
