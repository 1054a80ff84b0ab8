/* runs.c: the experiments of lab 05. */
#include "runs.h"

#include "base/memory.h"
#include "host/trusted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *reference;

void runs_load(void)
{
    reference = trusted_reference("05-circuit-breaker", EXIT_CANNOT_TELL);
}

/* ---- entries ---- */

static const struct cb_ops *find(const char *name)
{
    const struct cb_ops *ops = plugin_find(reference, name);
    if (!ops)
        error_exit(EXIT_CANNOT_TELL, "the reference has no entry %s", name);
    return ops;
}

const struct cb_breaker_ops *breaker_named(const char *name)
{
    return find(name)->breaker;
}

const struct cb_retry_ops *retry_named(const char *name)
{
    return find(name)->retry;
}

struct services_policy policy_named(const char *entry)
{
    struct services_policy p = {.retry = retry_named("fixed-retry")};
    char names[100], *rest = NULL;
    snprintf(names, sizeof names, "%s", entry);
    for (char *name = strtok_r(names, "+", &rest); name; name = strtok_r(NULL, "+", &rest)) {
        const struct cb_ops *ops = find(name);
        p.breaker = ops->breaker ? ops->breaker : p.breaker;
        p.retry = ops->retry ? ops->retry : p.retry;
        p.queue = ops->queue ? ops->queue : p.queue;
    }
    return p;
}

/* ---- scenarios ---- */

struct cb_breaker_config article_breaker(void)
{
    return (struct cb_breaker_config){.window_calls = 700,
                                      .window_ns = S,
                                      .slices = 10,
                                      .least_calls = 20,
                                      .failure_percent = 50,
                                      .slow_percent = 100,
                                      .slow_ns = UINT64_MAX,
                                      .open_ns = 2 * S,
                                      .probes = 20,
                                      .probes_ns = 2 * S};
}

struct services article(double rate, uint64_t down, uint64_t after, uint64_t seed)
{
    struct services s = {.seed = seed,
                         .rate = (uint64_t)rate,
                         .until = FAULT_AT + down + after,
                         .services = 1,
                         .troubles = down > 0,
                         .clients = 1,
                         .trouble = {{.from = FAULT_AT, .length = down, .service = 0, .speed_permille = 0}}};
    s.service[0] = (struct service){.work_ns = MS,
                                    .workers = 1,
                                    .next = {SERVICES_NONE, SERVICES_NONE},
                                    .queue = {.most = UINT32_MAX, .target_ns = 5 * MS, .interval_ns = 100 * MS},
                                    .timeout_ns = TIMEOUT,
                                    .breaker = article_breaker(),
                                    .retry = {.most_tries = TRIES, .budget_percent = 10, .budget_most = 10}};
    return s;
}

/* ---- looking on ---- */

static uint32_t step_of(const struct seen *seen, uint64_t now)
{
    const uint64_t step = now / STEP;
    return step < seen->steps ? (uint32_t)step : seen->steps - 1;
}

static void sent(void *context, uint64_t now, uint32_t service)
{
    struct seen *seen = context;
    if (service != seen->last_service)
        return;
    seen->tries++;
    seen->sent[step_of(seen, now)]++;
}

static void refused(void *context, uint64_t now, uint32_t service, bool by_breaker)
{
    struct seen *seen = context;
    (void)service;
    if (by_breaker)
        seen->refused[step_of(seen, now)]++;
}

static void ended(void *context, uint64_t now, uint64_t began, uint32_t kind, bool success)
{
    struct seen *seen = context;
    (void)began;
    seen->requests++;
    seen->successes += success;
    seen->by_kind[kind]++;
    seen->good_by_kind[kind] += success;
    (success ? seen->good : seen->bad)[step_of(seen, now)]++;
}

static void load(void *context, uint64_t now, uint32_t service, uint32_t working, uint32_t waiting)
{
    struct seen *seen = context;
    (void)waiting;
    if (service != 0)
        return;
    const uint64_t from = seen->last > seen->busy_from ? seen->last : seen->busy_from;
    if (now > from)
        seen->busy_ns += (double)(now - from) * seen->working;
    seen->last = now;
    seen->working = working;
}

struct seen see_from(const struct services *s, const char *entry, uint64_t busy_from)
{
    struct seen seen = {
        .steps = (uint32_t)(s->until / STEP + 1), .busy_from = busy_from, .last_service = s->services - 1};
    const struct services_policy p = policy_named(entry);
    const struct services_hooks h = {.context = &seen, .sent = sent, .refused = refused, .ended = ended, .load = load};
    seen.sent = xcalloc(seen.steps, sizeof *seen.sent);
    seen.good = xcalloc(seen.steps, sizeof *seen.good);
    seen.bad = xcalloc(seen.steps, sizeof *seen.bad);
    seen.refused = xcalloc(seen.steps, sizeof *seen.refused);
    const int code = services_simulate(s, &p, &h);
    if (code)
        error_exit(EXIT_CANNOT_TELL, "services under %s could not be run: %s", entry, strerror(-code));
    return seen;
}

struct seen see(const struct services *s, const char *entry)
{
    return see_from(s, entry, s->until);
}

void seen_free(struct seen *seen)
{
    free(seen->sent);
    free(seen->good);
    free(seen->bad);
    free(seen->refused);
}

double healed(const struct seen *seen, uint64_t at)
{
    const uint32_t first = (uint32_t)(at / STEP);
    uint32_t well = seen->steps - 1;
    while (well > first && 9 * seen->bad[well - 1] <= seen->good[well - 1] &&
           seen->good[well - 1] + seen->bad[well - 1] > 0)
        well--;
    return (well - first) * (double)STEP / (double)S;
}

static double rate_at_end(const struct seen *seen, const uint32_t *of, uint32_t seconds)
{
    const uint32_t steps = (uint32_t)(seconds * S / STEP);
    double sum = 0;
    for (uint32_t i = 0; i < steps; i++)
        sum += of[seen->steps - 2 - i];
    return sum / seconds;
}

double goodput_at_end(const struct seen *seen, uint32_t seconds)
{
    return rate_at_end(seen, seen->good, seconds);
}

double answered_at_end(const struct seen *seen, uint32_t seconds)
{
    const double good = rate_at_end(seen, seen->good, seconds), bad = rate_at_end(seen, seen->bad, seconds);
    return 100 * good / (good + bad);
}

double load_at_end(const struct seen *seen, uint32_t seconds)
{
    return rate_at_end(seen, seen->sent, seconds);
}

/* ---- does it work off what waits? ---- */

struct watch {
    uint64_t end; /* of the standstill */
    uint32_t most, waiting;
    bool known;
};

static void watch_load(void *context, uint64_t now, uint32_t service, uint32_t working, uint32_t waiting)
{
    struct watch *w = context;
    (void)service, (void)working;
    w->waiting = waiting;
    w->known = w->known || (now > w->end && (waiting == 0 || waiting > w->most));
}

static bool watch_on(void *context)
{
    return !((const struct watch *)context)->known;
}

bool works_off(const struct services *s, const char *entry, uint32_t most)
{
    struct watch w = {.end = s->trouble[0].from + s->trouble[0].length, .most = most};
    const struct services_policy p = policy_named(entry);
    const int code =
        services_simulate(s, &p, &(struct services_hooks){.context = &w, .load = watch_load, .go_on = watch_on});
    if (code)
        error_exit(EXIT_CANNOT_TELL, "services under %s could not be run: %s", entry, strerror(-code));
    return w.waiting <= most / 2;
}

/* ---- 2015 ---- */

/* A thousand servers, of which 258 can be told a second: to tell all of them takes 3.9 s, and one of them waits for 2. */
struct storage event_2015(bool at_once, uint64_t seed)
{
    return (struct storage){.seed = seed,
                            .servers = 1000,
                            .workers = 4,
                            .fetch_ns = 15500 * (MS / 1000),
                            .timeout_ns = 2 * S,
                            .interval_ns = 20 * S,
                            .fault_at = 60 * S,
                            .fault_ns = 5 * S,
                            .until = 300 * S,
                            .retry = {.most_tries = UINT32_MAX, .base_ns = at_once ? 0 : 2 * S, .cap_ns = 60 * S}};
}

struct storage_result store(const struct storage *storage, const char *entry, uint32_t *in_service, uint32_t seconds)
{
    struct storage_result result;
    const int code = storage_simulate(storage, retry_named(entry), &result, in_service, seconds);
    if (code)
        error_exit(EXIT_CANNOT_TELL, "storage servers under %s could not be run: %s", entry, strerror(-code));
    return result;
}
