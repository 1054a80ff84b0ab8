/* misses.h: what a last-level cache would see of an entry: misses for each floating point operation, simulated.
 *
 * The program starts itself under callgrind, with a last cache of MISSES_CACHE bytes: far smaller
 * than real ones, so that short sequences show what long ones do. Counts are the same on every run of one
 * build. */
#ifndef MISSES_H
#define MISSES_H

#include "base/error.h"

#include <stdint.h>

#define MISSES_CACHE  (1u << 20)
#define MISSES_OPTION "--misses" /* claims --misses ENTRY N: how it starts itself */

int misses_main(int argc, char **argv);

/* Misses of the last cache for a thousand of 4 N^2 d operations (d = 16), or NaN and why. */
double misses_of(const char *entry, uint32_t n, struct error *err);

/* The same of this machine's own last cache, counted by its hardware, where it has a PMU; for as many tokens that their
 * matrix is `times` as large as that cache. */
double misses_here(const char *entry, double times, struct error *err);

#endif
