/* cost_parts.h: the loops that cost.c is a table of. Each has create, run and destroy as cost/cost.h wants them. */
#ifndef COST_PARTS_H
#define COST_PARTS_H

#include "cost/cost.h"

/* ---- cost_pick.c: a pick by an entry ----
 *
 * One operation is what a proxy does for a request: a pick, and the end of the request that was sent `in flight` picks
 * ago (done), where the entry listens to that. So the entry is always about two requests a backend behind. Entries that
 * listen to reports get one report with each pick, from each backend in turn; those that listen to idle backends hear of
 * each that has nothing left. Weights are 1, 2, 3, 1 … so that 2n picks are a whole round of a weighted sequence, and so
 * many are made before anything is timed. */
int pick_create(const struct cost_subject *subject, void **state, struct error *err);
void pick_run(void *state, unsigned thread, uint64_t n);
void pick_destroy(void *state);
void pick_locked_run(void *state, unsigned thread, uint64_t n); /* one balancer for all threads, behind a mutex */

/* The rules that hold for every entry: 0, or -1 and why it is not timed. */
int pick_verify(const struct cost_subject *subject, char *why, size_t size);

/* ---- cost_counters.c: two threads count, each for itself ---- */

extern const char *const counter_parts[]; /* ends with NULL */
int counter_create(const struct cost_subject *subject, void **state, struct error *err);
void counter_run(void *state, unsigned thread, uint64_t n);
void counter_destroy(void *state);

/* ---- cost_fleet.c: the simulator itself, events of a fleet at load 0.9 ---- */

extern const char *const fleet_parts[];
int fleet_create(const struct cost_subject *subject, void **state, struct error *err);
void fleet_run_events(void *state, unsigned thread, uint64_t n);
void fleet_destroy(void *state);

/* p99 of the time in the fleet, ms, ten equal servers of 1,000 requests a second, Poisson arrivals at load 0.9,
 * exponential work. NaN when it can't be told. */
double fleet_p99(const struct cost_subject *subject);

#endif
