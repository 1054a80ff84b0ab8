/* fleet_internal.h: the state of a run, shared by the files fleet*.c and by nobody else.
 *
 * Ends of requests stand in a timer tree, one deadline a server. Arrivals come in order from a generator, so only the
 * next one is kept, and it enters no queue. All other events are rare, or come in the order in which they were planned,
 * or both: for each kind only the time of its next one is kept (next[]), and the earliest of these (next_other). So the
 * loop compares three numbers.
 */
#ifndef FLEET_INTERNAL_H
#define FLEET_INTERNAL_H

#include "fleet.h"
#include "fleet_server.h"
#include "sim/event_queue.h"
#include "sim/timer_tree.h"

/* One stream of random numbers for each thing that is random: none of them moves because another one is asked. */
enum fleet_stream {
    STREAM_GAPS,
    STREAM_WORK,
    STREAM_BALANCER, /* which one a request is given to */
    STREAM_IDLE,     /* which one an idle server tells */
    STREAM_ENTRY,    /* + balancer: its entry's own */
    STREAM_INNER = STREAM_ENTRY + (1 << 20),
};

/* At equal times: ends of requests, then these in this order, then arrivals. */
enum fleet_next { NEXT_ANSWER, NEXT_TIMEOUT, NEXT_CHANGE, NEXT_STEP, NEXT_SNAPSHOT, NEXT_DELIVERY, NEXT_KINDS };

#define NEVER      UINT64_MAX
#define NO_REPORT  UINT32_MAX
#define RAMP_STEPS 10u

/* What changes of a server, and little else, touch. */
struct server_plan {
    double speed;    /* the whole one */
    uint32_t weight; /* the whole one */
    uint32_t step;   /* of a slow start: 1 … RAMP_STEPS */
    uint64_t ramp_from, ramp_ns;
    uint64_t fail_after; /* SERVER_FAILING: ns */
    uint64_t failed;     /* requests, measured */
};

/* A request that somebody waits for, or waited. */
struct waiting {
    uint64_t arrival;
    uint32_t server, balancer;
    uint32_t measured;
    uint32_t live; /* it has not ended yet */
};

/* Requests with a timeout, by ticket. All timeouts are equally long, so they come in the order of arrival: a ring is
 * enough. A ticket below `first` whose request is still in a server has timed out. */
struct waiting_room {
    struct waiting *ring;
    uint64_t first, mask;
};

/* Errors that a failing server answers a while later; places in slot[] are named by the queue's events. */
struct answer {
    struct waiting request;
    uint32_t outcome, next_free;
};
struct answers {
    struct event_queue *queue;
    struct answer *slot;
    uint32_t slots, free;
};

struct fleet {
    struct server *server;
    struct timer_tree *ends;
    uint64_t now;
    uint64_t next_arrival; /* NEVER: all have come */
    uint64_t next_other;   /* min of next[] */
    uint64_t next[NEXT_KINDS];
    double next_work, next_fraction; /* of the next arrival: its work, and what of a nanosecond is left over */
    uint64_t arrived, tickets;
    uint64_t open; /* requests that were sent and have not ended */

    struct fleet_policy policy;
    const struct fleet_scenario *scenario;
    const struct fleet_source *source;
    double mean_gap;
    bool watched; /* the policy hears of numbers held or of idle servers */
    struct rng gaps, work, chooser, idler;

    hist_wide area; /* integral of `held` over time, up to area_until */
    uint64_t held, area_until;
    uint64_t span_from;
    hist_wide squares; /* of the latencies of measured ok requests */
    uint64_t outcome[LB_TIMEOUT + 1];
    struct histogram *latency;
    struct fleet_result *result;

    struct server_plan *plan;
    struct waiting_room room;
    struct answers answers;
    struct timer_tree *steps; /* of slow starts; NULL when there is none */
    uint32_t next_change;
    uint32_t *snapshot; /* [snapshots][servers], a ring */
    uint64_t snapshots, taken, delivered;

    struct error *err;
};

/* fleet_scenario.c. 0 or -EINVAL with a sentence that names the field. */
int fleet_check_sizes(const struct fleet_scenario *scenario, struct error *err);
int fleet_check(const struct fleet_scenario *scenario, const struct fleet_source *source, struct error *err);

/* fleet.c */
void fleet_end(struct fleet *f, const struct waiting *request, enum lb_outcome outcome, uint64_t latency);
void fleet_end_pending(struct fleet *f, uint32_t server, const struct pending *p, enum lb_outcome outcome);

/* The kind's next event comes at `at`. */
static inline void fleet_plan(struct fleet *f, enum fleet_next kind, uint64_t at)
{
    f->next[kind] = at;
    uint64_t first = f->next[0];
    for (int i = 1; i < NEXT_KINDS; i++)
        first = f->next[i] < first ? f->next[i] : first;
    f->next_other = first;
}

/* All servers together hold so many from now on. */
static inline void fleet_held(struct fleet *f, uint64_t held)
{
    f->area += (hist_wide)f->held * (f->now - f->area_until);
    f->area_until = f->now;
    f->held = held;
}

/* fleet_client.c: what the client's side sees without a server's doing: giving up, and quick errors. */
int fleet_wait(struct fleet *f, uint64_t ticket, const struct waiting *request); /* 0 or -ENOMEM */
void fleet_time_out(struct fleet *f);
int fleet_answer_later(struct fleet *f, const struct waiting *request); /* 0 or -ENOMEM */
void fleet_answer(struct fleet *f);

/* fleet_change.c: members, health, slow starts, reports. */
int fleet_changes_create(struct fleet *f); /* 0 or -ENOMEM */
void fleet_changes_destroy(struct fleet *f);
void fleet_open(struct fleet *f); /* all servers that are there join */
void fleet_change(struct fleet *f);
void fleet_step(struct fleet *f);
void fleet_snapshot(struct fleet *f);
void fleet_deliver(struct fleet *f);
void fleet_tell(struct fleet *f, uint32_t server); /* after its number held changed */
void fleet_tell_idle(struct fleet *f, uint32_t server);

#endif
