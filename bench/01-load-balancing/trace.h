/* trace.h: an access log as requests for the fleet: when they arrive, and how much work each is.
 *
 * A log has whole seconds. Requests of one second are spread evenly over it, so it takes a second reader that runs
 * ahead and counts; memory does not grow with the log. Time is then squeezed or stretched so that the mean rate is the
 * one asked for: bursts keep their shape. Work is (bytes + TRACE_OVERHEAD) / (mean of that): one unit on average, heavy
 * tails as in the log.
 */
#ifndef TRACE_H
#define TRACE_H

#include "fleet.h"
#include "trace/access_log.h"

#define TRACE_OVERHEAD 512.0 /* bytes: what a request costs before its first byte, roughly its headers */

/* What the first pass over a log finds. */
struct trace_facts {
    struct access_log_counts counts;
    uint64_t requests, backwards; /* backwards: lines with an earlier time than one before; taken to be at that time */
    int64_t first, last;          /* seconds since 1970 */
    double mean_bytes;
    uint64_t largest_bytes;
};

/* Reads the whole log once. 0 or -errno and a sentence; -EINVAL when it has no usable line, or more than a tenth are
 * malformed. */
int trace_examine(const char *path, struct trace_facts *facts, struct error *err);
double trace_rate(const struct trace_facts *facts); /* of the log itself, requests a second */

struct trace;
int trace_open(const char *path, const struct trace_facts *facts, double rate, struct trace **out, struct error *err);
struct fleet_source trace_source(struct trace *trace);      /* ends early when reading fails: ask trace_error */
const struct error *trace_error(const struct trace *trace); /* NULL: none */
void trace_close(struct trace *trace);

#endif
