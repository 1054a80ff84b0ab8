/* theory.h: the formulas of lab 04. */
#ifndef THEORY_H
#define THEORY_H

#include <stdint.h>

/* Mean time of a request: h of them hit, in `hit`, the others take `miss`. */
double theory_mean_time(double h, double hit, double miss);

/* How many times the load of the origin becomes when the hit ratio goes from h1 to h2. */
double theory_origin_load(double h1, double h2);

/* Connections that are busy on average: rate x (1 - h) x seconds (Little). */
double theory_connections(double rate, double h, double seconds);

/* Random eviction, n objects asked for in turn, c kept: h = exp(-n (1 - h) / c). The solution below 1. */
double theory_random_scan(double n_over_c);

/* Hit ratio of LRU with c objects, for independent requests of n keys by Zipf's law with exponent a: the characteristic
 * time (Che, Tung & Wang 2002). */
double theory_che(uint32_t n, double a, uint32_t c);

/* Computations for one expiry of a key: callers at `rate`, each computes for `seconds`. */
double theory_stampede(double rate, double seconds);
/* The same with early expiry, for rate x took that is large: e^(1/beta). */
double theory_early(double beta);
/* How long before the expiry the first one begins, on average, in seconds (Gumbel's law). */
double theory_early_lead(double beta, double rate, double took);

#endif
