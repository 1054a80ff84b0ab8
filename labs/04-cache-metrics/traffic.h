/* traffic.h: requests as caches of real services see them, drawn from a seed: popular keys and rare ones, whose misses
 * cost from a millisecond to a second; popularity that shifts; and now and then a scan: expensive queries, each of which nobody
 * asks again.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include "cache_metrics.h"

struct traffic {
    uint64_t seed;
    uint32_t requests;
    uint32_t keys;        /* that are popular */
    double skew;          /* the i-th of them is asked for with a weight of 1 / i^skew */
    uint32_t shift_every; /* after so many requests a tenth of the popular ones are others; 0: never */
    uint32_t scan_every;  /* a scan begins after so many requests; 0: never */
    uint32_t scan_length;
    uint32_t dearest_us; /* costs are from 1,000 us to this, evenly by their logarithm; of a scan's keys, this */
};

/* Fills request[requests]: size 1, no ttl, a request a millisecond, kind 1 for what a scan asks for and else 0, and
 * `next`. 0; -EINVAL; -ENOMEM. */
int traffic_make(const struct traffic *traffic, struct cm_request *request);

/* Fills in `next` of each. 0 or -ENOMEM. */
int traffic_next(struct cm_request *request, uint32_t n);

#endif
