/* traced_input.h: a trace as requests to a cache, all of it in memory.
 *
 * - Requests come by time; those of one time as they stand. The first is at 0. A trace without times has a request a
 *   millisecond, and figures that need time mean nothing.
 * - Size: what the trace says; 0 is taken for the size that the key had last, or 1. Where a trace has no sizes, or
 *   objects are to be counted, 1.
 * - Cost: what the trace says, or `miss_us`.
 * - TTL: that of the request, or of the last write of the key before it, at most 2^32-1 ms (49.7 days).
 * - Writes are no requests.
 * - `next` comes from one pass from the end.
 *
 * Memory: 40 bytes a request, while it is read up to 80; and 64 to 128 a key, until it is read.
 */
#ifndef TRACED_INPUT_H
#define TRACED_INPUT_H

#include "cache_metrics.h"

#include "base/error.h"
#include "trace/request_trace.h"

struct traced_params {
    enum request_format format;
    bool objects;     /* every object has size 1 */
    uint32_t miss_us; /* where the trace has no cost */
};

struct traced_input {
    struct cm_request *request; /* [count] */
    uint64_t count, keys;
    uint64_t size;    /* of all keys together, each at its largest */
    uint64_t largest; /* of one */
    uint64_t span_ns; /* from the first request to the last */
    uint64_t gap_ns;  /* the longest between two */
    enum request_format format;
    bool times, sizes; /* does the trace have them? */
    bool ttl;          /* has any request one? */
    struct request_counts counts;
};

/* 0, or -errno and a sentence; -EINVAL when there is no request. */
int traced_input_read(const char *path, const struct traced_params *params, struct traced_input *input,
                      struct error *err);
void traced_input_free(struct traced_input *input);

#endif
