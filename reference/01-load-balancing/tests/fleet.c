/* fleet.c: what must hold in every fleet, however odd: exact laws, one end for each request, the same bytes for the
 * same seed, and that a log of picks replayed gives what the entry that made them got.
 */
#include "fleet.h"

#include "base/error.h"
#include "fleet_policies.h"
#include "host/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(fleet, .timeout = 60);

enum { ODD_SERVERS = 6, ODD_BALANCERS = 3, ODD_CHANGES = 14, ODD_SEEDS = 300 };

/* ---- scenarios with everything in them ---- */

struct odd {
    struct fleet_scenario scenario;
    struct fleet_server server[ODD_SERVERS];
    struct fleet_change change[ODD_CHANGES];
};

static void odd_change(struct fleet_change *c, struct rng *r, uint64_t after, uint32_t servers, bool stops)
{
    *c = (struct fleet_change){.at = after + rng_below(r, 20000000), .server = rng_below(r, servers)};
    do
        c->kind = rng_below(r, FLEET_HEAL + 1);
    while (c->kind == FLEET_STOP && !stops);
    if (c->kind == FLEET_JOIN)
        c->value = rng_below(r, 2) ? rng_below(r, 30000000) : 0;
    else if (c->kind == FLEET_WEIGHT)
        c->value = rng_below(r, 20);
    else if (c->kind == FLEET_SPEED)
        c->value = 200 + rng_below(r, 3000);
    else if (c->kind == FLEET_FAIL_FAST)
        c->value = rng_below(r, 20000000);
}

static void odd_scenario(struct odd *o, uint64_t seed)
{
    struct rng random, *r = &random;
    rng_seed(r, seed, 777);
    const struct dist work[] = {dist_exponential(1), dist_constant(1), dist_hyperexponential(1, 4),
                                dist_bounded_pareto(1, 1.2, 1000)};
    const uint64_t every[] = {0, FLEET_REPORT_INSTANT, 3000000};
    const uint32_t servers = 1 + rng_below(r, ODD_SERVERS);
    o->scenario = (struct fleet_scenario){.seed = seed,
                                          .servers = servers,
                                          .balancers = 1 + rng_below(r, ODD_BALANCERS),
                                          .rate = servers * (300 + rng_below(r, 900)),
                                          .work = work[rng_below(r, 4)],
                                          .discipline = rng_below(r, 2),
                                          .queue_cap = rng_below(r, 2) ? 1 + rng_below(r, 30) : FLEET_NO_CAP,
                                          .timeout_ns = rng_below(r, 3) ? 1 + rng_below(r, 15000000) : 0,
                                          .report_every_ns = every[rng_below(r, 3)],
                                          .report_delay_ns = rng_below(r, 10000000),
                                          .requests = 1500,
                                          .warm_up = rng_below(r, 2) ? 200 : 0,
                                          .changes = rng_below(r, ODD_CHANGES + 1),
                                          .server = o->server,
                                          .change = o->change};
    for (uint32_t i = 0; i < servers; i++)
        o->server[i] = (struct fleet_server){
            .speed = 500 + rng_below(r, 1500), .weight = rng_below(r, 10), .absent = rng_below(r, 5) == 0};
    uint64_t at = 0;
    for (uint32_t i = 0; i < o->scenario.changes; i++) {
        odd_change(&o->change[i], r, at, servers, o->scenario.timeout_ns != 0);
        at = o->change[i].at;
    }
}

static void assert_same(const struct fleet_result *a, const struct fleet_result *b, uint32_t servers, uint64_t seed)
{
    struct fleet_result x = *a, y = *b;
    cr_assert(memcmp(a->latency, b->latency, sizeof *a->latency) == 0, "seed %" PRIu64 ": other latencies", seed);
    for (uint32_t i = 0; i < servers; i++) {
        const struct fleet_server_result *p = &a->server[i], *q = &b->server[i];
        cr_assert(p->picked == q->picked && p->ok == q->ok && p->failed == q->failed && p->busy_ns == q->busy_ns &&
                      p->longest == q->longest,
                  "seed %" PRIu64 ": other figures of server %u", seed, i);
    }
    x.latency = y.latency = NULL;
    x.server = y.server = NULL;
    cr_assert(memcmp(&x, &y, sizeof x) == 0, "seed %" PRIu64 ": other figures of the fleet", seed);
}

/* ---- each pick ends once ---- */

enum { MOST_OPEN = 2000 };

struct witness {
    const struct fleet_scenario *scenario;
    struct rng random;
    bool member[ODD_BALANCERS][ODD_SERVERS];
    uint32_t open[ODD_BALANCERS][ODD_SERVERS];
    uint64_t sent[ODD_BALANCERS][ODD_SERVERS][MOST_OPEN]; /* when */
    uint64_t now, picks, ends, outcome[4];
};

static void clock_goes_on(struct witness *w, uint64_t now)
{
    cr_assert(now >= w->now, "time went back from %" PRIu64 " to %" PRIu64, w->now, now);
    w->now = now;
}

static void witness_member(void *context, uint32_t b, uint32_t server, bool joins, uint32_t weight, uint64_t now)
{
    struct witness *w = context;
    clock_goes_on(w, now);
    cr_assert(joins || w->member[b][server], "server %u left without being a member", server);
    cr_assert(weight <= LB_MAX_WEIGHT, "a weight of %u", weight);
    w->member[b][server] = joins;
}

static uint32_t witness_pick(void *context, uint32_t b, uint64_t now)
{
    struct witness *w = context;
    const uint32_t server = rng_below(&w->random, w->scenario->servers);
    clock_goes_on(w, now);
    w->picks++;
    if (!w->member[b][server])
        return server; /* goes nowhere, and must not end */
    uint32_t *open = &w->open[b][server];
    cr_assert(*open < MOST_OPEN, "too many requests are open");
    w->sent[b][server][(*open)++] = now;
    return server;
}

static void witness_done(void *context, uint32_t b, uint32_t server, enum lb_outcome outcome, uint64_t latency,
                         uint64_t now)
{
    struct witness *w = context;
    const uint64_t timeout = w->scenario->timeout_ns;
    clock_goes_on(w, now);
    w->ends++;
    w->outcome[outcome]++;
    uint32_t i = 0;
    while (i < w->open[b][server] && w->sent[b][server][i] != now - latency)
        i++;
    cr_assert(i < w->open[b][server], "an end at server %u of a request that is not open", server);
    w->sent[b][server][i] = w->sent[b][server][--w->open[b][server]];
    cr_assert(outcome != LB_TIMEOUT || (timeout && latency == timeout), "a timeout after %" PRIu64, latency);
    cr_assert(!timeout || latency <= timeout, "an end after the timeout");
    cr_assert(outcome != LB_REFUSED || latency == 0, "a refusal after %" PRIu64, latency);
}

static void witness_report(void *context, uint32_t b, uint32_t server, uint32_t load, uint64_t now)
{
    struct witness *w = context;
    clock_goes_on(w, now);
    cr_assert(w->member[b][server] && load <= w->scenario->queue_cap, "a report of %u from server %u", load, server);
}

static void witness_idle(void *context, uint32_t b, uint32_t server, uint64_t now)
{
    struct witness *w = context;
    clock_goes_on(w, now);
    cr_assert(w->member[b][server], "server %u is idle and no member", server);
}

Test(fleet, each_pick_ends_once)
{
    struct witness *w = malloc(sizeof *w);
    uint64_t outcome[4] = {0}, unplaced = 0;
    for (uint64_t seed = 1; seed <= ODD_SEEDS; seed++) {
        struct odd o;
        struct fleet_result r;
        struct error err = {""};
        odd_scenario(&o, seed);
        *w = (struct witness){.scenario = &o.scenario};
        rng_seed(&w->random, seed, 778);
        const struct fleet_policy policy = {w,           witness_member, witness_pick, witness_done, witness_report,
                                            witness_idle};
        cr_assert(fleet_run(&o.scenario, NULL, &policy, &r, &err) == 0, "seed %" PRIu64 ": %s", seed, err.text);
        for (int b = 0; b < ODD_BALANCERS; b++)
            for (int i = 0; i < ODD_SERVERS; i++)
                cr_assert(w->open[b][i] == 0, "seed %" PRIu64 ": %u requests never ended", seed, w->open[b][i]);
        cr_assert(w->picks == 1500 && r.events == w->picks + w->ends, "seed %" PRIu64 ": %" PRIu64 " events", seed,
                  r.events);
        cr_assert(r.offered == 1500 - o.scenario.warm_up &&
                      r.offered == r.ok + r.error + r.refused + r.timeout + r.unplaced,
                  "seed %" PRIu64 ": the ends do not add up", seed);
        cr_assert(o.scenario.warm_up || (r.ok == w->outcome[LB_OK] && r.error == w->outcome[LB_ERROR] &&
                                         r.refused == w->outcome[LB_REFUSED] && r.timeout == w->outcome[LB_TIMEOUT]),
                  "seed %" PRIu64 ": other ends than the policy saw", seed);
        for (int i = 0; i < 4; i++)
            outcome[i] += w->outcome[i];
        unplaced += r.unplaced;
        fleet_result_free(&r);
    }
    cr_assert(outcome[0] > 1000 && outcome[1] > 1000 && outcome[2] > 1000 && outcome[3] > 1000 && unplaced > 1000,
              "the scenarios do not reach every kind of end: %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, outcome[0],
              outcome[1], outcome[2], outcome[3]);
    free(w);
}

/* ---- exact laws ---- */

struct recording {
    struct rng random;
    uint64_t at, left;
    double work, total; /* of all but the last */
};

/* Poisson, and at the end, after a long silence, one request that closes the span: by then the fleet is empty. */
static int next_of_recording(void *context, uint64_t *at, double *work)
{
    struct recording *r = context;
    if (!r->left)
        return 0;
    r->total += r->work;
    r->work = rng_exponential(&r->random);
    r->at += --r->left ? rng_below(&r->random, 500000) : 10000000000;
    *at = r->at;
    *work = r->work;
    return 1;
}

/* Little's law holds for one run, to the last bit, when the fleet is empty at both ends; and what was worked off is
 * what came. */
Test(fleet, littles_law_and_work_conservation_are_exact)
{
    const uint64_t count = 20000;
    const struct fleet_server server[5] = {{.speed = 500, .weight = 1},
                                           {.speed = 1000, .weight = 1},
                                           {.speed = 1000, .weight = 1},
                                           {.speed = 1500, .weight = 1},
                                           {.speed = 2000, .weight = 1}};
    for (uint32_t discipline = 0; discipline < 2; discipline++) {
        struct fleet_scenario s = textbook(5, 0, dist_constant(1), 0);
        struct recording recording = {.left = count + 1};
        struct simple simple;
        struct fleet_result r;
        struct error err = {""};
        const struct fleet_source source = {next_of_recording, &recording};
        const struct fleet_policy policy = simple_policy(&simple, TWO_CHOICES, 5, 3);
        rng_seed(&recording.random, 5, 0);
        s.discipline = discipline;
        s.server = server;
        cr_assert(fleet_run(&s, &source, &policy, &r, &err) == 0, "%s", err.text);
        cr_assert(r.ok == count + 1, "%" PRIu64 " requests ended", r.ok);
        double done = 0, last = -1;
        for (int i = 0; i < 5; i++)
            done += (double)r.server[i].busy_ns * server[i].speed / 1e9;
        for (int i = 0; i < 5 && last < 0; i++) { /* the last one was alone, at a server that we must find */
            const double rest = (double)r.latency->sum - floor(recording.work / server[i].speed * 1e9 + 0.5);
            if (r.mean_held * (double)r.span_ns > rest - 1 && r.mean_held * (double)r.span_ns < rest + 1)
                last = rest;
        }
        cr_assert(last >= 0, "held %g on average, %.1f in all, but the times add up to %.1f", r.mean_held,
                  r.mean_held * (double)r.span_ns, (double)r.latency->sum);
        cr_assert(fabs(done - recording.total) < 1e-6 * (double)count, "%.9g of work came, %.9g was done",
                  recording.total, done);
        fleet_result_free(&r);
    }
}

static int next_bad(void *context, uint64_t *at, double *work)
{
    uint64_t *calls = context;
    *at = ++*calls == 3 ? 1 : *calls * 10;
    *work = *calls == 5 ? NAN : 1;
    return 1;
}

Test(fleet, recordings_are_checked)
{
    for (uint64_t start = 0; start < 4; start += 3) {
        struct fleet_scenario s = textbook(1, 0, dist_constant(1), 0);
        struct simple simple;
        struct fleet_result r;
        struct error err = {""};
        uint64_t calls = start;
        const struct fleet_source source = {next_bad, &calls};
        const struct fleet_policy policy = simple_policy(&simple, RANDOM, 1, 3);
        cr_assert(fleet_run(&s, &source, &policy, &r, &err) == -EINVAL, "a bad recording was taken");
        cr_assert(strstr(err.text, start ? "work" : "goes back"), "it says: %s", err.text);
        cr_assert(!r.latency && !r.server, "the result of a failed run is not empty");
    }
}

/* ---- the same again ---- */

Test(fleet, same_seed_same_bytes)
{
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct odd o;
        struct fleet_result r[2];
        odd_scenario(&o, seed);
        for (int i = 0; i < 2; i++) {
            struct simple simple;
            const struct fleet_policy policy = simple_policy(&simple, TWO_CHOICES, o.scenario.servers, seed);
            cr_assert(fleet_run(&o.scenario, NULL, &policy, &r[i], NULL) == 0, "seed %" PRIu64, seed);
        }
        assert_same(&r[0], &r[1], o.scenario.servers, seed);
        fleet_result_free(&r[0]);
        fleet_result_free(&r[1]);
    }
}

/* The same numbers on every machine, with every compiler and optimisation. If the change of a law or generator moves
 * them on purpose, put the numbers of the message here. */
Test(fleet, same_bytes_everywhere)
{
    uint64_t sum = 0, ok = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct odd o;
        struct fleet_result r;
        struct simple simple;
        odd_scenario(&o, seed);
        const struct fleet_policy policy = simple_policy(&simple, TWO_CHOICES, o.scenario.servers, seed);
        cr_assert(fleet_run(&o.scenario, NULL, &policy, &r, NULL) == 0, "seed %" PRIu64, seed);
        sum += (uint64_t)r.latency->sum + r.span_ns + r.server[0].busy_ns;
        ok += r.ok;
        fleet_result_free(&r);
    }
    cr_assert(ok == 112404 && sum == 3502475818880, "got ok %" PRIu64 ", sum %" PRIu64, ok, sum);
}

/* What a policy picks reaches neither the arrivals nor the work: with no queueing at all the latencies are the works.
 */
Test(fleet, arrivals_and_work_do_not_depend_on_the_policy)
{
    struct fleet_result r[2];
    for (int i = 0; i < 2; i++) {
        struct fleet_scenario s = textbook(64, 10, dist_bounded_pareto(1, 1.5, 100), 20000);
        struct simple simple;
        const struct fleet_policy policy = simple_policy(&simple, i ? ROUND_ROBIN : TWO_CHOICES, 64, 9);
        s.discipline = FLEET_PROCESSOR_SHARING;
        cr_assert(fleet_run(&s, NULL, &policy, &r[i], NULL) == 0, "run %d", i);
    }
    cr_assert(r[0].span_ns == r[1].span_ns, "spans %" PRIu64 " and %" PRIu64, r[0].span_ns, r[1].span_ns);
    cr_assert(fabs(r[0].mean_ns - r[1].mean_ns) < 1e-3 * r[0].mean_ns, "means %g and %g", r[0].mean_ns, r[1].mean_ns);
    cr_assert(hist_max(r[0].latency) == hist_max(r[1].latency), "largest %" PRIu64 " and %" PRIu64,
              hist_max(r[0].latency), hist_max(r[1].latency));
    fleet_result_free(&r[0]);
    fleet_result_free(&r[1]);
}
