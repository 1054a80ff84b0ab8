/* flights.c: a plan of callers, simulated by the lab's world and decided by an entry. */
#include "flights.h"

#include "runs.h"

#include "base/memory.h"
#include "sim/exponential.h"

#include <math.h>
#include <stdlib.h>

/* ---- the callers ---- */

static uint64_t ns(double seconds)
{
    return (uint64_t)(1e9 * seconds + 0.5);
}

static struct callers *callers_make(const struct flights_plan *plan, uint64_t seed)
{
    const uint32_t most = (uint32_t)(plan->rate * plan->seconds + 8 * sqrt(plan->rate * plan->seconds) + 16),
                   works = plan->bad_first ? 1000 : 1;
    struct callers *c = xcalloc(1, CALLERS_SIZE(most, works));
    struct rng when, what;
    double now = 0;
    rng_seed(&when, seed, 5);
    rng_seed(&what, seed, 6);
    *c = (struct callers){.config = plan->config,
                          .seed = rng_next(&what),
                          .asks = UINT64_MAX,
                          .keys = plan->keys ? plan->keys : 1,
                          .works = works};
    while (c->callers < most && now < plan->seconds) {
        c->caller[c->callers++] = (struct caller){.at = ns(now), .key = rng_below(&what, c->keys)};
        now += rng_exponential(&when) / plan->rate;
    }
    for (uint32_t i = 0; i < works; i++) {
        const bool bad = plan->bad_first && i % 2 == 0;
        callers_works(c)[i] = (struct work){.takes = ns(plan->takes),
                                            .result = bad && plan->bad_first == FLIGHTS_FAILS ? CM_FAILED
                                                      : plan->no_values                       ? CM_NOTHING
                                                                                              : CM_VALUE,
                                            .hangs = bad && plan->bad_first == FLIGHTS_HANGS};
    }
    return c;
}

/* ---- what became of them ---- */

struct known {
    uint64_t asked, expires; /* of the value at hand; expires 0: there is none */
};

struct run {
    const struct cm_recompute_ops *ops;
    void *state;
    const struct callers *callers;
    struct flights *flights;
    struct known *known;  /* [keys] */
    struct cm_event *log; /* [callers]; latency CM_NEVER: no answer yet */
    uint32_t *flight_of;  /* [callers] */
    uint32_t room, under_way;
};

static void answered(struct run *r, uint32_t caller, uint64_t now, enum cm_outcome outcome)
{
    r->log[caller].latency_ns = MS + now - r->log[caller].time;
    r->log[caller].outcome = outcome;
}

static void takes_off(struct run *r, const struct question *q)
{
    struct flights *f = r->flights;
    const struct known *k = &r->known[q->key];
    if (f->n == r->room) {
        r->room = r->room ? 2 * r->room : 1024;
        f->flight = xrealloc(f->flight, r->room, sizeof *f->flight);
    }
    r->flight_of[q->caller] = f->n;
    f->flight[f->n++] = (struct flight){.began = q->now,
                                        .ended = CM_NEVER,
                                        .lead = k->expires ? 1e-9 * ((double)k->expires - (double)q->now) : (double)NAN,
                                        .first = r->under_way++ == 0};
}

static bool ask(void *context, const struct question *q, struct cm_decision *d)
{
    struct run *r = context;
    *d = r->ops->ask(r->state, callers_key(q->key), q->now, q->u);
    if (d->action == CM_COMPUTE || d->action == CM_SERVE_COMPUTE)
        takes_off(r, q);
    if (d->action == CM_SERVE || d->action == CM_SERVE_COMPUTE)
        answered(r, q->caller, q->now, q->again ? CM_WAITED : q->now < r->known[q->key].expires ? CM_FRESH : CM_STALE);
    return true;
}

static void done(void *context, const struct computation *c)
{
    struct run *r = context;
    struct known *k = &r->known[c->key];
    const struct cm_recompute_config *config = &r->callers->config;
    r->ops->done(r->state, callers_key(c->key), c->asked, c->now, c->result, c->u);
    r->flights->flight[r->flight_of[c->caller]].ended = c->now;
    r->under_way--;
    if (r->log[c->caller].latency_ns == CM_NEVER)
        answered(r, c->caller, c->now, CM_FETCHED);
    if (c->result == CM_VALUE && c->asked >= k->asked)
        *k = (struct known){c->asked, c->now + config->ttl_ns};
}

/* Whoever was told to compute, and hangs, is not waiting: it is the one that is waited for. */
static void sum_up(struct run *r, double takes)
{
    const struct account_params params = {.from = r->callers->config.ttl_ns + ns(takes)};
    struct account *account;
    uint64_t longest = 0, last = r->callers->caller[r->callers->callers - 1].at;
    if (account_create(&params, &account) != 0)
        error_exit(EXIT_CANNOT_TELL, "no memory for an account");
    for (uint32_t i = 0; i < r->callers->callers; i++) {
        struct cm_event *e = &r->log[i];
        if (e->latency_ns == CM_NEVER && r->flight_of[i] != UINT32_MAX)
            continue;
        if (e->latency_ns == CM_NEVER)
            e->latency_ns = last - e->time;
        longest = e->latency_ns > longest ? e->latency_ns : longest;
        account_add_event(account, e);
    }
    account_read(account, &r->flights->figures);
    account_destroy(account);
    r->flights->longest_wait = 1e-9 * (double)(longest > MS ? longest - MS : 0);
}

struct flights flights_run(const struct flights_plan *plan, uint64_t seed)
{
    struct callers *c = callers_make(plan, seed);
    struct flights f = {.callers = c->callers};
    struct run r = {.ops = runs_entry(plan->entry)->recompute, .callers = c, .flights = &f};
    r.known = xcalloc(c->keys, sizeof *r.known);
    r.log = xcalloc(c->callers, sizeof *r.log);
    r.flight_of = xcalloc(c->callers, sizeof *r.flight_of);
    for (uint32_t i = 0; i < c->callers; i++) {
        r.log[i] = (struct cm_event){.time = c->caller[i].at, .latency_ns = CM_NEVER, .size = 1};
        r.log[i].cost_us = (uint32_t)(1e6 * plan->takes);
        r.flight_of[i] = UINT32_MAX;
    }
    if (!r.ops || r.ops->create(&c->config, &r.state) != 0 ||
        callers_simulate(c, &(struct callers_policy){&r, ask, done}) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s cannot be run", plan->entry);
    sum_up(&r, plan->takes);
    r.ops->destroy(r.state);
    free(r.known);
    free(r.log);
    free(r.flight_of);
    free(c);
    return f;
}

void flights_free(struct flights *f)
{
    free(f->flight);
    f->flight = NULL;
}

/* ---- what they say ---- */

struct flights_cycles flights_cycles(const struct flights *f)
{
    struct flights_cycles c = {0, 0, 0};
    uint32_t begun = 0, last = 0;
    double lead = 0;
    for (uint32_t i = 1; i < f->n; i++) /* the last cycle may have been cut short */
        last = f->flight[i].first ? i : last;
    for (uint32_t i = 1; i < last; i++) {
        c.cycles += f->flight[i].first;
        lead += f->flight[i].first ? f->flight[i].lead : 0;
        begun += c.cycles > 0;
    }
    c.computations = c.cycles ? (double)begun / c.cycles : (double)NAN;
    c.lead = c.cycles ? lead / c.cycles : (double)NAN;
    return c;
}

uint32_t flights_under_way(const struct flights *f, uint64_t now)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n && f->flight[i].began <= now; i++)
        n += now < f->flight[i].ended;
    return n;
}

uint32_t flights_begun(const struct flights *f, uint64_t from, uint64_t until)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->n; i++)
        n += f->flight[i].began >= from && f->flight[i].began < until;
    return n;
}
