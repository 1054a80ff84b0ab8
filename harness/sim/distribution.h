/* distribution.h: the laws that service times, gaps and sizes are drawn from.
 *
 * A `struct dist` is a law with its parameters, plain data: it can be copied, compared, written to a file and put into
 * shared memory. Each constructor takes the mean it should have (in whatever unit: nanoseconds, bytes), so that one law
 * can be put in place of another and the load stays the same. What differs is the tail, and the tail is what breaks
 * systems.
 *
 *   constant           no spread at all; the second moment is mean^2
 *   exponential        no memory; coefficient of variation (standard deviation / mean) 1; what M/M/1 formulas assume
 *   hyperexponential   two exponentials mixed, "most are short, a few are long"; coefficient of variation > 1
 *   lognormal          measured service times often look like this; any coefficient of variation
 *   bounded Pareto     a power law between two ends: file sizes, job sizes; a few jobs are half of the load
 *
 * Errors: a constructor given parameters outside its range returns a law that is not valid: dist_valid says false,
 * draws and moments are NaN.
 *
 * Threads: a law is only read. Same law, same generator, same bits, everywhere: see real.h.
 */
#ifndef SIM_DISTRIBUTION_H
#define SIM_DISTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/exponential.h"
#include "sim/rng.h"

enum dist_kind {
    DIST_CONSTANT,
    DIST_EXPONENTIAL,
    DIST_BOUNDED_PARETO,
    DIST_LOGNORMAL,
    DIST_HYPEREXPONENTIAL,
};

/* kind, mean and second moment may be read; a .. d are constants worked out by the constructor, named in
 * distribution.c. */
struct dist {
    uint32_t kind; /* enum dist_kind */
    uint32_t pad;  /* 0, so that equal laws are equal bytes */
    double mean;
    double second_moment; /* E[X^2] */
    double a, b, c, d;
};

/* mean: finite, >= 0. */
struct dist dist_constant(double mean);

/* mean: finite, > 0. */
struct dist dist_exponential(double mean);

/* Density proportional to x^-(shape+1) between a low end and high_over_low times it; the low end is chosen so that the
 * mean is `mean`. mean > 0; shape > 0 (1.1 to 1.5 is what job sizes measure as; 1 and 2 are no special cases);
 * high_over_low > 1, at most 1e100.
 *
 * Source: M. Harchol-Balter, "Performance Modeling and Design of Computer Systems", 2013, chapter 20. */
struct dist dist_bounded_pareto(double mean, double shape, double high_over_low);

/* exp of a normal; cv is the coefficient of variation. mean > 0, cv > 0 (at most 1e50). */
struct dist dist_lognormal(double mean, double cv);

/* With probability p an exponential of mean m1, else one of mean m2, where p m1 = (1-p) m2 ("balanced means": each
 * branch carries half of the work). mean > 0; cv2 is the SQUARED coefficient of variation, > 1 (at most 1e9).
 *
 * Source: H. Tijms, "Stochastic Models: An Algorithmic Approach", 1994, appendix B. */
struct dist dist_hyperexponential(double mean, double cv2);

/* Every law but the two inlined in dist_draw. */
double dist_draw_other(const struct dist *d, struct rng *r);

/* One draw, >= 0. */
static inline double dist_draw(const struct dist *d, struct rng *r)
{
    if (d->kind == DIST_EXPONENTIAL)
        return d->mean * rng_exponential(r);
    if (d->kind == DIST_CONSTANT)
        return d->mean; /* takes nothing from the generator */
    return dist_draw_other(d, r);
}

bool dist_valid(const struct dist *d);

static inline double dist_mean(const struct dist *d)
{
    return d->mean;
}

/* E[X^2]; the Pollaczek-Khinchine formula for the waiting time of M/G/1 wants it: W = lambda E[X^2] / (2 (1 - rho)). */
static inline double dist_second_moment(const struct dist *d)
{
    return d->second_moment;
}

/* P(X <= x). For tests and plots: it uses the C library's erfc, whose last bit may differ between machines. */
double dist_cdf(const struct dist *d, double x);

/* "exponential", "bounded Pareto", ...; static. */
const char *dist_name(const struct dist *d);

/* Normal with mean 0 and standard deviation 1. */
double rng_normal(struct rng *r);

#endif
