/* stats.c: medians, and how far off they may be, without assuming any law for the noise. */
#include "measure/stats.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stats_sort(double *v, uint32_t n)
{
    qsort(v, n, sizeof *v, by_value);
}

double stats_percentile(const double *sorted, uint32_t n, double p)
{
    double at = p / 100 * (n - 1);
    uint32_t below = (uint32_t)at, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

static double *sorted_copy(const double *v, uint32_t n)
{
    double *copy = xcalloc(n, sizeof *copy);
    memcpy(copy, v, n * sizeof *copy);
    stats_sort(copy, n);
    return copy;
}

double stats_median(const double *v, uint32_t n)
{
    if (n == 0)
        return NAN;
    double *sorted = sorted_copy(v, n), median = stats_percentile(sorted, n, 50);
    free(sorted);
    return median;
}

/* P(X <= k), summed from the left; in logarithms, since 2^-n is no double beyond n = 1074. */
uint32_t stats_sign_rank(uint32_t n, double alpha)
{
    double sum = 0;
    uint32_t k = 0;
    for (; k < n / 2; k++) {
        sum += exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) - n * log(2));
        if (2 * sum > alpha)
            break;
    }
    return k;
}

struct stats_interval stats_sign_interval(const double *v, uint32_t n, double alpha)
{
    struct stats_interval i = {NAN, -INFINITY, INFINITY};
    if (n == 0)
        return i;
    double *sorted = sorted_copy(v, n);
    uint32_t k = stats_sign_rank(n, alpha);
    i.median = stats_percentile(sorted, n, 50);
    if (k > 0) {
        i.low = sorted[k - 1];
        i.high = sorted[n - k];
    }
    free(sorted);
    return i;
}
