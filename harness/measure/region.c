/* region.c: the measured region. */
#include "measure/region.h"

#include "measure/clock.h"

#include <valgrind/callgrind.h>

void region_begin(struct region *region)
{
    if (region->reader)
        counters_begin(region->reader, region->pass);
    region->begin_ns = clock_now_ns();
    CALLGRIND_TOGGLE_COLLECT; /* outside valgrind: a few instructions that do nothing */
}

void region_end(struct region *region)
{
    CALLGRIND_TOGGLE_COLLECT;
    region->ns = clock_now_ns() - region->begin_ns;
    for (int id = 0; id < COUNTERS; id++)
        region->count[id] = -1;
    if (region->reader)
        counters_end(region->reader, region->count);
}
