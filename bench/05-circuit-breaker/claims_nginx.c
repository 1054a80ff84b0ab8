/* claims_nginx.c: a real nginx on the loopback is killed, started again, and then stopped in the middle of its work. Two
 * who notice, side by side, with a call every 20 ms: another nginx in front of it, with max_fails=3 fail_timeout=1s, and
 * our breaker, which opens at half of the last ten calls, for 0.5 s.
 *
 * Measured here and now, all in one session; without nginx these cannot be told.
 */
#include "parts.h"
#include "runs.h"
#include "upstream.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>

#define MAX_FAILS      3u
#define FAIL_TIMEOUT_S 1u
#define WINDOW         10u
#define FAILURES       5u /* of a full window of 10, to make half of it */
#define OPEN           (S / 2)

/* Of the session with the cure: two. Broken: those that never give up, and those that give up for too long. */
enum { NGINX, BREAKER, NGINX_LONG, BREAKER_LONG, CLIENTS };

static struct cb_breaker_config breaker_config(uint64_t open_ns, uint32_t least_calls)
{
    struct cb_breaker_config c = article_breaker();
    c.window_calls = WINDOW;
    c.least_calls = least_calls;
    c.open_ns = open_ns;
    c.probes = 3;
    c.probes_ns = S;
    return c;
}

static struct {
    struct upstream_client client[CLIENTS];
    char why[200];
    int code; /* of the session; 1: there was none yet */
} session[2] = {{.code = 1}, {.code = 1}};

static const struct upstream_client *client_of(const struct claim_run *run, uint32_t which, struct claim_here *here)
{
    const bool broken = run->broken;
    struct upstream_client *c = session[broken].client;
    if (session[broken].code == 1) {
        const struct cb_breaker_ops *ops = breaker_named("count-breaker");
        c[NGINX] = (struct upstream_client){.max_fails = broken ? 0 : MAX_FAILS, .fail_timeout_s = FAIL_TIMEOUT_S};
        /* It would take more calls than there are. */
        c[BREAKER] =
            (struct upstream_client){.breaker = ops, .config = breaker_config(OPEN, broken ? 100000 : FAILURES)};
        c[NGINX_LONG] = (struct upstream_client){.max_fails = MAX_FAILS, .fail_timeout_s = 60};
        c[BREAKER_LONG] = (struct upstream_client){.breaker = ops, .config = breaker_config(60 * S, FAILURES)};
        session[broken].code =
            upstream_session(c, broken ? CLIENTS : NGINX_LONG, session[broken].why, sizeof session[broken].why);
    }
    if (session[broken].code != 0) {
        *here = (struct claim_here){NAN, NAN, NAN, ""};
        snprintf(here->why, sizeof here->why, "%s", session[broken].why);
        return NULL;
    }
    return &c[which];
}

/* Up to as much as the client was late at worst. What never came took as long as there was. */
static void tell(struct upstream_time t, double otherwise, struct claim_here *here)
{
    const double value = isnan(t.ms) ? otherwise : t.ms;
    *here = (struct claim_here){value, value - t.late, value + t.late, ""};
}

/* of.n: which client. */
static void measure_trip(const struct claim_run *run, struct claim_here *here)
{
    const struct upstream_client *c = client_of(run, run->n, here);
    if (c)
        tell(c->trip, UPSTREAM_OUTAGE_MS, here);
}

static void measure_slow_trip(const struct claim_run *run, struct claim_here *here)
{
    const struct upstream_client *c = client_of(run, run->n, here);
    if (c)
        tell(c->slow_trip, 10 * UPSTREAM_TIMEOUT_MS, here);
}

static void measure_recovery(const struct claim_run *run, struct claim_here *here)
{
    const struct upstream_client *c = client_of(run, run->n, here);
    if (c)
        tell(c->recovery, UPSTREAM_PATIENCE_S * 1000, here);
}

/* A time-out is longer than the spacing: then calls go one after the other. */
static double predict_trip(const struct claim_run *run)
{
    return (run->n == NGINX ? MAX_FAILS : FAILURES) * (double)UPSTREAM_SPACING_MS;
}

static double predict_slow_trip(const struct claim_run *run)
{
    return (run->n == NGINX ? MAX_FAILS : FAILURES) * (double)UPSTREAM_TIMEOUT_MS;
}

/* nginx counts whole seconds, and tries again when more than fail_timeout of them have passed. */
static double predict_recovery(const struct claim_run *run)
{
    const double open_ms = (double)OPEN / (double)MS;
    return (run->n == NGINX ? 1000.0 * (FAIL_TIMEOUT_S + 1) : open_ms) + UPSTREAM_SPACING_MS;
}

#define TIMERS "timers, and a call that takes a while"

static const struct claim claims[] = {
    {.id = "nginx-trips",
     .statement = "The upstream is killed: nginx with max_fails=3 sends it three calls more, at 20 ms from each other.",
     .formula = "max_fails x spacing",
     .unit = "ms",
     .source = "measured",
     .broken = "max_fails=0",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.n = NGINX},
     .predict = predict_trip,
     .measure_here = measure_trip,
     .slack = UPSTREAM_SPACING_MS,
     .slack_why = TIMERS},
    {.id = "live-breaker-trips",
     .statement = "The breaker sends five: half of a window of ten that was full of successes.",
     .formula = "failures until half of the window x spacing",
     .unit = "ms",
     .source = "measured",
     .broken = "a breaker that waits for 100,000 calls",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.n = BREAKER},
     .predict = predict_trip,
     .measure_here = measure_trip,
     .slack = UPSTREAM_SPACING_MS,
     .slack_why = TIMERS},
    {.id = "nginx-heals",
     .statement =
         "The upstream is back: nginx tries it at the latest when its fail_timeout of 1 s has passed, by a clock "
         "that counts whole seconds.",
     .formula = "at most fail_timeout + 1 s + spacing",
     .unit = "ms",
     .source = "measured",
     .broken = "fail_timeout=60s",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.n = NGINX},
     .instead = {.n = NGINX_LONG},
     .predict = predict_recovery,
     .measure_here = measure_recovery,
     .slack = UPSTREAM_SPACING_MS,
     .slack_why = TIMERS},
    {.id = "live-breaker-heals",
     .statement = "The breaker tries it when it has been open for 0.5 s.",
     .formula = "at most open_ns + spacing",
     .unit = "ms",
     .source = "measured",
     .broken = "open for 60 s",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.n = BREAKER},
     .instead = {.n = BREAKER_LONG},
     .predict = predict_recovery,
     .measure_here = measure_recovery,
     .slack = UPSTREAM_SPACING_MS,
     .slack_why = TIMERS},
    {.id = "nginx-slow-trips",
     .statement =
         "The upstream is stopped in the middle of its work, so it takes calls and answers none: each failure now "
         "takes a time-out to be noticed.",
     .formula = "max_fails x time-out",
     .unit = "ms",
     .source = "measured",
     .broken = "max_fails=0",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.n = NGINX},
     .predict = predict_slow_trip,
     .measure_here = measure_slow_trip,
     .slack = UPSTREAM_TIMEOUT_MS,
     .slack_why = TIMERS},
    {.id = "live-breaker-slow-trips",
     .statement = "The same by the breaker.",
     .formula = "failures until half of the window x time-out",
     .unit = "ms",
     .source = "measured",
     .broken = "a breaker that waits for 100,000 calls",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.n = BREAKER},
     .predict = predict_slow_trip,
     .measure_here = measure_slow_trip,
     .slack = UPSTREAM_TIMEOUT_MS,
     .slack_why = TIMERS},
};

const struct claim_part part_nginx = {.claim = claims, .claims = COUNT(claims)};
