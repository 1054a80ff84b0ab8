/* claims_counts.c: what can be counted: calls of a request, trips by chance, threads that wait, and who shares them. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/error.h"
#include "base/memory.h"
#include "sim/rng.h"

#define NONE SERVICES_NONE

/* ---- amplification: x services in a row, n tries each ---- */

static double measure_calls(const struct claim_run *run)
{
    const uint32_t layers = (uint32_t)run->x;
    struct services s = article(1, 0, 20 * S, run->seed);
    s.services = layers;
    for (uint32_t i = 0; i < layers; i++) {
        s.service[i] = s.service[0];
        s.service[i].retry.most_tries = run->n;
        s.service[i].next[0] = i + 1 < layers ? i + 1 : NONE;
    }
    s.service[layers - 1].queue.most = 0; /* refuses all */
    struct seen seen = see(&s, "fixed-retry");
    const double calls = (double)seen.tries / (double)seen.requests;
    seen_free(&seen);
    return calls;
}

static double predict_calls(const struct claim_run *run)
{
    return theory_amplification(run->n, (uint32_t)run->x);
}

/* ---- breakers and chance: n calls, of which each fails with probability x ---- */

#define TRIALS 4000u

static void *breaker_of(const struct cb_breaker_ops *ops, const struct cb_breaker_config *c)
{
    void *breaker;
    if (ops->create(c, &breaker) != 0)
        error_exit(EXIT_CANNOT_TELL, "a breaker could not be made");
    return breaker;
}

static void call(const struct cb_breaker_ops *ops, void *breaker, uint64_t now, bool fails)
{
    const struct cb_permit p = ops->allow(breaker, now);
    if (p.allowed)
        ops->record(breaker, p.ticket, now, fails ? CB_ERROR : CB_SUCCESS, 0);
}

static double measure_false_trips(const struct claim_run *run)
{
    const struct cb_breaker_ops *ops = breaker_named(run->entry);
    struct cb_breaker_config c = article_breaker();
    struct rng random;
    uint32_t trips = 0;
    rng_seed(&random, run->seed, 1);
    c.window_calls = c.least_calls = run->n;
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        void *breaker = breaker_of(ops, &c);
        for (uint32_t i = 0; i < run->n; i++)
            call(ops, breaker, S, rng_double(&random) < run->x);
        trips += ops->state(breaker) == CB_OPEN;
        ops->destroy(breaker);
    }
    return 100.0 * trips / TRIALS;
}

static double predict_false_trips(const struct claim_run *run)
{
    return 100 * theory_at_least(run->n, run->x, (run->n + 1) / 2);
}

/* n probes, of a service that still fails with probability x. One that fails is too many. */
static double measure_wrong_closing(const struct claim_run *run)
{
    const struct cb_breaker_ops *ops = breaker_named(run->entry);
    struct cb_breaker_config c = article_breaker();
    struct rng random;
    uint32_t closed = 0;
    rng_seed(&random, run->seed, 2);
    c.window_calls = c.least_calls = 1;
    c.failure_percent = 1;
    c.probes = run->n;
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        void *breaker = breaker_of(ops, &c);
        call(ops, breaker, S, true);
        for (uint32_t i = 0; i < run->n; i++)
            call(ops, breaker, S + c.open_ns, rng_double(&random) < run->x);
        closed += ops->state(breaker) == CB_CLOSED;
        ops->destroy(breaker);
    }
    return 100.0 * closed / TRIALS;
}

static double predict_wrong_closing(const struct claim_run *run)
{
    return 100 * theory_at_least(run->n, 1 - run->x, run->n);
}

/* ---- threads that wait: x calls a second of a service that never answers, each for n seconds ---- */

#define SETTLED 10u /* seconds, and those of a time-out, before it is looked at */

static double measure_blocked(const struct claim_run *run)
{
    const uint64_t wait = run->n * S, from = wait + SETTLED * S;
    struct services s = article(run->x, 0, from + 100 * S, run->seed);
    s.services = 2;
    s.service[0].workers = 100000;
    s.service[0].timeout_ns = 4 * wait;
    s.service[0].retry.most_tries = 1;
    s.service[1] = s.service[0];
    s.service[0].next[0] = 1;
    s.service[1].timeout_ns = wait;
    s.trouble[s.troubles++] = (struct trouble){.from = 0, .length = s.until, .service = 1};
    struct seen seen = see_from(&s, run->entry, from);
    const double blocked = seen.busy_ns / (double)(seen.last - from);
    seen_free(&seen);
    return blocked;
}

static double predict_blocked(const struct claim_run *run)
{
    return theory_little(run->x, run->n);
}

/* ---- bulkheads: one front service for all, or n = 2, one for each kind ---- */

#define WORKERS 16u

/* Half of the requests need a service that is dead. Whoever calls waits for it, and holds a worker of the front. */
static struct services two_kinds(uint32_t fronts, uint64_t seed)
{
    struct services s = article(100, 0, 60 * S, seed);
    enum { GATE, FRONT, OTHER_FRONT, ALIVE, DEAD };
    s.services = 5;
    s.kind_permille = 500;
    for (uint32_t i = 1; i < s.services; i++)
        s.service[i] = s.service[0];
    for (uint32_t i = 0; i < s.services; i++) {
        s.service[i].retry.most_tries = 1;
        s.service[i].workers = i == GATE ? 100000 : WORKERS / fronts;
        s.service[i].timeout_ns = i == GATE ? 3 * S : i <= OTHER_FRONT ? 2 * S : S;
    }
    s.service[GATE].work_ns = 0;
    s.service[GATE].next[0] = FRONT;
    s.service[GATE].next[1] = fronts == 2 ? OTHER_FRONT : FRONT;
    for (uint32_t i = FRONT; i <= OTHER_FRONT; i++) {
        s.service[i].next[0] = ALIVE;
        s.service[i].next[1] = DEAD;
    }
    s.trouble[s.troubles++] = (struct trouble){.from = 0, .length = s.until, .service = DEAD};
    return s;
}

static double measure_healthy(const struct claim_run *run)
{
    const struct services s = two_kinds(run->n, run->seed);
    struct seen seen = see(&s, "fixed-retry");
    const double share = 100.0 * (double)seen.good_by_kind[0] / (double)seen.by_kind[0];
    seen_free(&seen);
    return share;
}

static const struct claim claims[] = {
    {.id = "amplification",
     .statement =
         "Three services in a row, each of which tries four times: when the last one fails, one request becomes "
         "64 calls of it.",
     .formula = "tries^layers",
     .unit = "calls a request",
     .source = "counted",
     .broken = "one try in each",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.x = 3, .n = 4},
     .instead = {.n = 1},
     .predict = predict_calls,
     .measure = measure_calls},
    {.id = "false-trips",
     .statement =
         "With a window of 10 calls a service that fails one call in five, as it always did, opens a breaker at "
         "50 % once in 30 windows.",
     .formula = "P(Bin(10, 0.2) >= 5)",
     .unit = "% of windows",
     .source = "counted",
     .broken = "a window of 100",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "count-breaker", .x = 0.2, .n = 10},
     .instead = {.n = 100},
     .predict = predict_false_trips,
     .measure = measure_false_trips},
    {.id = "wrong-closing",
     .statement = "Five probes of a service that still fails half of its calls close the breaker once in 32 times.",
     .formula = "q^k",
     .unit = "% of attempts",
     .source = "counted",
     .broken = "one probe",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "count-breaker", .x = 0.5, .n = 5},
     .instead = {.n = 1},
     .predict = predict_wrong_closing,
     .measure = measure_wrong_closing},
    {.id = "blocked-threads",
     .statement = "100 requests/s that need a dead service hold 3,000 threads, if each gives up after 30 s.",
     .formula = "rate x time-out",
     .unit = "threads",
     .source = "simulated",
     .broken = "a breaker before the dead service",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "fixed-retry", .x = 100, .n = 30},
     .instead = {.entry = "count-breaker"},
     .predict = predict_blocked,
     .measure = measure_blocked},
    {.id = "bulkhead",
     .statement = "Half of the requests need a dead service. With workers of their own they can't hold those that the "
                  "other half needs: of it all are answered.",
     .formula = "100",
     .unit = "% of the others",
     .source = "simulated",
     .broken = "as many workers, shared",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.n = 2},
     .instead = {.n = 1},
     .predicted = 100,
     .measure = measure_healthy},
};

const struct claim_part part_counts = {.claim = claims, .claims = COUNT(claims)};
