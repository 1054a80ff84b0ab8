/* worse.h: the largest error. fmax would do, but it drops a NaN, and a result that is none would count as exact. */
#ifndef WORSE_H
#define WORSE_H

#include <math.h>

static inline double worse(double worst, double error)
{
    return error > worst || isnan(error) ? error : worst; /* once NaN, always NaN */
}

#endif
