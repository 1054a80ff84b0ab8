/* services.c: the world against the laws of queues: what comes must go, Little, M/D/1 and M/M/1. */
#include "services.h"
#include "entries.h"
#include "storage.h"

#include <math.h>

TestSuite(services, .timeout = 120);

struct seen {
    uint64_t sent, ended, good, from, last, kind1;
    double times, area; /* of all that ended; working and waiting over time */
    uint32_t inside;
    uint64_t hash;
};

static void sent(void *context, uint64_t now, uint32_t service)
{
    struct seen *s = context;
    s->sent++;
    s->hash = (s->hash ^ now ^ service) * UINT64_C(0x9e3779b97f4a7c15);
}

static void ended(void *context, uint64_t now, uint64_t began, uint32_t kind, bool success)
{
    struct seen *s = context;
    s->ended++;
    s->good += success;
    s->kind1 += kind;
    s->times += (double)(now - began);
}

static void load(void *context, uint64_t now, uint32_t service, uint32_t working, uint32_t waiting)
{
    struct seen *s = context;
    (void)service;
    s->area += (double)(now - s->last) * s->inside;
    s->last = now;
    s->inside = working + waiting;
}

static struct services one(double load_of, bool exponential)
{
    struct services s = {.seed = 9, .rate = (uint64_t)(1000 * load_of), .until = 1000 * S, .services = 1, .clients = 1};
    s.service[0] = (struct service){.work_ns = MS,
                                    .exponential = exponential,
                                    .workers = 1,
                                    .next = {SERVICES_NONE, SERVICES_NONE},
                                    .queue = {.most = UINT32_MAX},
                                    .timeout_ns = 100 * S,
                                    .breaker = usual(),
                                    .retry = {.most_tries = 3, .base_ns = MS, .cap_ns = MS}};
    return s;
}

static struct seen run(const struct services *s, const struct services_policy *p)
{
    struct seen seen = {0};
    const struct services_hooks hooks = {.context = &seen, .sent = sent, .ended = ended, .load = load};
    cr_assert(services_simulate(s, p, &hooks) == 0);
    return seen;
}

static const struct services_policy bare = {0};

/* Whoever came is answered, or still inside. */
Test(services, conservation)
{
    for (double load_of = 0.3; load_of < 1.5; load_of += 0.2) {
        struct services s = one(load_of, true);
        s.until = 20 * S;
        const struct seen seen = run(&s, &bare);
        cr_assert(seen.sent == seen.ended + seen.inside, "load %.1f: %lu sent, %lu ended, %u inside", load_of,
                  seen.sent, seen.ended, seen.inside);
        cr_assert(seen.good == seen.ended && seen.sent > 0);
    }
}

/* L = lambda W: the mean number inside is the rate times the mean time; but for those who are inside at the end. */
Test(services, little)
{
    for (double load_of = 0.2; load_of < 1; load_of += 0.3) {
        const struct services s = one(load_of, true);
        const struct seen seen = run(&s, &bare);
        const double inside = seen.area / (double)seen.last, by_law = seen.times / (double)seen.last;
        cr_assert(fabs(inside - by_law) <= 0.001 * inside, "load %.1f: %.4f inside, by Little %.4f", load_of, inside,
                  by_law);
    }
}

static void wait_is(bool exponential, double load_of, double expected)
{
    const struct services s = one(load_of, exponential);
    const struct seen seen = run(&s, &bare);
    const double wait = seen.times / (double)seen.ended / (double)MS - 1;
    cr_assert(fabs(wait - expected) <= 0.05 * expected, "load %.1f, %s: waits %.4f, not %.4f", load_of,
              exponential ? "M/M/1" : "M/D/1", wait, expected);
}

Test(services, waits)
{
    for (double load_of = 0.3; load_of < 0.85; load_of += 0.1) {
        wait_is(true, load_of, load_of / (1 - load_of));
        wait_is(false, load_of, load_of / (2 * (1 - load_of)));
    }
}

/* At half its speed a service is one with twice the work. */
Test(services, slow)
{
    struct services slow = one(0.3, false), twice = one(0.3, false);
    slow.troubles = 1;
    slow.trouble[0] = (struct trouble){.from = 0, .length = 2000 * S, .service = 0, .speed_permille = 500};
    twice.service[0].work_ns = 2 * MS;
    const struct seen a = run(&slow, &bare), b = run(&twice, &bare);
    cr_assert(a.sent == b.sent && a.ended == b.ended && fabs(a.times - b.times) <= 1e-6 * b.times);
}

/* Of a thousand tries 250 are lost; three tries of a request all are once in 64. */
Test(services, lost)
{
    struct services s = one(0.2, false);
    s.service[0].timeout_ns = 100 * MS;
    s.troubles = 1;
    s.trouble[0] =
        (struct trouble){.from = 0, .length = 2000 * S, .service = 0, .speed_permille = 1000, .lost_permille = 250};
    const struct services_policy retries = {.retry = entry_named("fixed-retry")->retry};
    const struct seen seen = run(&s, &retries);
    const double failed = 1 - (double)seen.good / (double)seen.ended, tries = (double)seen.sent / (double)seen.ended;
    cr_assert(fabs(failed - 1 / 64.0) < 0.0015, "%.5f fail", failed);
    cr_assert(fabs(tries - (1 + 1 / 4.0 + 1 / 16.0)) < 0.005, "%.4f tries", tries);
}

Test(services, kinds)
{
    struct services s = one(0.5, false);
    s.kind_permille = 200;
    const struct seen seen = run(&s, &bare);
    const double share = (double)seen.kind1 / (double)seen.ended;
    cr_assert(fabs(share - 0.2) < 0.004, "%.4f of kind 1", share);
}

Test(services, same_seed_same_run)
{
    struct services s = one(0.7, true);
    const struct services_policy p = {.breaker = entry_named("count-breaker")->breaker,
                                      .retry = entry_named("full-jitter")->retry,
                                      .queue = entry_named("codel")->queue};
    s.until = 20 * S;
    s.troubles = 1;
    s.trouble[0] = (struct trouble){.from = 5 * S, .length = 5 * S, .service = 0, .speed_permille = 300};
    const struct seen a = run(&s, &p), b = run(&s, &p);
    s.seed++;
    const struct seen c = run(&s, &p);
    cr_assert(a.hash == b.hash && a.good == b.good && a.hash != c.hash);
}

Test(services, out_of_bounds)
{
    const struct services_hooks none = {0};
    for (uint32_t i = 0; i < 6; i++) {
        struct services s = one(0.5, false);
        s.services = i == 0 ? 0 : i == 1 ? SERVICES_MOST + 1 : 1;
        s.rate = i == 2 ? 0 : 1;
        s.clients = i == 3 ? 0 : 1;
        s.service[0].workers = i == 4 ? 0 : 1;
        s.service[0].next[0] = i == 5 ? 0 : SERVICES_NONE; /* itself */
        cr_assert(services_simulate(&s, &bare, &none) == -22, "case %u is taken", i);
    }
}

/* ---- storage ---- */

static struct storage event(void)
{
    return (struct storage){.seed = 4,
                            .servers = 500,
                            .workers = 2,
                            .fetch_ns = 5 * MS,
                            .timeout_ns = 2 * S,
                            .interval_ns = 20 * S,
                            .fault_at = 30 * S,
                            .fault_ns = 3 * S,
                            .until = 120 * S,
                            .retry = {.most_tries = UINT32_MAX, .base_ns = S, .cap_ns = 10 * S}};
}

Test(storage, all_serve_before_and_none_in_the_fault)
{
    const struct storage s = event();
    uint32_t in_service[120];
    struct storage_result r;
    cr_assert(storage_simulate(&s, entry_named("full-jitter")->retry, &r, in_service, 120) == 0);
    for (uint32_t second = 1; second < 120; second++) {
        cr_assert(in_service[second] <= 500);
        if (second < 30)
            cr_assert(in_service[second] == 500, "%u serve in second %u", in_service[second], second);
        if (second > 30 && second < 33)
            cr_assert(in_service[second] == 0, "%u serve in the fault", in_service[second]);
    }
    cr_assert(in_service[119] == 500 && r.healed_ns < 40 * S && r.wasted <= r.fetches);
    cr_assert(r.in_service_ns <= 500 * (s.until - s.fault_at - s.fault_ns));
}

/* Without the time to be told in, none ever serves again. */
Test(storage, too_short_a_time_out)
{
    struct storage s = event();
    struct storage_result r;
    s.fetch_ns = 3 * S;
    s.workers = 1000;
    cr_assert(storage_simulate(&s, entry_named("full-jitter")->retry, &r, NULL, 0) == 0);
    cr_assert(r.healed_ns == UINT64_MAX && r.in_service_ns == 0 && r.wasted == r.fetches);
}

Test(storage, out_of_bounds)
{
    struct storage s = event();
    struct storage_result r;
    s.servers = 0;
    cr_assert(storage_simulate(&s, entry_named("no-retry")->retry, &r, NULL, 0) == -22);
    s = event();
    s.interval_ns = s.timeout_ns;
    cr_assert(storage_simulate(&s, entry_named("no-retry")->retry, &r, NULL, 0) == -22);
}
