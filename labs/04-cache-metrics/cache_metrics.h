/* cache_metrics.h: the contract of lab 04.
 *
 * A cache stands before an origin (a database, a disk, another service). What it is worth is the work that the origin
 * need not do, and that is not the share of requests that it answers.
 *
 * There are five kinds of entries, and each is one table of functions, registered under its name:
 *
 *   CM_CACHE      what to keep: asked request by request, it answers hit or miss, and says what it evicts
 *   CM_RECOMPUTE  who asks the origin when a value is missing or about to expire: this caller, somebody else, nobody yet
 *   CM_FIGURES    what a log of requests says: ratios, latencies, load of the origin
 *   CM_SEQUENCE   a sequence of requests, made within bounds, that does harm
 *   CM_CURVE      how many requests an LRU cache misses at each of many sizes, from one pass over the keys
 *
 * Rules for all of them:
 *
 * - Time is given in nanoseconds, is never read, and never goes back.
 * - Random numbers come from config->random, copied in `create`, or are given with the question. Nothing else is random.
 * - State lives behind the pointer that `create` gives. No globals: several run side by side in one process.
 * - One instance is called from one thread at a time, unless it says CM_THREADS.
 */
#ifndef CACHE_METRICS_H
#define CACHE_METRICS_H

#include "host/plugin.h"
#include "sim/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what to keep ---- */

struct cm_config {
    uint64_t capacity; /* the sizes of all objects that are kept, together, are at most this; 1 … 2^48 */
    struct rng random; /* this cache's own stream */
};

#define CM_NEVER UINT64_MAX

struct cm_request {
    uint64_t key; /* any 64 bits */
    uint64_t time;
    uint32_t
        size; /* of the object, 1 … 2^32-1: bytes; or 1 for every object, and the capacity is a number of objects */
    uint32_t cost_us; /* how long the origin works for it: what a miss costs */
    uint32_t ttl_ms;  /* an object that is fetched now can be used for so long; 0: for ever */
    uint32_t kind;    /* which kind of query it is, for tables by kind; no cache looks at it */
    uint64_t next; /* offline: the number of the next request for the same key, counted from 0; CM_NEVER when there is
                         none. Only entries that say CM_OFFLINE are told; all others get CM_NEVER */
};

enum cm_answer {
    CM_HIT,    /* the object is here, and was fetched less than its ttl ago */
    CM_MISS,   /* it is fetched from the origin, and kept */
    CM_BYPASS, /* it is fetched from the origin and passed on, but not kept */
};

/* Keys that a cache evicts while it answers one request, in order. The caller's; emptied before each request. */
struct cm_evicted {
    uint64_t *key;
    uint32_t n, room;
    bool failed; /* no memory: keys are missing */
};
void cm_evicted_more(struct cm_evicted *evicted);
static inline void cm_evict(struct cm_evicted *evicted, uint64_t key)
{
    if (evicted->n == evicted->room)
        cm_evicted_more(evicted);
    if (evicted->n < evicted->room)
        evicted->key[evicted->n++] = key;
}

enum cm_can {
    CM_OFFLINE = 1,  /* has to be told the future: request->next */
    CM_RANDOM = 2,   /* draws from config->random */
    CM_ADMITS = 4,   /* may answer CM_BYPASS for an object that would fit */
    CM_SIZES = 8,    /* what it evicts depends on sizes */
    CM_COSTS = 16,   /* what it evicts depends on costs */
    CM_THREADS = 32, /* several threads may ask at the same time, each with its own cm_evicted */
};

struct cm_cache_ops {
    /* An empty cache. 0 and *cache; -EINVAL: a capacity out of bounds; -ENOMEM. The caller ends it with destroy. */
    int (*create)(const struct cm_config *config, void **cache);
    void (*destroy)(void *cache);

    /* One request.
     *
     * - An object that is kept, and was fetched less than its ttl ago (time < fetched + ttl), is a hit: always.
     * - Anything else is a miss: it is fetched, and kept (CM_MISS) or passed on (CM_BYPASS).
     * - An object keeps the size, the cost and the ttl that it was fetched with. A hit changes none of them, whatever
     *   the request says.
     * - What is evicted to make room is named in `evicted`, each key once. The object that was asked for is never named.
     * - An object whose ttl is over takes up room until it is evicted, or asked for again: then the old copy is gone
     *   without being named, and the new one counts, if it is kept.
     * - An object larger than the capacity is passed on, and nothing is evicted for it.
     * - Without memory for another object: CM_BYPASS. */
    enum cm_answer (*request)(void *cache, const struct cm_request *request, struct cm_evicted *evicted);

    /* Of state held now, the objects themselves not counted. NULL: not told. */
    size_t (*bytes)(const void *cache);

    unsigned can; /* CM_OFFLINE | ... */
};

/* ---- who recomputes ---- */

struct cm_recompute_config {
    uint64_t ttl_ns;          /* a value is fresh for so long after it was computed */
    uint64_t negative_ttl_ns; /* ... and the answer that there is no value; 0: that answer is not kept */
    uint64_t stale_ns;        /* stale-while-revalidate: so long after that it may still be served */
    uint64_t patience_ns;     /* who computes for longer than this is given up, and somebody else may */
    double beta;              /* early expiry: 0 never early, 1 as published */
    double jitter;            /* ttl jitter: a ttl is drawn from (1 - jitter, 1] x ttl; 0 … 1 */
};

enum cm_action {
    CM_SERVE,         /* the value at hand is the answer */
    CM_COMPUTE,       /* this caller asks the origin; what it gets is its answer */
    CM_SERVE_COMPUTE, /* the value at hand is the answer, and this caller asks the origin as well */
    CM_WAIT,          /* somebody asks the origin already: wait for that */
};

struct cm_decision {
    enum cm_action action;
    uint64_t until; /* CM_WAIT: the caller asks again when the computation ends, and at this time at the latest */
};

enum cm_result {
    CM_VALUE,   /* the origin gave a value */
    CM_NOTHING, /* the origin says that there is none */
    CM_FAILED,  /* the origin gave no answer */
};

struct cm_recompute_ops {
    int (*create)(const struct cm_recompute_config *config, void **state); /* 0; -ENOMEM */
    void (*destroy)(void *state);

    /* A caller wants the value of `key`. u is uniform in (0, 1], drawn for this question alone. */
    struct cm_decision (*ask)(void *state, uint64_t key, uint64_t now, double u);

    /* A caller who was told to compute, at `asked`, is back. Called at most once for each; a caller that hangs or dies
     * never comes. Whoever waits for the key asks again, after this. u: as above. */
    void (*done)(void *state, uint64_t key, uint64_t asked, uint64_t now, enum cm_result result, double u);

    size_t (*bytes)(const void *state); /* of state held now; NULL: not told */
};

/* ---- what a log says ---- */

enum cm_outcome {
    CM_FRESH,   /* answered from the cache with a value that is fresh: a hit */
    CM_STALE,   /* answered from the cache with a value whose time was over */
    CM_WAITED,  /* answered with what another request fetched */
    CM_FETCHED, /* the origin worked for it */
};

struct cm_event {
    uint64_t time, latency_ns; /* when it was asked, and how long the answer took */
    uint32_t size, cost_us;    /* cost_us: how long the origin works, or would have worked, for it */
    uint32_t kind;
    uint32_t outcome; /* enum cm_outcome */
};

/* Windows are [from + k x window, from + (k + 1) x window), k = 0, 1, ... What was asked before `from` is warm-up: the
 * cache was still filling, and it counts nowhere. */
struct cm_period {
    uint64_t from, window; /* window >= 1 */
};

struct cm_figures {
    uint64_t requests, hits;           /* hits: CM_FRESH alone */
    uint64_t bytes, bytes_hit;         /* of all requests; of hits */
    uint64_t work_us, work_avoided_us; /* of all requests; of those for which the origin did not work */
    uint64_t latency_ns;               /* of all, summed */
    uint64_t p99_ns;                   /* the least latency that at least 99 of 100 requests did not exceed; 0: none */
    uint64_t worst_requests, worst_hits; /* of the window with the least hits / requests; of equals the first; one
                                            without requests is none */
    uint64_t busiest_work_us;            /* the most work that requests of one window made for the origin */
};

struct cm_figures_ops {
    /* n events in the order of their times, and none of it is changed. 0 and *figures; -ENOMEM. */
    int (*figures)(const struct cm_event *event, size_t n, const struct cm_period *period, struct cm_figures *figures);
};

/* ---- a sequence that does harm ---- */

struct cm_bounds {
    uint32_t capacity;       /* of the LRU cache that it is for, in objects, 2 … keys-1; every object has size 1 */
    uint32_t keys;           /* keys are 0 … keys-1 */
    uint32_t requests;       /* so many are to be made */
    uint32_t most_misses;    /* more than this, the first time that each key is asked for included, is out of bounds */
    const uint32_t *cost_us; /* [keys] what a miss of each costs the origin */
};

struct cm_sequence_ops {
    int (*make)(const struct cm_bounds *bounds, uint32_t *key); /* fills key[requests]; 0; -ENOMEM */
};

/* ---- miss-ratio curves ---- */

struct cm_curve_config {
    uint32_t most_sampled; /* SHARDS: so many keys at most are watched at a time, 1 …; exact entries ignore it */
};

struct cm_curve_ops {
    /* For each of the capacities (ascending, in objects of size 1), how many of n requests an LRU cache of that capacity
     * misses, the first for each key included; an estimate where the entry samples. 0; -ENOMEM. */
    int (*misses)(const struct cm_curve_config *config, const uint64_t *key, size_t n, const uint64_t *capacity,
                  uint32_t capacities, double *misses);
};

/* ---- entries ---- */

/* Exactly one is set. */
struct cm_ops {
    const struct cm_cache_ops *cache;
    const struct cm_recompute_ops *recompute;
    const struct cm_figures_ops *figures;
    const struct cm_sequence_ops *sequence;
    const struct cm_curve_ops *curve;
};

#define CM_ENTRY(identifier, name, summary, kind, ops)                                                                 \
    static const struct cm_ops cm_ops_##identifier = {.kind = (ops)};                                                  \
    PLUGIN_ENTRY(identifier, name, summary, &cm_ops_##identifier)

#define CM_CACHE(identifier, name, summary, ops)     CM_ENTRY(identifier, name, summary, cache, ops)
#define CM_RECOMPUTE(identifier, name, summary, ops) CM_ENTRY(identifier, name, summary, recompute, ops)
#define CM_FIGURES(identifier, name, summary, ops)   CM_ENTRY(identifier, name, summary, figures, ops)
#define CM_SEQUENCE(identifier, name, summary, ops)  CM_ENTRY(identifier, name, summary, sequence, ops)
#define CM_CURVE(identifier, name, summary, ops)     CM_ENTRY(identifier, name, summary, curve, ops)

#endif
