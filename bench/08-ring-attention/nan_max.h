/* nan_max.h: the NaN-propagating maximum of errors. fmax drops a NaN, and a result that is none would count as exact. */
#ifndef NAN_MAX_H
#define NAN_MAX_H

#include <math.h>

static inline double nan_max(double worst, double error)
{
    return error > worst || isnan(error) ? error : worst; /* NaN stays */
}

#endif
