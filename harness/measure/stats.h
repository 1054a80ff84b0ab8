/* stats.h: medians, and how far off they may be, without assuming any law for the noise.
 *
 * Timings are not normal: they have a hard lower edge and a long tail of interruptions. So the middle is the median,
 * and its interval comes from the sign test: each value lies above the true median or below it, as a coin falls. That
 * is exact for any law of independent values. (Conover, Practical Nonparametric Statistics, 3.2.)
 */
#ifndef MEASURE_STATS_H
#define MEASURE_STATS_H

#include <stdint.h>

struct stats_interval {
    double median, low, high; /* low and high are infinite where n is too small for the confidence */
};

/* Puts v in rising order. */
void stats_sort(double *v, uint32_t n);
/* The p-th percentile (0 … 100) of sorted values, between neighbours by straight line. n >= 1. */
double stats_percentile(const double *sorted, uint32_t n, double p);
double stats_median(const double *v, uint32_t n); /* v in any order, left alone; NaN for n = 0 */

/* The largest k with 2 P(X < k) <= alpha, X heads in n throws of a fair coin: the interval of the median runs from the
 * k-th smallest value to the k-th largest. 0: n is too small for any. */
uint32_t stats_sign_rank(uint32_t n, double alpha);

/* Median and its two-sided interval, wrong with probability alpha at most. v in any order. */
struct stats_interval stats_sign_interval(const double *v, uint32_t n, double alpha);

#endif
