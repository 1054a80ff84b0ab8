/* fleet.h: the world of lab 01: a simulated fleet of servers behind one or more load balancers, in virtual time.
 *
 * The same code runs in the host, where the policy is an entry, and in the judge, where the policy reads the log of
 * decisions; both see the same arrivals and the same work, because these come from the seed and never depend on the
 * policy.
 *
 * What a request lives through: it arrives (Poisson or recorded), is given to one of the balancers (at random), which
 * picks a server. A server that is stopped swallows it: it is never answered. One that refuses, or whose queue is full,
 * refuses it at once; one that fails fast answers with an error after a short while, and the request takes no place in
 * its queue. Otherwise it is queued (FIFO) or served beside the others (processor sharing). Work is in units; a server
 * does `speed` units a second. The client gives up after `timeout_ns`; the server does not notice and does the work all
 * the same, as real servers do.
 *
 * What happens at the same nanosecond happens in this order: requests done (lowest server first), quick errors,
 * timeouts, changes, steps of slow starts, reports taken, reports delivered, arrivals. A policy is told of an end first
 * (done), then of the server's load (report), then that it is idle.
 *
 * Units: nanoseconds, seconds only where a rate says "per second". Ownership: the caller owns what it passes; a result
 * is freed with fleet_result_free. Threads: a run touches nothing global; any number at the same time.
 */
#ifndef FLEET_H
#define FLEET_H

#include "load_balancing.h"
#include "sim/distribution.h"
#include "sim/histogram.h"

#include <stddef.h>

struct error;

enum fleet_discipline { FLEET_FIFO, FLEET_PROCESSOR_SHARING };

struct fleet_server {
    double speed;    /* units of work a second, > 0 */
    uint32_t weight; /* what the operator tells the balancers */
    uint32_t absent; /* 1: joins only by a FLEET_JOIN */
};

enum fleet_change_kind {
    /* Becomes a member. value > 0: starts slowly, with speed and weight at 10 %, 20 % … 100 % for a tenth of value ns
     * each (a weight is at least 1 on the way, unless it is 0). Of a member: only the slow start, if any, begins anew.
     */
    FLEET_JOIN,
    /* Drained: no longer a member, finishes what it holds. Of one that is no member: nothing. */
    FLEET_LEAVE,
    FLEET_WEIGHT, /* weight becomes value */
    FLEET_SPEED,  /* speed becomes value; work under way goes on at the new speed */

    /* The last of these four counts. A server that is stopped or refuses is silent: it sends no reports and does not
     * say that it is idle. */
    FLEET_STOP,      /* hangs: what it holds stands still, what comes is swallowed; needs a timeout */
    FLEET_REFUSE,    /* crashed: what it held ends as LB_ERROR now, what comes is refused at once */
    FLEET_FAIL_FAST, /* answers what comes with LB_ERROR after value ns, without queueing it; works on what it holds */
    FLEET_HEAL,      /* well again, and goes on with what it holds */
};

struct fleet_change {
    uint64_t at;
    uint32_t server;
    uint32_t kind;
    double value;
};

#define FLEET_NO_CAP        UINT32_MAX
#define FLEET_MAX_SERVERS   (1u << 20)
#define FLEET_MAX_BALANCERS (1u << 16)

struct fleet_scenario {
    uint64_t seed;
    uint32_t servers;   /* >= 1 */
    uint32_t balancers; /* >= 1; they do not see each other's requests */
    double rate;        /* Poisson arrivals a second, all balancers together; 0: recorded, from fleet_source */
    struct dist work;   /* units a request, for Poisson arrivals */
    uint32_t discipline;
    uint32_t queue_cap;  /* most requests that a server holds, the one in service included; FLEET_NO_CAP */
    uint64_t timeout_ns; /* 0: clients wait for ever */
    /* Every so often, how many requests each server holds is noted, and every balancer hears of it report_delay_ns
     * later, for the servers that are members then. 0: no reports; FLEET_REPORT_INSTANT: at every change, without
     * delay. */
    uint64_t report_every_ns;
    uint64_t report_delay_ns;
    uint64_t requests;         /* how many arrive, < 2^40; recorded: at most, and 0: all there are */
    uint64_t warm_up;          /* the first so many are left out of every figure */
    struct lb_config balancer; /* max_backends, random and inner are set by the run */
    uint32_t changes;
    uint32_t pad;
    const struct fleet_server *server; /* [servers] */
    const struct fleet_change *change; /* [changes], by time */
};
#define FLEET_REPORT_INSTANT UINT64_MAX

/* Where recorded requests come from: fills the next one and returns 1, or 0 at the end. `at` must not go back and
 * should start near 0 (reports run from 0 on). May be endless when `requests` is set. */
struct fleet_source {
    int (*next)(void *context, uint64_t *at, double *work);
    void *context;
};

/* Who picks. One table for all balancers; `balancer` says which of them is asked. The functions have the meaning they
 * have in struct lb_ops; all but pick may be NULL. A pick that is out of range or no member is not sent anywhere, and
 * `done` is not called for it. With `idle`, a server that is left with nothing to do tells one balancer, drawn at
 * random; so does each at the start, when it joins, and when it recovers. */
struct fleet_policy {
    void *context;
    /* The server joins or, being a member, has a new weight; or (joins is false) it leaves. */
    void (*member)(void *context, uint32_t balancer, uint32_t server, bool joins, uint32_t weight, uint64_t now);
    uint32_t (*pick)(void *context, uint32_t balancer, uint64_t now);
    void (*done)(void *context, uint32_t balancer, uint32_t server, enum lb_outcome outcome, uint64_t latency,
                 uint64_t now);
    void (*report)(void *context, uint32_t balancer, uint32_t server, uint32_t load, uint64_t now);
    void (*idle)(void *context, uint32_t balancer, uint32_t server, uint64_t now);
};

struct fleet_server_result {
    uint64_t picked, ok, failed; /* requests */
    uint64_t busy_ns;            /* time spent working, within the measured span */
    uint32_t longest;            /* most requests held when one of these came, itself included */
};

struct fleet_result {
    uint64_t offered;                     /* requests after the warm-up; only these are in the figures below */
    uint64_t ok, error, refused, timeout; /* how they ended */
    uint64_t unplaced;                    /* no backend was picked, or one that is no member */
    struct histogram *latency;            /* of the ok ones, ns */
    double mean_ns, mean_square_ns2;      /* of the ok ones, exact sums */
    uint64_t span_ns;                     /* from the first measured arrival to the last */
    uint64_t events;                      /* arrivals and ends, warm-up included */
    /* Time average over the span of the requests that servers hold, those given up by their clients included. By
     * Little's law it is arrival rate x mean time in the fleet. */
    double mean_held;
    struct fleet_server_result *server; /* [servers] */
};

/* Runs a scenario to the end of its last request. 0, or -EINVAL / -ENOMEM with a sentence in err (may be NULL). */
int fleet_run(const struct fleet_scenario *scenario, const struct fleet_source *source,
              const struct fleet_policy *policy, struct fleet_result *result, struct error *err);
void fleet_result_free(struct fleet_result *result);
double fleet_loss(const struct fleet_result *result); /* share of offered that did not end ok */

/* The policy of an entry: one balancer made from ops for each of the scenario's. `log` (may be NULL) gets each pick.
 * When an operation fails, the entry is called no more, and all later picks are LB_NONE. 0; -EINVAL with a sentence; or
 * what `create` failed with. The scenario is not kept. */
struct fleet_entry;
int fleet_entry_create(const struct fleet_scenario *scenario, const struct lb_ops *ops, const struct lb_ops *inner,
                       struct decision_log *log, struct fleet_entry **out, struct error *err);
const struct fleet_policy *fleet_entry_policy(struct fleet_entry *entry);
int fleet_entry_failure(const struct fleet_entry *entry); /* 0, or the -errno with which an operation failed */
void fleet_entry_destroy(struct fleet_entry *entry);

/* The policy of a log: the k-th pick is the k-th record; past the end, LB_NONE. */
struct fleet_replay {
    const uint32_t *picks;
    uint64_t count, next;
};
struct fleet_policy fleet_replay_policy(struct fleet_replay *replay);

/* Both at once, for trusted code: create, run, destroy. */
int fleet_run_entry(const struct fleet_scenario *scenario, const struct fleet_source *source, const struct lb_ops *ops,
                    const struct lb_ops *inner, struct fleet_result *result, struct error *err);

/* A scenario as one block of bytes, for shared memory; the pointers are set anew by unpack, into the block. size:
 * FLEET_PACKED(scenario). The block is aligned to 8 bytes and outlives the scenario. unpack: 0, or -EINVAL when the
 * block is too small; it may be larger. What the scenario says is checked by fleet_run. */
#define FLEET_PACKED(s)                                                                                                \
    (sizeof(struct fleet_scenario) + (s)->servers * sizeof(struct fleet_server) +                                      \
     (s)->changes * sizeof(struct fleet_change))
void fleet_pack(const struct fleet_scenario *scenario, void *bytes);
int fleet_unpack(const void *bytes, size_t size, struct fleet_scenario *scenario);

#endif
