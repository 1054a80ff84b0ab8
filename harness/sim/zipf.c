/* zipf.c: rejection-inversion.
 *
 * Draw h(x) = x^-e, e the exponent, as a smooth curve. Rank k gets the strip of the curve from k - 1/2 to k + 1/2; as
 * the curve is convex, the strip's area is at least h(k), rank k's due. So: pick a point uniformly in the area (its
 * integral H can be inverted, so that is one formula), see which strip it is in, and give that rank if the point is in
 * the last h(k) of its strip, else try again. The first strip is made to fit exactly: it starts where h(1) is left of
 * it.
 *
 * Two savings make it fast. Where x is no more than `sure` left of k, the test is bound to pass and h need not be
 * computed; sure is where the test turns for k = 2, and for later ranks it turns no later. And little is thrown away:
 * 1.02 trials a draw for exponents up to 2.
 *
 * Invariant: of each strip exactly h(k) is accepted.
 *
 * H(x) = (x^(1-e) - 1) / (1 - e), which is log x at e = 1 and a loss of all digits near it. With q = (1 - e) log x it
 * is log x * (exp(q) - 1) / q, and real_expm1_over knows that quotient at 0 too. (So do the Java libraries whose code
 * this formulation follows, Apache Commons RNG.)
 *
 * Precision: 53 random bits and doubles. From rank 2^28 on everything is accepted: what ought to be rejected there is
 * less than a unit in the last place (and for the exponents where it is not, no such rank is ever drawn), and the test,
 * a difference of two large areas, would be noise. From rank 2^45 or so on, neighbouring ranks are no longer told apart
 * evenly; sums over thousands of them are right.
 *
 * Source: W. Hoermann and G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
 * distributions", ACM TOMACS 6(3), 1996.
 */
#include "sim/zipf.h"

#include <errno.h>
#include <math.h>

#include "sim/real.h"

/* H, the area under h from 1 to x. */
static double area(double exponent, double x)
{
    const double log_x = real_log(x);
    return real_expm1_over((1 - exponent) * log_x) * log_x;
}

static double curve(double exponent, double x)
{
    return real_exp(-exponent * real_log(x));
}

/* The x with area(x) = y. Rounding can take y (1 - e) below -1, where the area of an e > 1 never gets. */
static double area_inverse(double exponent, double y)
{
    double t = y * (1 - exponent);
    if (t < -1)
        t = -1;
    return real_exp(real_log1p_over(t) * y);
}

int zipf_init(struct zipf *z, uint64_t n, double exponent)
{
    if (n < 1 || n > (uint64_t)1 << 53 || !(exponent >= 0) || isinf(exponent))
        return -EINVAL;
    z->n = n;
    z->exponent = exponent;
    z->area_low = area(exponent, 1.5) - 1;
    z->area_high = area(exponent, (double)n + 0.5);
    z->sure = 2 - area_inverse(exponent, area(exponent, 2.5) - curve(exponent, 2));
    return 0;
}

uint64_t zipf_draw(const struct zipf *z, struct rng *r)
{
    for (;;) {
        const double y =
            z->area_high + rng_double(r) * (z->area_low - z->area_high); /* above area_low, at most area_high */
        const double x = area_inverse(z->exponent, y);
        double k = floor(x + 0.5);
        if (!(k >= 1))
            k = 1;
        if (k > (double)z->n)
            k = (double)z->n;
        if (k - x <= z->sure || k >= 0x1p28 || y >= area(z->exponent, k + 0.5) - curve(z->exponent, k))
            return (uint64_t)k;
    }
}
