/* runs.h: the experiments of lab 01: entries of the reference plugin on fleets, and what is measured in them.
 *
 * All functions that measure do one replication with the seed in the scenario (or given), touch nothing global, and may
 * run on several threads at once, once runs_load has returned. A run that fails ends the program with exit code 3: no
 * claim can be told without it.
 *
 * Units: requests a second, milliseconds, per cent.
 */
#ifndef RUNS_H
#define RUNS_H

#include "fleet.h"

/* Loads the reference plugin from $FAULTLINE_BUILD (default "build"). Once, before any thread. */
void runs_load(void);

/* ---- fleets ---- */

/* The article's: ten servers, three of 1,500 requests a second, four of 1,000, three of 500. A weight is a speed. */
enum { ARTICLE_SERVERS = 10, ARTICLE_CAP = 100 };
extern const double article_speed[ARTICLE_SERVERS];

/* Requests with exponential work of mean 1; queues of at most ARTICLE_CAP. */
struct fleet_scenario article_fleet(double rate, uint64_t requests, uint64_t seed);

/* The article's servers with weights in proportion to a split of the load, the largest weight as large as a weight may
 * be. (Rounded down, so that two splits that are nearly the same give entries that draw nearly the same lots.) */
void article_weights(const double *split, struct fleet_server *server);

/* n equal servers of 1,000 requests a second and weight 1, without a cap, at load x n x 1,000 requests a second. The
 * first warm_up requests come on top of `requests`. */
enum { EQUAL_MOST = 4096 };
struct fleet_scenario equal_fleet(uint32_t n, double load, uint64_t requests, uint64_t warm_up, uint64_t seed);

/* ---- runs ---- */

/* The result is the caller's to free. `entry`: a name, for a wrapper "wrapper+entry". */
void run_entry(const char *entry, const struct fleet_scenario *s, struct fleet_result *result);

double run_mean_ms(const char *entry, const struct fleet_scenario *s); /* mean time of the requests answered */
double run_loss(const char *entry, const struct fleet_scenario *s);    /* per cent of those offered */

/* The share of queues, averaged over servers and time, that hold `length` requests or more; in per cent. FIFO, no cap
 * and no trouble, so that what was sent and not answered is what a queue holds. */
double run_tail(const char *entry, const struct fleet_scenario *s, uint32_t length);

/* The largest of n bins after n picks of the entry, none of which is ever answered. */
double run_fullest_bin(const char *entry, uint32_t n, uint64_t seed);

/* One queue before `servers` servers of 1,000 requests a second: mean time from arrival to start of service, in ms. */
double run_central_wait(uint32_t servers, double load, uint64_t requests, uint64_t warm_up, uint64_t seed);

#endif
