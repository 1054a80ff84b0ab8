/* Tests of task 5, shedding: what a service that is asked for twice as much as it can do still does in time. */
#include "adapter.h"
#include "base/memory.h"
#include "check_steps.h"
#include "decided.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY "shedding"

struct count {
    uint64_t from;
    uint64_t requests, good;
};

static void ended(void *context, uint64_t now, uint64_t began, uint32_t kind, bool success)
{
    struct count *c = context;
    (void)now;
    (void)kind;
    c->requests += began >= c->from;
    c->good += began >= c->from && success;
}

/* Requests that succeed, of those from two seconds on. */
static struct count run(const struct services *s)
{
    const struct adapter_header header = {ADAPTER_SERVICES, 0};
    const size_t size = sizeof header + sizeof *s;
    unsigned char *block = xcalloc(1, size);
    struct count c = {.from = 2 * S};
    struct host_outcome o;
    memcpy(block, &header, sizeof header);
    memcpy(block + sizeof header, s, sizeof *s);
    const uint64_t most = 8 * (s->rate * s->until / S + 10000);
    check_host_request((struct host_request){.entry = ENTRY,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(uint64_t),
                                             .records = most,
                                             .least_records = 1},
                       &o);
    free(block);
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "%s at %llu requests/s: %s", ENTRY, (unsigned long long)s->rate, o.sentence);
    const struct services_policy policy = {.queue = decided_read_queue(o.records, o.count)};
    if (services_simulate(s, &policy, &(struct services_hooks){.context = &c, .ended = ended}) != 0)
        check_fail(VERDICT_GRADER_FAULT, "the services could not be run");
    const char *wrong = decided_wrong();
    check_that(!wrong, "%s", wrong ? wrong : "");
    host_outcome_free(&o);
    return c;
}

/* A service that can do 1,000 pieces of work a second. */
static struct services service_of(struct rng *r, uint64_t rate, uint64_t timeout_ns)
{
    struct services s = {
        .seed = rng_next(r), .rate = rate, .until = (check_large() ? 20 : 10) * S, .services = 1, .clients = 1};
    s.service[0] = (struct service){.work_ns = MS,
                                    .exponential = rng_below(r, 2),
                                    .workers = 1,
                                    .next = {SERVICES_NONE, SERVICES_NONE},
                                    .queue = {.most = 2000, .target_ns = 5 * MS, .interval_ns = 100 * MS},
                                    .timeout_ns = timeout_ns};
    return s;
}

CHECK(shedding, goodput)
{
    struct rng r = random_of_test(40);
    double worst = 1;
    uint64_t rate = 0;
    for (uint32_t round = 0; round < 3; round++) {
        struct services s = service_of(&r, 2000, between(&r, 30, 400) * MS);
        if (round == 2) /* it begins with a standstill, and a queue full of work for nobody */
            s.trouble[s.troubles++] = (struct trouble){.from = S, .length = S};
        const struct count c = run(&s);
        const double share = (double)c.good * (double)MS / (double)(s.until - c.from);
        worst = share < worst ? share : worst;
        rate = s.rate;
    }
    check_measured(
        worst > 0.001 ? worst : 0.001,
        "asked for %llu pieces of work a second, a service that can do 1,000 does %.0f in time. What it does "
        "for somebody who has gone is for nothing: which piece of what waits will still find its caller there?",
        (unsigned long long)rate, 1000 * worst);
}

CHECK(shedding, without_overload)
{
    struct rng r = random_of_test(41);
    for (uint32_t round = 0; round < 3; round++) {
        struct services s = service_of(&r, round == 0 ? 100 : 600, round == 2 ? 400 * MS : 100 * MS);
        s.service[0].exponential = round == 2;
        const struct count c = run(&s);
        check_that(
            1000 * c.good >= 995 * c.requests,
            "at %llu requests/s, which a service that can do 1,000 has time for, %llu of %llu succeed; expected: 99.5 "
            "%% at least. Nothing need be thrown away, or left lying, when there is no overload.",
            (unsigned long long)s.rate, (unsigned long long)c.good, (unsigned long long)c.requests);
    }
}
