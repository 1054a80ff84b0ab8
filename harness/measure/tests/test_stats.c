/* Medians and their intervals; growth. */
#include "base/memory.h"
#include "measure/growth.h"
#include "measure/stats.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(stats, .timeout = 60);
TestSuite(growth, .timeout = 60);

Test(stats, percentiles)
{
    const double v[] = {4, 1, 3, 2, 5};
    double sorted[5];
    memcpy(sorted, v, sizeof v);
    stats_sort(sorted, 5);
    cr_assert(stats_percentile(sorted, 5, 0) == 1 && stats_percentile(sorted, 5, 100) == 5, "the ends");
    cr_assert(stats_percentile(sorted, 5, 50) == 3 && stats_percentile(sorted, 5, 25) == 2, "the quarters");
    cr_assert(fabs(stats_percentile(sorted, 5, 10) - 1.4) < 1e-12, "between two values: %g",
              stats_percentile(sorted, 5, 10));
    cr_assert(stats_median(v, 5) == 3 && v[0] == 4, "the median, and the values are left alone");
    cr_assert(stats_median((const double[]){1, 2}, 2) == 1.5 && isnan(stats_median(v, 0)), "even and empty");
}

/* From tables of the sign test (Conover, table A3): n = 6 at 5 %: the extremes; n = 10: second; n = 20: sixth. */
Test(stats, sign_ranks_of_the_tables)
{
    const struct {
        double alpha;
        uint32_t n, rank;
    } rows[] = {{0.05, 5, 0},   {0.05, 6, 1},  {0.05, 10, 2}, {0.05, 20, 6},
                {0.05, 40, 14}, {0.01, 20, 4}, {0.01, 8, 1},  {0.01, 7, 0}};
    for (size_t i = 0; i < COUNT(rows); i++)
        cr_assert(stats_sign_rank(rows[i].n, rows[i].alpha) == rows[i].rank, "n = %u, alpha %g: expected %u, got %u",
                  rows[i].n, rows[i].alpha, rows[i].rank, stats_sign_rank(rows[i].n, rows[i].alpha));
    cr_assert(stats_sign_rank(4000, 0.05) > 1900 && stats_sign_rank(4000, 0.05) < 1950, "no underflow for large n: %u",
              stats_sign_rank(4000, 0.05));
}

Test(stats, interval_of_a_median)
{
    double v[20];
    for (int i = 0; i < 20; i++)
        v[i] = i + 1;
    struct stats_interval interval = stats_sign_interval(v, 20, 0.05);
    cr_assert(interval.median == 10.5 && interval.low == 6 && interval.high == 15, "%g, %g to %g", interval.median,
              interval.low, interval.high);
    interval = stats_sign_interval(v, 5, 0.05);
    cr_assert(interval.median == 3 && isinf(interval.low) && isinf(interval.high),
              "five values allow no interval at 5 %%");
}

/* The interval covers the true median as often as it says, for a law with a long tail. */
Test(stats, interval_covers)
{
    uint64_t x = 88172645463325252u;
    int missed = 0, trials = 4000;
    for (int t = 0; t < trials; t++) {
        double v[20];
        for (int i = 0; i < 20; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            double u = ((double)(x >> 11) + 0.5) * 0x1p-53;
            v[i] = 1 / (u * u); /* median 4 */
        }
        struct stats_interval interval = stats_sign_interval(v, 20, 0.05);
        missed += interval.low > 4 || interval.high < 4;
    }
    cr_assert(missed < 0.055 * trials && missed > 0.02 * trials, "the true median is missed in %.1f %%; 4.1 is exact",
              100.0 * missed / trials);
}

/* ---- growth ---- */

static const double size[] = {2, 10, 100, 1000, 10000};
enum { SIZES = COUNT(size) };

static struct growth fit(double (*f)(double), double wobble)
{
    struct growth g;
    double y[SIZES];
    for (int i = 0; i < SIZES; i++)
        y[i] = f(size[i]) * (1 + wobble * (i % 2 ? 1 : -1));
    growth_fit(size, y, SIZES, &g);
    return g;
}

static double flat(double n)
{
    return 50 + 0 * n;
}
static double logarithm(double n)
{
    return 30 + 20 * log2(n);
}
static double line(double n)
{
    return 40 + 6 * n;
}
static double n_log_n(double n)
{
    return 5 * n * log2(n) + 3;
}
static double square(double n)
{
    return 7 + n * n;
}
static double jump(double n)
{
    return n < 500 ? 30 : 900;
}

Test(growth, tells_the_five_laws_apart)
{
    double (*const f[GROWTH_MODELS])(double) = {flat, logarithm, line, n_log_n, square};
    for (int m = 0; m < GROWTH_MODELS; m++)
        for (int k = 0; k < 3; k++) {
            double wobble = 0.02 * k;
            struct growth g = fit(f[m], wobble);
            cr_assert(g.told && g.model == (enum growth_model)m, "%s with %.0f %% wobble: %s %s (%s)",
                      growth_name((enum growth_model)m), 100 * wobble, g.told ? "told" : "not told",
                      growth_name(g.model), g.why);
            cr_assert(g.confidence >= GROWTH_CONFIDENCE, "confidence %g", g.confidence);
        }
}

Test(growth, recovers_the_factors)
{
    struct growth g = fit(line, 0);
    cr_assert(fabs(g.fit[GROWTH_LINEAR].a - 40) < 1e-6 && fabs(g.fit[GROWTH_LINEAR].b - 6) < 1e-9, "a = %g, b = %g",
              g.fit[GROWTH_LINEAR].a, g.fit[GROWTH_LINEAR].b);
    double weights = 0;
    for (int m = 0; m < GROWTH_MODELS; m++)
        weights += g.fit[m].weight;
    cr_assert(fabs(weights - 1) < 1e-9, "the weights add up to %g", weights);
    cr_assert(fabs(g.times - (40 + 60000) / 52.0) < 1e-6, "largest over smallest: %g", g.times);
}

Test(growth, says_when_it_cannot_tell)
{
    struct growth g = fit(jump, 0);
    cr_assert(!g.told && strstr(g.why, "no law fits"), "a jump is no law: \"%s\"", g.why);
    const double y[] = {10, 20, 30};
    growth_fit(size, y, 3, &g);
    cr_assert(!g.told && strstr(g.why, "4 sizes"), "three sizes are too few: \"%s\"", g.why);
    const double narrow[] = {10, 20, 30, 40}, z[] = {10, 20, 30, 40};
    growth_fit(narrow, z, 4, &g);
    cr_assert(!g.told, "a factor of 4 is too narrow");
    const double bad[] = {1, NAN, 3, 4, 5};
    growth_fit(size, bad, SIZES, &g);
    cr_assert(!g.told && strstr(g.why, "missing"), "\"%s\"", g.why);
}

Test(growth, small_rise_is_constant)
{
    const double y[] = {100, 101, 100.5, 102, 101.5};
    struct growth g;
    growth_fit(size, y, SIZES, &g);
    cr_assert(g.told && g.model == GROWTH_CONSTANT, "2 %% over a factor of 5,000: %s (%s)", growth_name(g.model),
              g.why);
}
