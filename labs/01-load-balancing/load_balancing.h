/* load_balancing.h: the contract of lab 01.
 *
 * A balancer decides, request by request, which backend gets it. It sees what a real one sees: which backends are
 * members, with what weight, and how each request that it sent came back. It does not see how fast a backend is, how
 * long its queue is, or what a request will cost.
 *
 * An entry is one table of functions, registered with LB_ENTRY under its name. Rules for all of them:
 *
 * - Time is `now`, in nanoseconds since the run began; it is given, never read, and never goes back.
 * - Random numbers come from config->random, copied in `create`. Nothing else is random, so the same seed gives the
 *   same picks.
 * - State lives behind the pointer that `create` gives. No globals: several balancers run side by side in one process.
 * - One balancer is called from one thread at a time.
 * - Backends are the numbers 0 … config->max_backends-1. None is a member at first.
 */
#ifndef LOAD_BALANCING_H
#define LOAD_BALANCING_H

#include "host/plugin.h"
#include "sim/rng.h"

#include <stdbool.h>
#include <stdint.h>

#define LB_NONE       UINT32_MAX /* "no backend": what pick returns when no member has a weight above 0 */
#define LB_MAX_WEIGHT 10000u

enum lb_outcome {
    LB_OK,      /* the backend answered */
    LB_ERROR,   /* the backend answered with an error, perhaps very fast */
    LB_REFUSED, /* the backend's queue was full or nobody listened: known at once */
    LB_TIMEOUT, /* the client gave up waiting; the backend may still be working on it */
};

struct lb_ops;

struct lb_config {
    uint32_t max_backends;
    struct rng random;          /* this balancer's own stream */
    uint64_t ewma_decay_ns;     /* peak EWMA: time constant tau of the decay */
    uint32_t eject_after;       /* outlier ejection: this many failures in a row ... */
    uint32_t eject_max_percent; /* ... but never more than this share of the members at one time (rounded down, at least
                                   one) */
    uint64_t eject_for_ns;      /* first ejection lasts this long, the k-th in a row k times as long */
    const struct lb_ops *inner; /* a wrapper's inner entry; NULL for all others */
    const struct lb_config *inner_config; /* a wrapper's inner entry is created with this; NULL for all others */
};

/* What an entry can, for whoever tests and times it. No task asks for it. */
enum lb_can {
    LB_WEIGHTS = 1, /* shares by weight; a member of weight 0 gets nothing */
    LB_RANDOM = 2,  /* draws from config->random */
};

struct lb_ops {
    /* Makes a balancer without members. 0 and *balancer, or -ENOMEM / -EINVAL and nothing. The caller ends it with
     * destroy. */
    int (*create)(const struct lb_config *config, void **balancer);
    void (*destroy)(void *balancer);

    /* `backend` joins with a weight of 0 … LB_MAX_WEIGHT (unweighted entries ignore it; 0: a member that gets nothing).
     * 0 or -ENOMEM. A backend that left may join again: requests that it was sent in its earlier life are still
     * reported to `done`, so a count of requests in flight belongs to the backend's number and is not reset by leaving
     * or joining. */
    int (*add)(void *balancer, uint32_t backend, uint32_t weight, uint64_t now);
    void (*remove)(void *balancer, uint32_t backend, uint64_t now);
    int (*set_weight)(void *balancer, uint32_t backend, uint32_t weight, uint64_t now);

    /* The backend for one request, which counts as sent from here on; or LB_NONE, and nothing is sent. */
    uint32_t (*pick)(void *balancer, uint64_t now);

    /* One request that went to `backend` ended after `latency` ns, however it ended. Called exactly once for each pick
     * that named a backend, also when the backend has left since. NULL: the entry learns nothing from answers. */
    void (*done)(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now);

    /* A backend reports how many requests it holds, from all balancers (perhaps some time ago: reports travel). NULL:
     * not listened to. */
    void (*report)(void *balancer, uint32_t backend, uint32_t load, uint64_t now);

    /* A backend with nothing left to do tells this one balancer so. NULL: not listened to. */
    void (*idle)(void *balancer, uint32_t backend, uint64_t now);

    bool wraps;   /* is a wrapper: created with config->inner set, and named "name+inner" */
    unsigned can; /* LB_WEIGHTS | ... */
};

#define LB_ENTRY(identifier, name, summary, ops) PLUGIN_ENTRY(identifier, name, summary, ops)

#endif
