/* zipf.h: ranks by Zipf's law: rank k of 1 .. n comes with probability proportional to k^-exponent.
 *
 * Popularity looks like this: words, keys of a cache, followers. With exponent 0.99 (YCSB's choice) and a million keys,
 * the first key gets one request in fifteen; that is why a cache works and why one shard is hot. Exponent 0 is the
 * uniform law.
 *
 * Time O(1) a draw (1.02 trials) and 40 bytes, whatever n is: no table of n probabilities.
 *
 * Threads: a law is only read after zipf_init. Memory: the caller's, plain data; it may be copied and shared.
 */
#ifndef SIM_ZIPF_H
#define SIM_ZIPF_H

#include <stdint.h>

#include "sim/rng.h"

/* n and exponent may be read; the rest is zipf.c's. */
struct zipf {
    uint64_t n;
    double exponent;
    double area_low;  /* where the area under the hat starts ... */
    double area_high; /* ... and ends */
    double sure;      /* a rank at most this far right of the drawn point needs no test */
};

/* n: 1 .. 2^53. exponent: finite, >= 0; 1 and its neighbourhood are no special case. Gives 0, or -EINVAL and *z is as
 * it was. */
int zipf_init(struct zipf *z, uint64_t n, double exponent);

/* A rank in 1 .. n; 1 is the most popular. */
uint64_t zipf_draw(const struct zipf *z, struct rng *r);

#endif
