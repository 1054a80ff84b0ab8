/* callgrind.h: simulated counts: a program run under valgrind's callgrind, in a process of its own.
 *
 * The program that is to be counted marks its regions as any other does (region.h) and says what each was:
 *
 *     callgrind_start();                // from here on caches are simulated, and fill
 *     ... warm up ...
 *     region_begin(&r); ... region_end(&r);
 *     callgrind_stop("pick two-choices 100");
 *
 * Counts are exact and the same on every run of one binary with the same input. They know an instruction cache, a data
 * cache and a last-level cache: a second run with the second cache in the last one's place gives that one's misses. They
 * know no TLB, no prefetching, and no contention between threads.
 */
#ifndef MEASURE_CALLGRIND_H
#define MEASURE_CALLGRIND_H

#include "base/error.h"
#include "measure/counters.h"
#include "measure/topology.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- in the program that is counted; outside valgrind these do nothing ---- */

bool callgrind_here(void); /* does this process run under valgrind? */
void callgrind_start(void);
void callgrind_stop(const char *tag); /* at most CALLGRIND_TAG - 1 bytes, no line break */

/* ---- in the program that wants to know ---- */

#define CALLGRIND_TAG 160
struct callgrind_counts {
    char tag[CALLGRIND_TAG];
    double count[COUNTERS]; /* of the whole region; NaN for what callgrind does not know */
};

struct callgrind_caches {
    struct topology_geometry instruction, data, second, last;
    bool has_second, assumed; /* assumed: hwloc does not know this machine's caches, so common sizes are taken */
    char words[400];          /* for people: the sizes, and which of them had to be rounded */
};
void callgrind_geometry(const struct topology *topology, struct callgrind_caches *out);

/* Whether valgrind can be started here; if not, the reason. */
bool callgrind_there(char *reason, size_t size);

/* Runs argv (ends with NULL) under callgrind, twice where there is a second cache, and gives what it marked, in order. 0
 * or -errno with a sentence. *out is the caller's to free. */
int callgrind_run(const char *const *argv, const struct callgrind_caches *caches, uint64_t wall_ms,
                  struct callgrind_counts **out, uint32_t *n, struct error *err);

#endif
