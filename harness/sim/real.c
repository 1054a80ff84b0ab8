/* real.c: log and exp from additions, multiplications and divisions alone.
 *
 * log: x = 2^k m with m between sqrt(1/2) and sqrt(2), so log x = k log 2 + log m. With s = (m-1)/(m+1), log m = 2 (s +
 * s^3/3 + s^5/5 + ...); a polynomial of degree 7 in s^2, fitted for the smallest largest error, stands for the series.
 * log 2 is split into a part with its last 32 bits zero, whose product with k is exact, and the rest.
 *
 * exp: x = k log 2 + r with |r| <= log(2)/2, so e^x = 2^k e^r. With c = r - r^2 P(r^2), P a polynomial, e^r = 1 + r + r
 * c / (2 - c).
 *
 * Both follow fdlibm (e_log.c, e_exp.c), constants included, under its notice:
 *
 *   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *   Developed at SunSoft, a Sun Microsystems, Inc. business.
 *   Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is
 *   preserved.
 *
 * log(1+x)/x and (e^x-1)/x are made from them by Kahan's trick: let u = 1 + x as rounded. log(u) is exact for u, not
 * for 1 + x, but log(u) / (u - 1) barely changes between the two, and u - 1 is exact. (W. Kahan; proof in N. Higham,
 * "Accuracy and Stability of Numerical Algorithms", section 1.14.1.)
 *
 * Left out: exception flags, rounding modes other than to nearest.
 */
#include "sim/real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const double log2_high = 0x1.62e42feep-1;      /* log(2), the leading bits ... */
static const double log2_low = 0x1.a39ef35793c76p-33; /* ... and the rest */

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double real_log(double x)
{
    int k = 0;
    if (!(x >= 0x1p-1022)) { /* subnormal, zero, negative, NaN */
        if (x == 0)
            return -INFINITY;
        if (!(x > 0))
            return NAN;
        x *= 0x1p54;
        k = -54;
    }
    if (x > 0x1.fffffffffffffp1023)
        return x;

    /* Adding the distance from sqrt(1/2) to 1 moves the borders of the powers of two to where m should jump. */
    const uint64_t root_half = 0x3fe6a09e00000000u;
    const uint64_t one = 0x3ff0000000000000u;
    const uint64_t shifted = bits_of(x) + (one - root_half);
    k += (int)(shifted >> 52) - 1023;
    const double m = from_bits((shifted & 0x000fffffffffffffu) + root_half);

    const double f = m - 1;
    const double s = f / (2 + f);
    const double z = s * s;
    const double w = z * z;
    const double even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    const double odd =
        z * (6.666666666666735130e-01 +
             w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    const double half_square = 0.5 * f * f;
    const double rest =
        s * (half_square + (even + odd)); /* log(m) = f - f^2/2 + rest: the big terms are exact or nearly so */
    return (double)k * log2_high - ((half_square - (rest + (double)k * log2_low)) - f);
}

/* x 2^k for k >= -1074 - 54; two steps, so that the scale itself is a normal number. */
static double scale(double x, int k)
{
    if (k > 1023)
        return x * 0x1p1023 * from_bits((uint64_t)(k - 1023 + 1023) << 52);
    if (k < -1022)
        return x * from_bits((uint64_t)(k + 54 + 1023) << 52) * 0x1p-54;
    return x * from_bits((uint64_t)(k + 1023) << 52);
}

double real_exp(double x)
{
    if (!(x < 709.782712893383973096))
        return x != x ? NAN : INFINITY;
    if (x < -745.13321910194110842)
        return 0;

    const int k = (int)(1.44269504088896338700 * x + (x < 0 ? -0.5 : 0.5));
    const double high = x - (double)k * log2_high; /* exact */
    const double low = (double)k * log2_low;
    const double r = high - low;
    const double t = r * r;
    const double c = r - t * (1.66666666666666019037e-01 +
                              t * (-2.77777777770155933842e-03 +
                                   t * (6.61375632143793436117e-05 +
                                        t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    return scale(1 - ((low - r * c / (2 - c)) - high), k);
}

double real_log1p_over(double x)
{
    const double u = 1 + x;
    if (u == 1)
        return 1 - 0.5 * x;
    if (u > 0x1p60) /* u - 1 is x; and infinity over infinity would be NaN */
        return u > 0x1.fffffffffffffp1023 ? 0 : real_log(u) / x;
    return real_log(u) / (u - 1);
}

double real_expm1_over(double x)
{
    const double u = real_exp(x);
    if (u == 1)
        return 1 + 0.5 * x;
    if (u > 0x1.fffffffffffffp1023)
        return u;
    if (x < -40 || x > 40) /* far from 1 there is nothing to save, and log(u) would be infinite in the end */
        return (u - 1) / x;
    return (u - 1) / real_log(u);
}
