/* services.h: services that call each other, and clients who call the first of them, in virtual time.
 *
 * A request is a call to service 0. A call is one or more tries: each waits in the service's queue, holds a worker while
 * it is worked on, and, where the service calls another one, until that call has ended too. A caller who gives up after
 * his time-out knows no more of a try; the service goes on with it all the same, unless it cancels.
 *
 * What is decided on the way comes from the policy: a breaker and a retry for each client (or service) and each service
 * that it calls, and a queue for each service. The same services run twice: in the host, where an entry decides and its
 * decisions are logged, and in the judge, where the decisions come from the log.
 */
#ifndef SERVICES_H
#define SERVICES_H

#include "circuit_breaker.h"

#define SERVICES_MOST   8u
#define SERVICES_KINDS  2u
#define SERVICES_FAULTS 64u
#define SERVICES_NONE   UINT32_MAX

struct service {
    uint64_t work_ns;              /* mean of a piece of work */
    uint32_t exponential;          /* 1: its law; 0: always the mean */
    uint32_t workers;              /* pieces of work at a time, >= 1 */
    uint32_t cancels;              /* 1: work whose caller has given up is thrown away when its turn comes */
    uint32_t next[SERVICES_KINDS]; /* for requests of each kind: the service that is called after the work, or none */
    struct cb_queue_config queue;  /* without a queue in the policy: first come, first served, queue.most at most */
    /* Those who call this service: */
    uint64_t timeout_ns; /* of a try */
    struct cb_breaker_config breaker;
    struct cb_retry_config retry;
};

/* Between from and from + length a service works at speed_permille / 1000 of its speed, 0 for not at all, and of a
 * thousand tries so many are lost on their way. */
struct trouble {
    uint64_t from, length;
    uint32_t service;
    uint32_t speed_permille; /* 0 … 1000 */
    uint32_t lost_permille;  /* 0 … 1000 */
    uint32_t pad;
};

struct services {
    uint64_t seed;
    uint64_t rate;               /* requests/s, by Poisson's law */
    uint64_t until;              /* no request comes later; what is under way then is not waited for */
    uint64_t deadline_ns;        /* of a request; 0: none */
    uint32_t services, troubles; /* troubles of one service do not overlap */
    uint32_t clients;            /* 1 …: each with a breaker and a retry of its own */
    uint32_t kind_permille;      /* so many of a thousand requests are of kind 1, the others of kind 0 */
    struct service service[SERVICES_MOST];
    struct trouble trouble[SERVICES_FAULTS];
};

/* NULL in it: no breaker, no retries, first come first served. */
struct services_policy {
    const struct cb_breaker_ops *breaker;
    const struct cb_retry_ops *retry;
    const struct cb_queue_ops *queue;
};

/* What happens, for whoever looks on; each may be NULL. */
struct services_hooks {
    void *context;
    void (*sent)(void *context, uint64_t now, uint32_t service); /* a try */
    void (*refused)(void *context, uint64_t now, uint32_t service, bool by_breaker);
    /* A request ended: when it began, which kind it is, and whether it succeeded. */
    void (*ended)(void *context, uint64_t now, uint64_t began, uint32_t kind, bool success);
    /* So many are working and waiting in a service, after a change. */
    void (*load)(void *context, uint64_t now, uint32_t service, uint32_t working, uint32_t waiting);
    bool (*go_on)(void *context); /* asked before each event; false: stop */
};

/* 0; -EINVAL: out of bounds; -ENOMEM; or what a create of the policy failed with. What an entry answers that makes no
 * sense (work that does not wait, a delay beyond 2^62) is taken for CB_NOTHING, or giving up. */
int services_simulate(const struct services *services, const struct services_policy *policy,
                      const struct services_hooks *hooks);

#endif
