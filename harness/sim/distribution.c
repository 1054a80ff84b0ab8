/* distribution.c: how each law is drawn.
 *
 * Three ways to draw from a law appear here:
 *   inversion   where the distribution function F can be inverted, F^-1 of a uniform number has the law:
 *               bounded Pareto;
 *   mixture     throw a coin, then draw from one of two laws: hyperexponential;
 *   rejection   draw from something simpler that covers the law, and keep the draw with the right probability:
 *               normal, and the ziggurat under every exponential.
 *
 * Invariant: mean and second moment are those of the law that is drawn, worked out from the parameters and not from
 * samples.
 *
 * Cost: constant 0; hyperexponential two random numbers; bounded Pareto one, a logarithm and an
 * exponential; lognormal two or three, and the same.
 */
#include "sim/distribution.h"

#include <math.h>

#include "sim/real.h"

static bool positive(double x)
{
    return x > 0 && x <= 1e300;
}

static struct dist make(enum dist_kind kind, bool valid, double mean, double second_moment)
{
    return (struct dist){.kind = kind, .mean = valid ? mean : NAN, .second_moment = valid ? second_moment : NAN};
}

struct dist dist_constant(double mean)
{
    return make(DIST_CONSTANT, mean == 0 || positive(mean), mean, mean * mean);
}

struct dist dist_exponential(double mean)
{
    return make(DIST_EXPONENTIAL, positive(mean), mean, 2 * mean * mean);
}

/* a: low end, b: high end, c: 1 - (high/low)^-shape, d: -1/shape. F(x) = (1 - (low/x)^shape) / c.
 *
 * With the low end 1, E[X^m] is the integral of shape x^(m-shape-1) / c from 1 to q = high/low, which is expm1((m -
 * shape) log q) / (m - shape) * shape / c. Written with expm1(y)/y, which is 1 at y = 0, the cases shape = 1 and 2 need
 * no formula of their own. */
struct dist dist_bounded_pareto(double mean, double shape, double high_over_low)
{
    const bool valid = positive(mean) && shape > 0 && shape <= 1000 && high_over_low > 1 && high_over_low <= 1e100;
    const double log_q = real_log(high_over_low);
    const double whole = real_expm1_over(-shape * log_q);
    const double first = real_expm1_over((1 - shape) * log_q) / whole;
    const double second = real_expm1_over((2 - shape) * log_q) / whole;
    struct dist d = make(DIST_BOUNDED_PARETO, valid, mean, mean / first * (mean / first) * second);
    d.a = mean / first;
    d.b = d.a * high_over_low;
    d.c = shape * log_q * whole;
    d.d = -1 / shape;
    return d;
}

/* a: mean and b: standard deviation of the logarithm. */
struct dist dist_lognormal(double mean, double cv)
{
    const bool valid = positive(mean) && cv > 0 && cv <= 1e50;
    const double cv2 = cv * cv;
    const double variance = real_log1p_over(cv2) * cv2;
    struct dist d = make(DIST_LOGNORMAL, valid, mean, mean * mean * (1 + cv2));
    d.a = real_log(mean) - 0.5 * variance;
    d.b = sqrt(variance);
    return d;
}

/* a: probability of the short branch, b and c: means of the short and of the long one. */
struct dist dist_hyperexponential(double mean, double cv2)
{
    const bool valid = positive(mean) && cv2 > 1 && cv2 <= 1e9;
    const double lean = sqrt((cv2 - 1) / (cv2 + 1));
    struct dist d = make(DIST_HYPEREXPONENTIAL, valid, mean, mean * mean * (1 + cv2));
    d.a = 0.5 * (1 + lean);
    d.b = mean / (1 + lean);
    d.c = mean / (1 - lean);
    return d;
}

double rng_normal(struct rng *r)
{
    /* Marsaglia's polar method: a uniform point of the unit disc has a direction and, independently, a uniform square
     * of its radius. The second number it yields is thrown away: keeping it would make a draw depend on the draws
     * before it. */
    double x, square;
    do {
        x = 2 * rng_double(r) - 1;
        const double y = 2 * rng_double(r) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    return x * sqrt(-2 * real_log(square) / square);
}

double dist_draw_other(const struct dist *d, struct rng *r)
{
    double x;
    if (!dist_valid(d))
        return NAN;
    switch ((enum dist_kind)d->kind) {
    case DIST_CONSTANT:
        return d->mean;
    case DIST_EXPONENTIAL:
        return d->mean * rng_exponential(r);
    case DIST_HYPEREXPONENTIAL:
        return (rng_double(r) < d->a ? d->b : d->c) * rng_exponential(r);
    case DIST_LOGNORMAL:
        return real_exp(d->a + d->b * rng_normal(r));
    case DIST_BOUNDED_PARETO:
        x = d->a * real_exp(d->d * real_log(1 - rng_double(r) * d->c));
        return x < d->a ? d->a : x > d->b ? d->b : x; /* rounding can step over the ends */
    }
    return NAN;
}

bool dist_valid(const struct dist *d)
{
    return d->kind <= DIST_HYPEREXPONENTIAL && d->mean == d->mean;
}

double dist_cdf(const struct dist *d, double x)
{
    if (!dist_valid(d) || x != x)
        return NAN;
    if (x < 0)
        return 0;
    switch ((enum dist_kind)d->kind) {
    case DIST_CONSTANT:
        return x >= d->mean;
    case DIST_EXPONENTIAL:
        return -expm1(-x / d->mean);
    case DIST_HYPEREXPONENTIAL:
        return -(d->a * expm1(-x / d->b) + (1 - d->a) * expm1(-x / d->c));
    case DIST_LOGNORMAL:
        return x > 0 ? 0.5 * erfc((d->a - log(x)) / (d->b * sqrt(2))) : 0;
    case DIST_BOUNDED_PARETO:
        return x <= d->a ? 0 : x >= d->b ? 1 : -expm1(log(d->a / x) / -d->d) / d->c;
    }
    return NAN;
}

const char *dist_name(const struct dist *d)
{
    static const char *const name[] = {[DIST_CONSTANT] = "constant",
                                       [DIST_EXPONENTIAL] = "exponential",
                                       [DIST_BOUNDED_PARETO] = "bounded Pareto",
                                       [DIST_LOGNORMAL] = "lognormal",
                                       [DIST_HYPEREXPONENTIAL] = "hyperexponential"};
    return d->kind <= DIST_HYPEREXPONENTIAL ? name[d->kind] : "unknown law";
}
