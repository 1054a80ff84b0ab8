/* clock.h: the clock that measurements are taken with.
 *
 * CLOCK_MONOTONIC through the C library: about 30 ns a reading, no matter how often the processor changes its speed.
 * What is timed must therefore take some microseconds (compare.h sees to that), and the cost of a reading is taken
 * off. Any thread.
 */
#ifndef MEASURE_CLOCK_H
#define MEASURE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What a reading costs, ns: the median of many pairs taken back to back. Measured at the first call, then kept. */
double clock_cost_ns(void);

#endif
