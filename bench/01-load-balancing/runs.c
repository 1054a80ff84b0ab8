/* runs.c: entries on fleets, and the figures that the fleet itself does not give. */
#include "runs.h"

#include "adapter.h"
#include "base/error.h"
#include "host/trusted.h"
#include "sim/timer_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *reference;
static struct fleet_server equal_server[EQUAL_MOST];
static struct fleet_server article_server[ARTICLE_SERVERS];

const double article_speed[ARTICLE_SERVERS] = {1500, 1500, 1500, 1000, 1000, 1000, 1000, 500, 500, 500};

void runs_load(void)
{
    reference = trusted_reference("01-load-balancing", EXIT_CANNOT_TELL);
    for (int i = 0; i < EQUAL_MOST; i++)
        equal_server[i] = (struct fleet_server){.speed = 1000, .weight = 1};
    for (int i = 0; i < ARTICLE_SERVERS; i++)
        article_server[i] = (struct fleet_server){.speed = article_speed[i], .weight = (uint32_t)article_speed[i]};
}

static const struct lb_ops *find(const char *entry, const struct lb_ops **inner)
{
    const struct lb_ops *ops = adapter_find(reference, entry, inner);
    if (!ops)
        error_exit(EXIT_CANNOT_TELL, "the reference plugin has no entry \"%s\"", entry);
    return ops;
}

/* ---- fleets ---- */

/* What the wrappers and peak EWMA want to know; everybody else ignores it. */
static const struct lb_config settings = {
    .ewma_decay_ns = 10000000, .eject_after = 5, .eject_max_percent = 10, .eject_for_ns = 1000000000};

struct fleet_scenario article_fleet(double rate, uint64_t requests, uint64_t seed)
{
    /* A queue of 100 at a server that is 20 % overloaded is full after 100 / (600 - 500) = 1 second. */
    const uint64_t warm_up = (uint64_t)(5 * rate);
    return (struct fleet_scenario){.seed = seed,
                                   .servers = ARTICLE_SERVERS,
                                   .balancers = 1,
                                   .rate = rate,
                                   .work = dist_exponential(1),
                                   .queue_cap = ARTICLE_CAP,
                                   .requests = requests + warm_up,
                                   .warm_up = warm_up,
                                   .balancer = settings,
                                   .server = article_server};
}

void article_weights(const double *split, struct fleet_server *server)
{
    double most = 0;
    for (int i = 0; i < ARTICLE_SERVERS; i++)
        most = split[i] > most ? split[i] : most;
    for (int i = 0; i < ARTICLE_SERVERS; i++)
        server[i] =
            (struct fleet_server){.speed = article_speed[i], .weight = (uint32_t)(LB_MAX_WEIGHT * split[i] / most)};
}

struct fleet_scenario equal_fleet(uint32_t n, double load, uint64_t requests, uint64_t warm_up, uint64_t seed)
{
    return (struct fleet_scenario){.seed = seed,
                                   .servers = n,
                                   .balancers = 1,
                                   .rate = load * n * 1000,
                                   .work = dist_exponential(1),
                                   .queue_cap = FLEET_NO_CAP,
                                   .requests = requests + warm_up,
                                   .warm_up = warm_up,
                                   .balancer = settings,
                                   .server = equal_server};
}

/* ---- runs ---- */

void run_entry(const char *entry, const struct fleet_scenario *s, struct fleet_result *result)
{
    const struct lb_ops *inner, *ops = find(entry, &inner);
    struct error err;
    if (fleet_run_entry(s, NULL, ops, inner, result, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "a run of \"%s\" failed: %s", entry, err.text);
}

double run_mean_ms(const char *entry, const struct fleet_scenario *s)
{
    struct fleet_result r;
    run_entry(entry, s, &r);
    const double ms = r.mean_ns / 1e6;
    fleet_result_free(&r);
    return ms;
}

double run_loss(const char *entry, const struct fleet_scenario *s)
{
    struct fleet_result r;
    run_entry(entry, s, &r);
    const double loss = 100 * fleet_loss(&r);
    fleet_result_free(&r);
    return loss;
}

/* ---- how long queues are ---- */

/* Stands between the fleet and the entry, and keeps count of the queues that hold `length` or more. */
struct watch {
    const struct fleet_policy *entry;
    uint32_t *held; /* [servers] */
    uint32_t length;
    uint64_t warm_up, requests, picks;
    uint64_t long_queues; /* now */
    uint64_t from, since; /* start of the span, at the end of the warm-up; last change */
    double area;          /* long queues x ns since `from` */
};

/* The span ends with the last arrival: what drains afterwards is no steady state. */
static void watch_until(struct watch *w, uint64_t now)
{
    if (w->picks > w->requests)
        return;
    w->area += (double)w->long_queues * (double)(now - w->since);
    w->since = now;
}

static void watch_member(void *context, uint32_t balancer, uint32_t server, bool joins, uint32_t weight, uint64_t now)
{
    const struct fleet_policy *p = ((struct watch *)context)->entry;
    p->member(p->context, balancer, server, joins, weight, now);
}

static uint32_t watch_pick(void *context, uint32_t balancer, uint64_t now)
{
    struct watch *w = context;
    if (w->picks++ == w->warm_up) {
        w->from = w->since = now;
        w->area = 0;
    }
    const uint32_t server = w->entry->pick(w->entry->context, balancer, now);
    if (++w->held[server] == w->length) {
        watch_until(w, now);
        w->long_queues++;
    }
    if (w->picks == w->requests) {
        watch_until(w, now);
        w->picks++;
    }
    return server;
}

static void watch_done(void *context, uint32_t balancer, uint32_t server, enum lb_outcome outcome, uint64_t latency,
                       uint64_t now)
{
    struct watch *w = context;
    if (w->held[server]-- == w->length) {
        watch_until(w, now);
        w->long_queues--;
    }
    if (w->entry->done)
        w->entry->done(w->entry->context, balancer, server, outcome, latency, now);
}

double run_tail(const char *entry, const struct fleet_scenario *s, uint32_t length)
{
    const struct lb_ops *inner, *ops = find(entry, &inner);
    struct fleet_entry *balancers;
    struct fleet_result r;
    struct error err = {""};
    struct watch w = {.length = length, .warm_up = s->warm_up, .requests = s->requests};
    w.held = calloc(s->servers, sizeof *w.held);
    if (!w.held || fleet_entry_create(s, ops, inner, NULL, &balancers, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "a run of \"%s\" could not start: %s", entry, err.text);
    w.entry = fleet_entry_policy(balancers);
    const struct fleet_policy policy = {.context = &w, .member = watch_member, .pick = watch_pick, .done = watch_done};
    if (fleet_run(s, NULL, &policy, &r, &err) != 0 || fleet_entry_failure(balancers))
        error_exit(EXIT_CANNOT_TELL, "a run of \"%s\" failed: %s", entry, err.text);
    fleet_result_free(&r);
    fleet_entry_destroy(balancers);
    free(w.held);
    return 100 * w.area / (double)(w.since - w.from) / s->servers;
}

/* ---- balls into bins ---- */

double run_fullest_bin(const char *entry, uint32_t n, uint64_t seed)
{
    const struct lb_ops *inner, *ops = find(entry, &inner);
    struct lb_config config = settings;
    uint32_t *balls = calloc(n, sizeof *balls), most = 0;
    void *balancer;
    config.max_backends = n;
    rng_seed(&config.random, seed, 0);
    if (inner || !balls || ops->create(&config, &balancer) != 0)
        error_exit(EXIT_CANNOT_TELL, "\"%s\" can't throw balls: out of memory, or it is a wrapper", entry);
    for (uint32_t i = 0; i < n; i++)
        if (ops->add(balancer, i, 1, 0) != 0)
            error_exit(EXIT_CANNOT_TELL, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t bin = ops->pick(balancer, 0);
        balls[bin]++;
        most = balls[bin] > most ? balls[bin] : most;
    }
    ops->destroy(balancer);
    free(balls);
    return most;
}

/* ---- one queue for all ---- */

/* Whoever is first in the one queue gets the server that is free first. With requests served in the order of their
 * arrival that can be worked out when a request arrives: it starts when the earliest of the servers is free, or now. */
double run_central_wait(uint32_t servers, double load, uint64_t requests, uint64_t warm_up, uint64_t seed)
{
    const double service_ns = 1e6, gap_ns = service_ns / (load * servers);
    struct timer_tree *free_at;
    struct rng gaps, work;
    double now = 0, waited = 0;
    if (timer_tree_create(servers, &free_at) != 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    for (uint32_t i = 0; i < servers; i++)
        timer_tree_set(free_at, i, 0);
    rng_seed(&gaps, seed, 1);
    rng_seed(&work, seed, 2);
    for (uint64_t i = 0; i < warm_up + requests; i++) {
        now += gap_ns * rng_exponential(&gaps);
        const uint64_t arrival = (uint64_t)now, earliest = timer_tree_min_time(free_at);
        const uint64_t start = earliest > arrival ? earliest : arrival;
        timer_tree_set(free_at, timer_tree_min_actor(free_at), start + (uint64_t)(service_ns * rng_exponential(&work)));
        if (i >= warm_up)
            waited += (double)(start - arrival);
    }
    timer_tree_destroy(free_at);
    return waited / (double)requests / 1e6;
}
