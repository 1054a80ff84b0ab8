/* caches.h: any cache by name, and what the tests do with all of them. */
#ifndef CACHES_H
#define CACHES_H

#include "cache_metrics.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cache_run {
    const char *name;
    const struct cm_cache_ops *ops;
    void *cache;
    struct cm_evicted evicted; /* of the last request */
};

/* All caches, ended by NULL: for (const char *const *e = cache_entries; *e; e++). */
extern const char *const cache_entries[];

const struct cm_ops *entry_ops(const char *name); /* fails the test if there is none */
/* create's answer; 0: cache_stop ends it. The cache's random numbers are the same each time. */
int cache_start(struct cache_run *run, const char *name, uint64_t capacity);
void cache_stop(struct cache_run *run);

/* An entry that may not know the future is not told it. */
enum cm_answer cache_ask(struct cache_run *run, const struct cm_request *request);

/* Objects of size 1. Fills next[n], and gives the number of requests that were no hits. */
void keys_next(const uint64_t *key, uint32_t n, uint64_t *next);
uint64_t cache_misses(const char *name, uint64_t capacity, const uint64_t *key, uint32_t n);

/* What requests are drawn from. */
struct workload {
    uint32_t keys;       /* different ones, 0 and UINT64_MAX among them; 2 … */
    uint32_t sizes;      /* 1 … sizes */
    uint32_t costs;      /* 0 … costs */
    uint32_t ttl_shares; /* of so many requests one has a ttl; 0: none */
};
/* n requests with their `next`; small keys are asked for more often. */
void requests_draw(struct rng *r, const struct workload *w, struct cm_request *request, uint32_t n);

/* n keys from 1 … objects by Zipf's law. */
void keys_zipf(uint64_t seed, uint64_t objects, double exponent, uint64_t *key, uint32_t n);

#endif
