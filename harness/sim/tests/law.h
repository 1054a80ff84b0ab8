/* law.h: do these numbers follow that law? What the tests of this folder judge samples with.
 *
 * Each function gives a number that says how far the sample is from the law in units of what chance would do, so that a
 * test is one comparison with a limit. Seeds are fixed, so a test that passes once passes always; limits are set so
 * that a new seed would fail about once in 10,000.
 */
#ifndef SIM_TESTS_LAW_H
#define SIM_TESTS_LAW_H

#include <stddef.h>
#include <stdint.h>

/* (average of x^power - expected) / its standard error, which is estimated from the sample. */
double law_moment_error(const double *x, size_t n, int power, double expected);

/* Kolmogorov-Smirnov: sqrt(n) times the largest distance between the sample's distribution function and `cdf`. Above
 * 2.23 once in 10,000 samples. Sorts x. */
double law_ks(double *x, size_t n, double (*cdf)(const void *law, double x), const void *law);

/* Chi-square, as a normal number (Wilson-Hilferty): how far the observed counts are from the expected ones. Above 3.7
 * once in 10,000 samples, below -3.7 (too good to be chance) as rarely. Cells that expect fewer than 8 are joined with
 * the next ones. */
double law_chi_square(const uint64_t *observed, const double *expected, size_t cells);

#define LAW_KS   2.23
#define LAW_FAR  3.9
#define LAW_MANY 4.5 /* the limit where one test makes hundreds of comparisons */

#endif
