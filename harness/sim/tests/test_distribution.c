/* test_distribution.c: each law's samples follow its distribution function, its mean and its second moment; and its
 * bits do not change. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/distribution.h"
#include "sim/tests/law.h"

TestSuite(distribution, .timeout = 60);

enum { N = 200000 };

static double *sample(void)
{
    double *x = malloc(N * sizeof *x);
    cr_assert_not_null(x, "no memory");
    return x;
}

static double cdf(const void *law, double x)
{
    return dist_cdf(law, x);
}

/* No tail here is so long that a sample of this size could miss it: the error of the second moment is estimated from
 * the sample too. For the long ones there is the next test. */
Test(distribution, samples_follow_the_law)
{
    const struct dist laws[] = {
        dist_exponential(1),
        dist_exponential(2.5e6),
        dist_hyperexponential(1, 1.5),
        dist_hyperexponential(100, 4),
        dist_hyperexponential(1e6, 25),
        dist_lognormal(1, 0.1),
        dist_lognormal(50, 0.5),
        dist_lognormal(1e6, 1),
        dist_bounded_pareto(1, 0.5, 100),
        dist_bounded_pareto(10, 1, 1000),
        dist_bounded_pareto(1e6, 1.5, 100),
        dist_bounded_pareto(1, 2, 50),
        dist_bounded_pareto(1, 3, 20),
        dist_bounded_pareto(1, 1.1, 1.5),
    };
    double *x = sample();
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        const struct dist *d = &laws[i];
        cr_assert(dist_valid(d), "law %zu, %s: not valid", i, dist_name(d));
        struct rng r;
        rng_seed(&r, 2026, i);
        for (size_t k = 0; k < N; k++)
            x[k] = dist_draw(d, &r);
        const double mean = law_moment_error(x, N, 1, dist_mean(d));
        const double second = law_moment_error(x, N, 2, dist_second_moment(d));
        const double ks = law_ks(x, N, cdf, d);
        cr_assert(fabs(mean) < LAW_FAR, "law %zu, %s: the mean is %.2f standard errors off", i, dist_name(d), mean);
        cr_assert(fabs(second) < LAW_MANY, "law %zu, %s: the second moment is %.2f standard errors off", i,
                  dist_name(d), second);
        cr_assert(ks < LAW_KS, "law %zu, %s: Kolmogorov-Smirnov is %.2f, expected below %.2f", i, dist_name(d), ks,
                  LAW_KS);
        cr_assert(x[0] >= 0 && isfinite(x[N - 1]), "law %zu, %s: draws from %g to %g", i, dist_name(d), x[0], x[N - 1]);
    }
    free(x);
}

/* Means and second moments against the distribution function itself: E[X] is the integral of 1 - F, E[X^2] that of 2 x
 * (1 - F). No sample is large enough to see the second moment of a heavy tail; this is. */
Test(distribution, moments_agree_with_the_distribution_function)
{
    const struct dist laws[] = {dist_exponential(2),
                                dist_hyperexponential(3, 100),
                                dist_lognormal(2, 5),
                                dist_bounded_pareto(5, 1.1, 1e6),
                                dist_bounded_pareto(1, 1, 1e4),
                                dist_bounded_pareto(1, 2, 1e4),
                                dist_bounded_pareto(1, 0.7, 50)};
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        double first = 0, second = 0;
        const double step = 1e-3; /* x = e^t: dx = x dt */
        for (double t = -25; t < 40; t += step) {
            const double x = exp(t + step / 2), beyond = 1 - dist_cdf(&laws[i], x);
            first += beyond * x * step;
            second += 2 * beyond * x * x * step;
        }
        cr_assert(fabs(first / dist_mean(&laws[i]) - 1) < 1e-3, "law %zu, %s: mean %.9g, by the integral %.9g", i,
                  dist_name(&laws[i]), dist_mean(&laws[i]), first);
        cr_assert(fabs(second / dist_second_moment(&laws[i]) - 1) < 2e-3,
                  "law %zu, %s: second moment %.9g, by the integral %.9g", i, dist_name(&laws[i]),
                  dist_second_moment(&laws[i]), second);
    }
}

Test(distribution, constant_is_constant_and_draws_nothing)
{
    const struct dist d = dist_constant(7.5);
    struct rng r, before;
    rng_seed(&r, 1, 1);
    before = r;
    const double x = dist_draw(&d, &r);
    cr_assert(x == 7.5, "expected 7.5, got %g", x);
    cr_assert(!memcmp(&r, &before, sizeof r), "the generator has moved");
    cr_assert(dist_mean(&d) == 7.5 && dist_second_moment(&d) == 56.25, "mean %g, second moment %g", dist_mean(&d),
              dist_second_moment(&d));
    cr_assert(dist_cdf(&d, 7.4) == 0 && dist_cdf(&d, 7.5) == 1, "the distribution function does not jump at 7.5");
}

/* More of the exponential: a million draws in 400 cells of equal probability, and apart the tail, which only the bottom
 * layer makes. */
Test(distribution, ziggurat_has_the_right_shape_and_tail)
{
    enum { CELLS = 400, DRAWS = 2000000 };
    uint64_t cell[CELLS] = {0}, tail[4] = {0};
    double expected[CELLS], tail_expected[4];
    struct rng r;
    rng_seed(&r, 99, 0);
    for (int i = 0; i < DRAWS; i++) {
        const double x = rng_exponential(&r);
        cell[(size_t)(exp(-x) * CELLS * (1 - 1e-15))]++;
        tail[x < 7.69711747013105 ? 0 : x < 8.4 ? 1 : x < 9.1 ? 2 : 3]++;
    }
    for (int i = 0; i < CELLS; i++)
        expected[i] = (double)DRAWS / CELLS;
    const double edge[5] = {1, exp(-7.69711747013105), exp(-8.4), exp(-9.1), 0};
    for (int i = 0; i < 4; i++)
        tail_expected[i] = DRAWS * (edge[i] - edge[i + 1]);
    const double far = law_chi_square(cell, expected, CELLS), far_tail = law_chi_square(tail, tail_expected, 4);
    cr_assert(fabs(far) < LAW_FAR, "chi-square is %.2f, expected within %.1f", far, LAW_FAR);
    cr_assert(fabs(far_tail) < LAW_FAR, "chi-square of the tail is %.2f, expected within %.1f", far_tail, LAW_FAR);
}

static double normal_cdf(const void *law, double x)
{
    (void)law;
    return 0.5 * erfc(-x / sqrt(2));
}

Test(distribution, normal_is_normal)
{
    double *x = sample();
    struct rng r;
    rng_seed(&r, 5, 0);
    for (size_t i = 0; i < N; i++)
        x[i] = rng_normal(&r);
    const double mean = law_moment_error(x, N, 1, 0), second = law_moment_error(x, N, 2, 1),
                 ks = law_ks(x, N, normal_cdf, NULL);
    cr_assert(fabs(mean) < LAW_FAR && fabs(second) < LAW_FAR,
              "mean and second moment are %.2f and %.2f standard errors off", mean, second);
    cr_assert(ks < LAW_KS, "Kolmogorov-Smirnov is %.2f, expected below %.2f", ks, LAW_KS);
    free(x);
}

Test(distribution, bad_parameters_are_not_valid)
{
    const struct dist bad[] = {
        dist_constant(-1),
        dist_constant(NAN),
        dist_constant(INFINITY),
        dist_exponential(0),
        dist_exponential(-1),
        dist_exponential(INFINITY),
        dist_hyperexponential(1, 1),
        dist_hyperexponential(1, NAN),
        dist_hyperexponential(0, 2),
        dist_lognormal(1, 0),
        dist_lognormal(0, 1),
        dist_lognormal(1, -1),
        dist_bounded_pareto(1, 0, 10),
        dist_bounded_pareto(1, 1, 1),
        dist_bounded_pareto(1, 1, INFINITY),
        dist_bounded_pareto(-1, 1, 10),
        dist_bounded_pareto(1, NAN, 10),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rng r;
        rng_seed(&r, 1, 0);
        cr_assert(!dist_valid(&bad[i]), "law %zu, %s: valid", i, dist_name(&bad[i]));
        const double x = dist_draw(&bad[i], &r);
        cr_assert(isnan(x) && isnan(dist_mean(&bad[i])) && isnan(dist_second_moment(&bad[i])) &&
                      isnan(dist_cdf(&bad[i], 1)),
                  "law %zu, %s: gives %g instead of NaN", i, dist_name(&bad[i]), x);
    }
    const struct dist zero = dist_constant(0);
    cr_assert(dist_valid(&zero), "a constant 0 is a law");
}

/* FNV-1a over the bits of 20,000 draws. These numbers may change only together with a change of algorithm that is
 * meant: a change here means that every recorded seed now names another run. */
Test(distribution, bits_are_the_same_everywhere)
{
    const struct {
        struct dist d;
        uint64_t expected;
    } cases[] = {
        {dist_exponential(1), 0x872e9521ce62d119u},
        {dist_bounded_pareto(1e6, 1.3, 1e4), 0x17a72691c6536bbdu},
        {dist_lognormal(1e6, 2), 0x7ea2f8d827a57202u},
        {dist_hyperexponential(1e6, 9), 0xea934438f786daa9u},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rng r;
        rng_seed(&r, 424242, i);
        uint64_t hash = 0xcbf29ce484222325u;
        for (int k = 0; k < 20000; k++) {
            const double x = dist_draw(&cases[i].d, &r);
            uint64_t bits;
            memcpy(&bits, &x, sizeof bits);
            hash = (hash ^ bits) * 0x100000001b3u;
        }
        cr_assert(hash == cases[i].expected, "%s: expected 0x%016" PRIx64 "u, got 0x%016" PRIx64 "u",
                  dist_name(&cases[i].d), cases[i].expected, hash);
    }
}
