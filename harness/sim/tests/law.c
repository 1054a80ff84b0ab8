/* law.c: see law.h. */
#include "sim/tests/law.h"

#include <math.h>
#include <stdlib.h>

double law_moment_error(const double *x, size_t n, int power, double expected)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        const double y = (power == 1 ? x[i] : x[i] * x[i]) - expected;
        sum += y;
        squares += y * y;
    }
    const double average = sum / (double)n;
    return average / sqrt((squares / (double)n - average * average) / (double)n);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double law_ks(double *x, size_t n, double (*cdf)(const void *law, double x), const void *law)
{
    qsort(x, n, sizeof *x, compare);
    double farthest = 0;
    for (size_t i = 0; i < n; i++) {
        const double f = cdf(law, x[i]);
        farthest = fmax(farthest, fmax(f - (double)i / (double)n, (double)(i + 1) / (double)n - f));
    }
    return sqrt((double)n) * farthest;
}

double law_chi_square(const uint64_t *observed, const double *expected, size_t cells)
{
    double sum = 0, o = 0, e = 0, left = 0;
    size_t used = 0;
    for (size_t i = 0; i < cells; i++)
        left += expected[i];
    for (size_t i = 0; i < cells; i++) {
        o += (double)observed[i];
        e += expected[i];
        left -= expected[i];
        if (i + 1 < cells && (e < 8 || left < 8)) /* what is left must be enough for a cell too */
            continue;
        if (e > 0) {
            sum += (o - e) * (o - e) / e;
            used++;
        } else if (o > 0) {
            return INFINITY; /* something that cannot be */
        }
        o = e = 0;
    }
    if (used < 2)
        return sum > 1e-6 ? INFINITY : 0;
    const double freedom = (double)used - 1;
    return (cbrt(sum / freedom) - (1 - 2 / (9 * freedom))) / sqrt(2 / (9 * freedom));
}
