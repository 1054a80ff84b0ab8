/* floor.h: how small a difference this machine can resolve, and whether the comparison keeps its promises.
 *
 * The A/A floor: two copies of the same loop, timed side by side. Whatever difference they show is noise.
 *
 * A trial times three copies of one loop and a fourth that does a planted share more work, side by side. From the first
 * two comes the floor; the third must not be found different, the fourth must be found slower. Over many trials that
 * gives the rates of false and of missed differences. Every other trial does arithmetic, the rest wander through 256 KiB
 * of memory of their own as well.
 */
#ifndef MEASURE_FLOOR_H
#define MEASURE_FLOOR_H

#include "base/error.h"
#include "measure/topology.h"

#include <stdbool.h>
#include <stdint.h>

/* Relative: 0.012 is 1.2 %. About half a second. 0 or -errno. */
int floor_measure(const struct topology *topology, double *floor, struct error *err);

struct floor_trials {
    uint32_t trials;
    uint32_t false_claims; /* A/A comparisons that claimed a difference */
    uint32_t found;        /* planted slow-downs that were resolved as slower */
    uint32_t wrong_way;    /* planted slow-downs that were resolved as faster */
    double planted;        /* the slow-down, relative */
    double worst_aa;       /* largest |ratio - 1| of an A/A pair */
    double median_floor;
};
/* load: so many busy threads run beside it all the time. A progress bar unless quiet. */
int floor_trials(const struct topology *topology, uint32_t trials, unsigned load, bool quiet, struct floor_trials *out,
                 struct error *err);

#endif
