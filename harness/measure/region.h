/* region.h: the measured region: one pair of calls marks it for the clock, for counters and for simulated ones alike.
 *
 *     region_begin(&r);
 *     ... what is measured ...
 *     region_end(&r);
 *
 * With a reader, the counters of r->pass are read around the region; without one, only the clock. Under callgrind the
 * pair switches collecting on and off, and nothing else of the program is collected. A region belongs to one thread and
 * does not nest.
 */
#ifndef MEASURE_REGION_H
#define MEASURE_REGION_H

#include "measure/counters.h"

struct region {
    struct counter_reader *reader; /* may be NULL */
    unsigned pass;
    uint64_t begin_ns, ns;   /* of the region, with one reading of the clock in it */
    int64_t count[COUNTERS]; /* -1: not counted */
};

void region_begin(struct region *region);
void region_end(struct region *region);

#endif
