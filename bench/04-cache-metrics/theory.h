/* theory.h: the formulas behind the claims of lab 04. Shares are 0 ... 1, times in seconds, rates in 1/s. */
#ifndef THEORY_H
#define THEORY_H

#include <stdint.h>

/* ---- what a hit ratio says ---- */

/* How long a request takes, on average: a hit takes `hit`, a miss `miss`. */
double theory_mean_time(double ratio, double hit, double miss);

/* Requests that reach the origin now, over those that did before. */
double theory_origin_load(double before, double now);

/* Connections that are busy on average when each miss holds one for `seconds`, and there are enough (Little's law). */
double theory_busy(double rate, double ratio, double seconds);

/* How fast the queue before a pool of connections grows: misses that come, less those that the pool can do. */
double theory_queue_growth(double rate, double ratio, double seconds, double pool);

/* ---- policies ---- */

/* Hit ratio of random eviction when n objects are asked for in turn and c are kept; the larger solution of
 * h = e^(-(n/c) (1 - h)) below 1. n_over_c > 1. */
double theory_random_in_turn(double n_over_c);

/* Hit ratio of LRU for independent requests by Zipf's law, by Che's approximation: an object is kept for as long as it
 * takes until `capacity` different ones were asked for, and that time is taken as the same for all of them
 * (Che, Tung & Wang 2002). */
double theory_che(uint32_t keys, double skew, uint32_t capacity);

/* ---- who recomputes ---- */

/* Callers who compute for one expiry when nobody coordinates them. */
double theory_stampede(double rate, double takes);

/* Computations for each expiry with early expiry, and how long before the expiry the first one begins, on average; for
 * rate x takes that is large. */
double theory_early(double beta);
double theory_early_lead(double rate, double takes, double beta);

/* Computations a second while so many keys, filled at one moment, expire. */
double theory_jitter(double keys, double jitter, double ttl);

/* Of requests for a key that does not exist, the share that reaches the origin when its answer is kept for ttl. */
double theory_negative(double rate, double ttl);

/* p99 of waiting with single flight: who comes within the computation waits for the rest of it. */
double theory_flight_p99(double takes, double ttl);

/* Of all answers, the share that is stale with stale-while-revalidate. */
double theory_stale(double rate, double takes, double ttl);

#endif
