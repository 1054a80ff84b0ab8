/* fleet.c: the run: requests arrive, are placed, and end.
 *
 * The loop takes the earliest of three: the next end of a request at a server, the next arrival, the next of everything
 * else. At equal times ends come first (of several, the lowest server's), then quick errors, timeouts, changes, steps
 * of slow starts, reports taken, reports delivered, and arrivals last. So a request that is done exactly at its timeout
 * is done, and a place that gets free is free for who comes at that moment.
 *
 * What a policy can't reach: gaps, work and the balancer that a request is given to are drawn from streams of their
 * own, for one arrival after the other, before the policy is asked. Times are whole nanoseconds. Gaps carry their
 * fraction over to the next, so that rounding doesn't change the rate; work is rounded to the nearest nanosecond once
 * for each request.
 *
 * Measured are the requests after the warm-up, however long they take; time averages are over the span from the first
 * measured arrival to the last. All sums are of integers and exact.
 *
 * Cost: O(log servers) for each request, in the timer tree, for its end and (if the server was idle) its start. Memory:
 * what is in the fleet, and one timeout's worth of requests; not what has passed through.
 */
#include "base/error.h"
#include "fleet_internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* ---- a request ends ---- */

static inline void finish(struct fleet *f, uint32_t server, uint32_t balancer, bool measured, enum lb_outcome outcome,
                          uint64_t latency)
{
    f->open--;
    f->result->events++;
    if (measured) {
        f->outcome[outcome]++;
        if (outcome == LB_OK) {
            hist_record(f->latency, latency);
            f->squares += (hist_wide)latency * latency;
            f->server[server].ok++;
        } else {
            f->plan[server].failed++;
        }
    }
    if (f->policy.done)
        f->policy.done(f->policy.context, balancer, server, outcome, latency, f->now);
}

void fleet_end(struct fleet *f, const struct waiting *r, enum lb_outcome outcome, uint64_t latency)
{
    finish(f, r->server, r->balancer, r->measured, outcome, latency);
}

static inline void end_pending(struct fleet *f, uint32_t server, const struct pending *p, enum lb_outcome outcome)
{
    if (f->room.ring) {
        if (p->ticket < f->room.first)
            return; /* its client gave up long ago */
        f->room.ring[p->ticket & f->room.mask].live = 0;
    }
    finish(f, server, p->balancer, p->measured, outcome, f->now - p->arrival);
}

void fleet_end_pending(struct fleet *f, uint32_t server, const struct pending *p, enum lb_outcome outcome)
{
    end_pending(f, server, p, outcome);
}

static void depart(struct fleet *f)
{
    const uint32_t server = timer_tree_min_actor(f->ends);
    struct server *s = &f->server[server];
    const struct pending p = server_finish(s, f->now);
    fleet_held(f, f->held - 1);
    timer_tree_set(f->ends, server, server_next_end(s, f->now));
    end_pending(f, server, &p, LB_OK);
    if (f->watched)
        fleet_tell(f, server);
}

/* ---- a request arrives ---- */

static int too_late(struct fleet *f)
{
    return error_set(f->err, -EINVAL, "the run went past 146 years of simulated time: rates, speeds or work are off");
}

static int next_recorded(struct fleet *f, uint64_t number)
{
    uint64_t at = 0;
    f->next_arrival = NEVER;
    if (!f->source->next(f->source->context, &at, &f->next_work))
        return 0;
    if (at < f->now)
        return error_set(f->err, -EINVAL, "recorded request %llu: its time goes back", (unsigned long long)number);
    if (!(f->next_work >= 0 && isfinite(f->next_work)))
        return error_set(f->err, -EINVAL, "recorded request %llu: its work must be a number, 0 or more",
                         (unsigned long long)number);
    if (at > FLEET_FOREVER)
        return too_late(f);
    f->next_arrival = at;
    return 0;
}

static inline int draw_next(struct fleet *f, uint64_t number)
{
    if (number == f->scenario->requests && number) {
        f->next_arrival = NEVER;
        return 0;
    }
    if (f->source)
        return next_recorded(f, number);
    const double gap = rng_exponential(&f->gaps) * f->mean_gap + f->next_fraction;
    if (gap >= (double)FLEET_FOREVER)
        return too_late(f);
    const int64_t whole = (int64_t)gap;
    f->next_fraction = gap - (double)whole;
    f->next_arrival = f->now + (uint64_t)whole;
    f->next_work = dist_draw(&f->scenario->work, &f->work);
    return 0;
}

static int swallow(struct fleet *f, const struct waiting *request)
{
    return fleet_wait(f, f->tickets++, request);
}

static int accept_request(struct fleet *f, const struct waiting *request, double work)
{
    struct server *s = &f->server[request->server];
    const struct pending p = {work, f->now, f->tickets, request->balancer, request->measured};
    int failed = 0;
    if (f->scenario->timeout_ns)
        failed = fleet_wait(f, f->tickets, request);
    f->tickets++;
    fleet_held(f, f->held + 1);
    if (server_accept(s, p, f->now, &failed))
        timer_tree_set(f->ends, request->server, server_next_end(s, f->now));
    if (request->measured && s->held > s->longest)
        s->longest = s->held;
    if (f->watched)
        fleet_tell(f, request->server);
    return failed;
}

/* What the server does with a request that was sent to it. */
static inline int send_request(struct fleet *f, const struct waiting *request, double work)
{
    const struct server *s = &f->server[request->server];
    f->open++;
    if (s->health == SERVER_STOPPED)
        return swallow(f, request);
    if (s->health == SERVER_FAILING)
        return fleet_answer_later(f, request);
    if (s->health == SERVER_REFUSING || s->held >= f->scenario->queue_cap) {
        fleet_end(f, request, LB_REFUSED, 0);
        return 0;
    }
    return accept_request(f, request, work);
}

static void begin_span(struct fleet *f)
{
    f->span_from = f->now;
    fleet_held(f, f->held);
    f->area = 0;
    for (uint32_t i = 0; i < f->scenario->servers; i++) {
        server_settle(&f->server[i], f->now);
        f->server[i].busy_ns = 0;
    }
}

static void end_span(struct fleet *f)
{
    struct fleet_result *r = f->result;
    if (f->arrived <= f->scenario->warm_up)
        return; /* a recording that ends within the warm-up */
    fleet_held(f, f->held);
    r->offered = f->arrived - f->scenario->warm_up;
    r->span_ns = f->now - f->span_from;
    r->mean_held = r->span_ns ? (double)f->area / (double)r->span_ns : 0;
    for (uint32_t i = 0; i < f->scenario->servers; i++) {
        server_settle(&f->server[i], f->now);
        r->server[i].busy_ns = f->server[i].busy_ns;
    }
}

static int arrive(struct fleet *f)
{
    const uint64_t number = f->arrived++;
    const double work = f->next_work;
    struct waiting request = {.arrival = f->now, .measured = number >= f->scenario->warm_up, .live = 1};
    f->result->events++;
    if (number == f->scenario->warm_up)
        begin_span(f);
    if (f->scenario->balancers > 1)
        request.balancer = rng_below(&f->chooser, f->scenario->balancers);
    int failed = draw_next(f, f->arrived);
    if (failed)
        return failed;
    request.server = f->policy.pick(f->policy.context, request.balancer, f->now);
    if (request.server >= f->scenario->servers || !f->server[request.server].member)
        f->result->unplaced += request.measured;
    else
        failed = send_request(f, &request, work);
    if (f->next_arrival == NEVER)
        end_span(f);
    return failed;
}

/* ---- the run ---- */

static void happen(struct fleet *f)
{
    static void (*const what[NEXT_KINDS])(struct fleet *) = {
        [NEXT_ANSWER] = fleet_answer, [NEXT_TIMEOUT] = fleet_time_out,  [NEXT_CHANGE] = fleet_change,
        [NEXT_STEP] = fleet_step,     [NEXT_SNAPSHOT] = fleet_snapshot, [NEXT_DELIVERY] = fleet_deliver,
    };
    int kind = 0;
    while (f->next[kind] != f->next_other)
        kind++;
    what[kind](f);
}

static int loop(struct fleet *f)
{
    int failed = 0;
    while (!failed && (f->open || f->next_arrival != NEVER)) {
        const uint64_t end = timer_tree_min_time(f->ends), arrival = f->next_arrival, other = f->next_other;
        if (end <= arrival && end <= other) {
            if (end > FLEET_FOREVER)
                return too_late(f);
            f->now = end;
            depart(f);
        } else if (other <= arrival) {
            if (other > FLEET_FOREVER)
                return too_late(f);
            f->now = other;
            happen(f);
        } else {
            if (arrival > FLEET_FOREVER)
                return too_late(f);
            f->now = arrival;
            failed = arrive(f);
        }
    }
    return failed;
}

static int create(struct fleet *f)
{
    const struct fleet_scenario *c = f->scenario;
    f->server = aligned_alloc(64, c->servers * sizeof *f->server);
    f->plan = calloc(c->servers, sizeof *f->plan);
    f->result->server = calloc(c->servers, sizeof *f->result->server);
    if (!f->server || !f->plan || !f->result->server)
        return -ENOMEM;
    int failed = 0;
    for (uint32_t i = 0; i < c->servers; i++)
        failed |= server_create(&f->server[i], c->discipline); /* all of them, so that destroy finds none half made */
    if (failed || timer_tree_create(c->servers, &f->ends) || hist_create(&f->latency))
        return -ENOMEM;
    f->result->latency = f->latency;
    for (int i = 0; i < NEXT_KINDS; i++)
        f->next[i] = NEVER;
    if (fleet_changes_create(f))
        return -ENOMEM;
    fleet_plan(f, NEXT_ANSWER, NEVER);
    rng_seed(&f->gaps, c->seed, STREAM_GAPS);
    rng_seed(&f->work, c->seed, STREAM_WORK);
    rng_seed(&f->chooser, c->seed, STREAM_BALANCER);
    rng_seed(&f->idler, c->seed, STREAM_IDLE);
    f->mean_gap = 1e9 / c->rate;
    f->watched = f->policy.idle || (f->policy.report && c->report_every_ns == FLEET_REPORT_INSTANT);
    return 0;
}

static void destroy(struct fleet *f)
{
    for (uint32_t i = 0; f->server && i < f->scenario->servers; i++)
        server_destroy(&f->server[i]);
    free(f->server);
    free(f->plan);
    timer_tree_destroy(f->ends);
    fleet_changes_destroy(f);
    event_queue_destroy(f->answers.queue);
    free(f->answers.slot);
    free(f->room.ring);
}

/* Each request that was sent ended once, so what a server got is what ended there. */
static void report(struct fleet *f)
{
    struct fleet_result *r = f->result;
    r->ok = f->outcome[LB_OK];
    r->error = f->outcome[LB_ERROR];
    r->refused = f->outcome[LB_REFUSED];
    r->timeout = f->outcome[LB_TIMEOUT];
    r->mean_ns = hist_mean(f->latency);
    r->mean_square_ns2 = r->ok ? (double)f->squares / (double)r->ok : 0;
    for (uint32_t i = 0; i < f->scenario->servers; i++) {
        r->server[i].ok = f->server[i].ok;
        r->server[i].failed = f->plan[i].failed;
        r->server[i].picked = f->server[i].ok + f->plan[i].failed;
        r->server[i].longest = f->server[i].longest;
    }
}

int fleet_run(const struct fleet_scenario *scenario, const struct fleet_source *source,
              const struct fleet_policy *policy, struct fleet_result *result, struct error *err)
{
    *result = (struct fleet_result){0};
    int failed = fleet_check(scenario, source, err);
    if (failed)
        return failed;
    struct fleet f = {.scenario = scenario, .source = source, .policy = *policy, .result = result, .err = err};
    failed = create(&f);
    if (!failed)
        failed = draw_next(&f, 0);
    if (!failed) {
        fleet_open(&f);
        failed = loop(&f);
    }
    if (failed == -ENOMEM)
        error_set(err, failed, "not enough memory for a fleet of %u servers", scenario->servers);
    if (failed)
        fleet_result_free(result);
    else
        report(&f);
    destroy(&f);
    return failed;
}

void fleet_result_free(struct fleet_result *result)
{
    hist_destroy(result->latency);
    free(result->server);
    *result = (struct fleet_result){0};
}

double fleet_loss(const struct fleet_result *result)
{
    return result->offered ? (double)(result->offered - result->ok) / (double)result->offered : 0;
}
