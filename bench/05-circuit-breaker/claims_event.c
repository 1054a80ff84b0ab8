/* claims_event.c: 20 September 2015. A network fault of seconds makes a thousand storage servers ask for their membership
 * at the same moment. 258 can be told a second, and each waits for 2 s. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <stdlib.h>

/* Ninety seconds after the fault the service takes no requests for 10 s. */
static struct storage paused(struct storage s)
{
    s.pause_at = s.fault_at + s.fault_ns + 90 * S;
    s.pause_ns = 10 * S;
    return s;
}

static struct storage event_of(const struct claim_run *run)
{
    const struct storage s = event_2015(run->x > 0, run->seed);
    return run->n ? paused(s) : s;
}

static double measure_in_service(const struct claim_run *run)
{
    const struct storage s = event_of(run);
    const uint32_t seconds = (uint32_t)(s.until / S);
    uint32_t *in_service = xcalloc(seconds, sizeof *in_service);
    store(&s, run->entry, in_service, seconds);
    const double last = in_service[seconds - 1];
    free(in_service);
    return last;
}

/* Of all that the metadata service worked on, from the fault on, for nobody. What it did before the fault is taken off. */
static double measure_wasted(const struct claim_run *run)
{
    struct storage s = event_of(run), before = s;
    before.until = s.fault_at + s.fault_ns;
    const struct storage_result all = store(&s, run->entry, NULL, 0), first = store(&before, run->entry, NULL, 0);
    return 100 * (double)(all.wasted - first.wasted) / (double)(all.fetches - first.fetches);
}

/* Seconds from the end of the fault, or of the pause, until all are back; what never is counts until the end. */
static double measure_back(const struct claim_run *run)
{
    const struct storage s = event_of(run);
    const struct storage_result r = store(&s, run->entry, NULL, 0);
    const uint64_t from = run->n ? s.pause_at + s.pause_ns : s.fault_at + s.fault_ns;
    const uint64_t well = r.healed_ns == UINT64_MAX ? s.until : s.fault_at + r.healed_ns;
    return well > from ? (double)(well - from) * 1e-9 : 0;
}

static double predict_all_told(const struct claim_run *run)
{
    const struct storage s = event_of(run);
    return 0.99 * s.servers * (double)s.fetch_ns / s.workers * 1e-9;
}

/* A server's k-th failure takes a time-out, and its wait is at most base 2^(k-1). So many failures that without any wait
 * they would outlast the fault are the most that it can have. */
static double predict_jitter(const struct claim_run *run)
{
    const struct storage s = event_of(run);
    uint64_t last = 0, wait = s.retry.base_ns;
    for (uint64_t k = 1; (k - 1) * s.timeout_ns < s.fault_ns; k++, wait *= 2)
        last += s.timeout_ns + wait;
    return (double)(last - s.fault_ns) * 1e-9;
}

#define NAIVE "fixed-retry"

static const struct claim claims[] = {
    {.id = "event-2015",
     .statement =
         "A thousand servers that ask again at once when they were not told in time: four minutes after a fault "
         "of 5 s none is in service.",
     .formula = "0: to tell all of them takes 3.9 s, nearly two time-outs, and asking again adds as much again",
     .unit = "of 1,000 servers",
     .source = "simulated",
     .broken = "full jitter",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = NAIVE, .x = 1},
     .instead = {.entry = "full-jitter", .x = -1},
     .predicted = 0,
     .measure = measure_in_service},
    {.id = "event-2015-paused",
     .statement =
         "Requests are refused for 10 s and what waits is thrown away: then all are told in as long as that takes.",
     .formula = "0.99 servers x work / workers",
     .unit = "s after the pause",
     .source = "simulated",
     .broken = "no pause",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = NAIVE, .x = 1, .n = 1},
     .instead = {.entry = "exponential", .x = -1},
     .predict = predict_all_told,
     .measure = measure_back,
     .slack = 0.2,
     .slack_why = "in the first moment fewer ask than can be told"},
    {.id = "event-2015-jitter",
     .statement =
         "Had they waited up to a time-out, then up to two, then up to four, nobody would have had to step in.",
     .formula = "at most the sum of T + T 2^(k-1) over the failures that fit into the fault, and one",
     .unit = "s after the fault",
     .source = "simulated",
     .broken = "at once",
     .relation = CLAIM_AT_MOST,
     .seeds = 16,
     .of = {.entry = "full-jitter", .x = -1},
     .instead = {.entry = NAIVE, .x = 1},
     .predict = predict_jitter,
     .measure = measure_back},
    {.id = "event-2015-wasted",
     .statement =
         "All the while the metadata service is fully busy, and nearly all of its work is for servers that have "
         "given up.",
     .formula = "at least 95",
     .unit = "% of its work",
     .source = "counted",
     .broken = "full jitter",
     .relation = CLAIM_AT_LEAST,
     .seeds = 16,
     .of = {.entry = NAIVE, .x = 1},
     .instead = {.entry = "full-jitter", .x = -1},
     .predicted = 95,
     .measure = measure_wasted},
};

const struct claim_part part_event = {.claim = claims, .claims = COUNT(claims)};
