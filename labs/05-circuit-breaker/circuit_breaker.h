/* circuit_breaker.h: the contract of lab 05.
 *
 * A service that is slow or down is asked again by those whom it failed, and that keeps it down. What stands on both
 * sides of a call can end this: the caller, who decides whether to call at all and whether to try again, and the service,
 * which decides what to do first and what not at all.
 *
 * There are four kinds of entries, and each is one table of functions, registered under its name:
 *
 *   CB_BREAKER   may this call go? It learns from how calls end
 *   CB_RETRY     a try failed: try again, and when?
 *   CB_QUEUE     the service's side: accept work or refuse it, and which piece is next
 *   CB_FAULTS    a script of faults, made within bounds, that does harm
 *
 * Rules for all of them:
 *
 * - Time is given in nanoseconds, below 2^62, is never read, and never goes back.
 * - What is random is given with the question: u, uniform in (0, 1]. Nothing else is random.
 * - State lives behind the pointer that `create` gives. No globals: several run side by side in one process.
 * - One instance is called from one thread at a time, unless it says CB_THREADS.
 */
#ifndef CIRCUIT_BREAKER_H
#define CIRCUIT_BREAKER_H

#include "host/plugin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cb_outcome {
    CB_SUCCESS,
    CB_ERROR,   /* the service answered that it can't, or refused */
    CB_TIMEOUT, /* it did not answer in time */
    CB_IGNORED, /* says nothing about the service: the caller's own mistake, or he went away */
};

/* ---- may this call go? ---- */

struct cb_breaker_config {
    uint32_t window_calls;    /* count windows: the last so many outcomes, 1 … 2^20 */
    uint64_t window_ns;       /* time windows: this long ... */
    uint32_t slices;          /* ... cut into so many slices, 1 … 1024; window_ns is a multiple of it */
    uint32_t least_calls;     /* with fewer outcomes in the window nothing is concluded; >= 1 */
    uint32_t failure_percent; /* 1 … 100 */
    uint32_t slow_percent;    /* 1 … 100 */
    uint64_t slow_ns;         /* a call that took this long, or longer, is slow, however it ended */
    uint64_t open_ns;         /* stays open for so long; >= 1 */
    uint32_t probes;          /* half-open: so many calls go, and no more; 1 … 10000 */
    uint64_t probes_ns;       /* half-open for so long without an end, it opens again; >= 1 */
};

enum cb_state { CB_CLOSED, CB_OPEN, CB_HALF_OPEN };

struct cb_permit {
    bool allowed;
    uint64_t ticket; /* of an allowed call: given back when it ends; what it says is the breaker's own */
};

enum cb_can {
    CB_THREADS = 1, /* several threads may ask at the same time */
};

struct cb_breaker_ops {
    /* A closed breaker. 0 and *breaker; -EINVAL: a configuration out of bounds; -ENOMEM. The caller ends it with
     * destroy. */
    int (*create)(const struct cb_breaker_config *config, void **breaker);
    void (*destroy)(void *breaker);

    /* May a call go now? */
    struct cb_permit (*allow)(void *breaker, uint64_t now);

    /* The call with this ticket ended after `latency` ns. At most once for each ticket; a caller that dies never tells. */
    void (*record)(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency);

    enum cb_state (*state)(const void *breaker); /* for drawing: as the last allow or record left it */
    size_t (*bytes)(const void *breaker);        /* of state held now; NULL: not told */
    unsigned can;                                /* CB_THREADS */
};

/* ---- try again? ---- */

struct cb_retry_config {
    uint32_t most_tries;     /* for one request, the first included; >= 1 */
    uint64_t base_ns;        /* back-off: of the first retry ... */
    uint64_t cap_ns;         /* ... and of any */
    uint32_t budget_percent; /* retries for each 100 requests that succeed */
    uint32_t budget_most;    /* so many retries can be saved up; also what there is at first */
};

struct cb_failed {
    uint64_t now;
    uint64_t deadline;   /* whoever waits for the answer is gone at this time */
    uint64_t last_delay; /* what retry decided last for this request, in ns; 0 the first time */
    uint32_t tries;      /* made so far, >= 1 */
    double u;
};

struct cb_retry_ops {
    int (*create)(const struct cb_retry_config *config, void **retries); /* 0; -ENOMEM */
    void (*destroy)(void *retries);

    /* A try failed. True: try again `*delay` ns from now. False: give up. */
    bool (*retry)(void *retries, const struct cb_failed *failed, uint64_t *delay);

    void (*succeeded)(void *retries, uint64_t now); /* a request did; NULL: not listened to */
};

/* ---- the service's side ---- */

#define CB_NOTHING UINT32_MAX

struct cb_queue_config {
    uint32_t most;        /* pieces of work that may wait, >= 1 */
    uint64_t target_ns;   /* CoDel: a wait that is all right ... */
    uint64_t interval_ns; /* ... and for how long another may last */
};

struct cb_work {
    uint32_t id;       /* below 2^32-1; no two that wait have the same */
    uint64_t deadline; /* the caller has given up at this time: work for him is for nothing */
};

/* Work that is thrown away while another is taken, in order. The caller's; emptied before each question. */
struct cb_dropped {
    uint32_t *id;
    uint32_t n, room;
    bool failed; /* no memory: some are missing */
};
void cb_dropped_more(struct cb_dropped *dropped);
static inline void cb_drop(struct cb_dropped *dropped, uint32_t id)
{
    if (dropped->n == dropped->room)
        cb_dropped_more(dropped);
    if (dropped->n < dropped->room)
        dropped->id[dropped->n++] = id;
}

struct cb_queue_ops {
    int (*create)(const struct cb_queue_config *config, void **queue); /* 0; -ENOMEM */
    void (*destroy)(void *queue);

    /* Work comes. False: it is refused, and its caller is told at once. What waits already may be dropped for it. */
    bool (*arrive)(void *queue, uint64_t now, const struct cb_work *work, struct cb_dropped *dropped);

    /* A worker is free. The id of what it does next, or CB_NOTHING. Whatever was accepted is taken or dropped, once, or
     * still waits. */
    uint32_t (*take)(void *queue, uint64_t now, struct cb_dropped *dropped);
};

/* ---- a script of faults ---- */

enum cb_fault_kind {
    CB_DOWN, /* the service does nothing; what waits goes on waiting */
    CB_SLOW, /* its work takes `factor` times as long */
};

struct cb_fault {
    uint64_t from, length;
    uint32_t kind;
    uint32_t factor; /* of CB_SLOW: 2 … most_factor */
};

/* The service that it is for, and those who call it: they try again at once, up to most_tries times. */
struct cb_bounds {
    uint64_t rate;       /* requests/s */
    uint64_t service_ns; /* of one piece of work; one worker, first come, first served, no bound */
    uint64_t timeout_ns; /* of a try. Work is done although its caller has given up */
    uint32_t most_tries;
    uint32_t most_faults, most_factor;
    uint64_t first, last; /* faults lie in [first, last) and do not overlap */
};

struct cb_faults_ops {
    /* Fills up to most_faults, in the order of their times; how many, or -ENOMEM. */
    int (*make)(const struct cb_bounds *bounds, struct cb_fault *fault);
};

/* ---- entries ---- */

/* Exactly one is set. */
struct cb_ops {
    const struct cb_breaker_ops *breaker;
    const struct cb_retry_ops *retry;
    const struct cb_queue_ops *queue;
    const struct cb_faults_ops *faults;
};

#define CB_ENTRY(identifier, name, summary, kind, ops)                                                                 \
    static const struct cb_ops cb_ops_##identifier = {.kind = (ops)};                                                  \
    PLUGIN_ENTRY(identifier, name, summary, &cb_ops_##identifier)

#define CB_BREAKER(identifier, name, summary, ops) CB_ENTRY(identifier, name, summary, breaker, ops)
#define CB_RETRY(identifier, name, summary, ops)   CB_ENTRY(identifier, name, summary, retry, ops)
#define CB_QUEUE(identifier, name, summary, ops)   CB_ENTRY(identifier, name, summary, queue, ops)
#define CB_FAULTS(identifier, name, summary, ops)  CB_ENTRY(identifier, name, summary, faults, ops)

#endif
