/* ns.h: virtual time as people read it. */
#ifndef SIM_NS_H
#define SIM_NS_H

#include <stdint.h>
#include <stdio.h>

/* "2.000000001 s", "30 ms", "17 ns": exactly, in the unit that reads best, since what is wrong may be one nanosecond.
 * "never" for 2^64 - 1. */
void ns_print(FILE *out, uint64_t ns);

#endif
