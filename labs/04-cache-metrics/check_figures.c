/* Tests of task 4, the right figures from a log. The rules of README.md in their most literal form, and exact. */
#include "adapter.h"
#include "base/memory.h"
#include "check_requests.h"
#include "grade/check_list.h"
#include "sim/ns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY "figures"

/* ---- what is right ---- */

static int by_latency(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

static uint64_t percentile_99(const struct cm_event *e, uint32_t n)
{
    uint64_t *latency = xcalloc(n + 1, sizeof *latency);
    for (uint32_t i = 0; i < n; i++)
        latency[i] = e[i].latency_ns;
    qsort(latency, n, sizeof *latency, by_latency);
    uint64_t rank = (99 * (uint64_t)n + 99) / 100; /* rounded up, counted from 1 */
    const uint64_t p99 = n > 0 ? latency[rank - 1] : 0;
    free(latency);
    return p99;
}

static struct cm_figures figures_of(const struct cm_event *e, uint32_t n, const struct cm_period *p)
{
    struct cm_figures f = {0};
    uint32_t first = 0;
    while (first < n && e[first].time < p->from)
        first++;
    for (uint32_t i = first, next; i < n; i = next) { /* window by window */
        const uint64_t window = (e[i].time - p->from) / p->window;
        uint64_t requests = 0, hits = 0, work = 0;
        for (next = i; next < n && (e[next].time - p->from) / p->window == window; next++) {
            const bool hit = e[next].outcome == CM_FRESH, fetched = e[next].outcome == CM_FETCHED;
            requests++;
            hits += hit;
            work += fetched ? e[next].cost_us : 0;
            f.bytes += e[next].size;
            f.bytes_hit += hit ? e[next].size : 0;
            f.work_us += e[next].cost_us;
            f.work_avoided_us += fetched ? 0 : e[next].cost_us;
            f.latency_ns += e[next].latency_ns;
        }
        f.requests += requests;
        f.hits += hits;
        if (f.worst_requests == 0 || hits * f.worst_requests < f.worst_hits * requests)
            f.worst_requests = requests, f.worst_hits = hits;
        f.busiest_work_us = work > f.busiest_work_us ? work : f.busiest_work_us;
    }
    f.p99_ns = percentile_99(e + first, n - first);
    return f;
}

/* ---- one run ---- */

static bool same(FILE *why, const char *what, uint64_t expected, uint64_t actual)
{
    if (expected != actual)
        fprintf(why, "expected: %s = %" PRIu64 "; actual: %" PRIu64, what, expected, actual);
    return expected == actual;
}

static bool figures_are_right(const struct cm_figures *e, const struct cm_figures *a, FILE *why)
{
    return same(why, "requests", e->requests, a->requests) && same(why, "hits", e->hits, a->hits) &&
           same(why, "bytes", e->bytes, a->bytes) && same(why, "bytes_hit", e->bytes_hit, a->bytes_hit) &&
           same(why, "work_us", e->work_us, a->work_us) &&
           same(why, "work_avoided_us", e->work_avoided_us, a->work_avoided_us) &&
           same(why, "latency_ns", e->latency_ns, a->latency_ns) && same(why, "p99_ns", e->p99_ns, a->p99_ns) &&
           same(why, "worst_requests", e->worst_requests, a->worst_requests) &&
           same(why, "worst_hits", e->worst_hits, a->worst_hits) &&
           same(why, "busiest_work_us", e->busiest_work_us, a->busiest_work_us);
}

struct log_check {
    struct cm_period period;
    uint32_t rounds;
};

static uint32_t wrong_step(const void *context, const void *steps, uint32_t n, struct host_outcome *o, FILE *why)
{
    const struct log_check *c = context;
    const struct cm_period *period = &c->period;
    const struct adapter_header header = {ADAPTER_EVENTS, 0};
    const size_t size = sizeof header + sizeof(struct events) + n * sizeof(struct cm_event);
    unsigned char *block = xcalloc(1, size);
    struct events *events = (struct events *)(block + sizeof header);
    memcpy(block, &header, sizeof header);
    *events = (struct events){.period = *period, .count = n, .rounds = c->rounds};
    memcpy(events->event, steps, n * sizeof(struct cm_event));
    check_host_request((struct host_request){.entry = ENTRY,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(struct cm_figures),
                                             .records = 1,
                                             .data_bytes = c->rounds > 1 ? small_memory() : 0},
                       o);
    free(block);
    if (o->count != 1)
        return fputs("there are no figures", why), n - 1;
    const struct cm_figures expected = figures_of(steps, n, period);
    return figures_are_right(&expected, o->records, why) ? n : n - 1;
}

static void print(const void *context, const void *steps, uint32_t last, const struct host_outcome *o, FILE *out)
{
    static const char *const outcome[] = {"fresh", "stale", "waited", "fetched"};
    const struct cm_event *e = steps;
    (void)context;
    (void)o;
    for (uint32_t i = 0; i <= last; i++) {
        if (!check_list_shows(out, i, last + 1))
            continue;
        fprintf(out, "%4u. at ", i + 1);
        ns_print(out, e[i].time);
        fprintf(out, ": %s after ", outcome[e[i].outcome]);
        ns_print(out, e[i].latency_ns);
        fprintf(out, ", size %u, cost %u us\n", e[i].size, e[i].cost_us);
    }
}

static void check_rounds(struct cm_event *e, uint32_t n, struct cm_period period, uint32_t rounds, const char *lesson)
{
    const struct log_check c = {period, rounds};
    char *about = NULL;
    size_t size;
    FILE *out = open_memstream(&about, &size);
    if (!out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    fputs("a log whose windows of ", out);
    ns_print(out, period.window);
    fputs(" begin at ", out);
    ns_print(out, period.from);
    fclose(out);
    check_list(&(struct check_list){about, lesson, sizeof *e, &c, wrong_step, print}, e, n);
    free(about);
    free(e);
}

static void check(struct cm_event *e, uint32_t n, struct cm_period period, const char *lesson)
{
    check_rounds(e, n, period, 1, lesson);
}

/* ---- logs ---- */

static struct cm_event *random_log(struct rng *r, uint32_t n, uint64_t step, uint32_t outcomes)
{
    struct cm_event *e = xcalloc(n + 1, sizeof *e);
    uint64_t now = 0;
    for (uint32_t i = 0; i < n; i++) {
        const bool dear = rng_below(r, 20) == 0;
        const uint32_t cost = dear ? between(r, 100000, 40000000) : between(r, 0, 2000);
        const uint32_t outcome = rng_below(r, 3) ? CM_FRESH : outcomes == 2 ? CM_FETCHED : rng_below(r, outcomes);
        now += rng_next(r) % (step + 1);
        e[i] =
            (struct cm_event){now,
                              outcome == CM_FETCHED ? 1000 * (uint64_t)cost + between(r, 1, 900) : between(r, 1, 900),
                              between(r, 1, UINT32_MAX - 1),
                              cost,
                              dear,
                              outcome};
    }
    return e;
}

/* Windows of `requests` each, `hits` of them: in each the hits come first. */
static void check_ratios(const uint32_t (*window)[2], uint32_t windows)
{
    uint32_t n = 0, k = 0;
    for (uint32_t i = 0; i < windows; i++)
        n += window[i][0];
    struct cm_event *e = xcalloc(n, sizeof *e);
    for (uint32_t i = 0; i < windows; i++)
        for (uint32_t j = 0; j < window[i][0]; j++)
            e[k++] = (struct cm_event){i * UINT64_C(10000) + j, 1, 1, 1, 0, j < window[i][1] ? CM_FRESH : CM_FETCHED};
    check(e, n, (struct cm_period){0, 10000},
          "Of windows whose ratios are equal the first is the worst; products tell.");
}

static uint32_t length(struct rng *r)
{
    return check_large() ? between(r, 2000, 20000) : between(r, 200, 1500);
}

CHECK(figures, sums)
{
    struct rng r = random_of_test(40);
    const char *lesson = "Ratios are not averaged: sums are divided by sums, each request by its bytes, or its work.";
    for (uint32_t n = 1; n <= 3; n++)
        check(random_log(&r, n, 5, 2), n, (struct cm_period){0, UINT64_MAX}, lesson);
    const uint32_t round[] = {99, 100, 101, 200, 201};
    for (uint32_t i = 0; i < COUNT(round); i++)
        check(random_log(&r, round[i], 1000, 2), round[i], (struct cm_period){0, UINT64_MAX},
              "p99 is the latency of the request with the rank 99 n / 100, rounded up, from the fastest on.");
    const uint32_t n = length(&r);
    check(random_log(&r, n, 1000, 2), n, (struct cm_period){0, UINT64_MAX}, lesson);
    check_rounds(random_log(&r, 40, 1000, 4), 40, (struct cm_period){0, 5000}, 20000,
                 "Asked 20,000 times, in little memory: what it took it gives back.");
    struct cm_event *e = random_log(&r, 300, 1000, 2);
    for (uint32_t i = 0; i < 300; i++) { /* an hour of work each, and minutes until it is answered */
        e[i].latency_ns = e[i].latency_ns << 8 | i % 256;
        e[i].cost_us = UINT32_MAX - i;
    }
    check(e, 300, (struct cm_period){0, UINT64_MAX}, "Neither sums nor latencies fit into 32 bits.");
}

CHECK(figures, labels)
{
    struct rng r = random_of_test(41);
    for (uint32_t round = 0; round < 3; round++) {
        const uint32_t n = length(&r);
        check(random_log(&r, n, 1000, 4), n, (struct cm_period){0, UINT64_MAX},
              "What was stale, or waited for, is no hit; and yet the origin did no work for it.");
    }
}

static struct cm_event asked(uint64_t time, uint32_t outcome)
{
    return (struct cm_event){.time = time, .latency_ns = 10, .size = 1, .cost_us = 7, .outcome = outcome};
}

/* Equal ratios of different counts, in windows that are 2^32 apart, and quiet ones between them. */
static void check_equal_ratios(void)
{
    const uint64_t from = 1000, window = 50, far = UINT64_C(1) << 32;
    const uint64_t at[] = {0, 10, 50, 60, 70, 80, 3 * 50 + far, 4 * 50 + far};
    struct cm_event *e = xcalloc(8, sizeof *e);
    for (uint32_t i = 0; i < 8; i++) /* 1 of 2, then 2 of 4, then two windows with a hit each */
        e[i] = asked(from + at[i], i >= 6 || i % 2 ? CM_FRESH : CM_FETCHED);
    check(e, 8, (struct cm_period){from, window}, "Of windows with equal ratios the first is the worst.");
    e = xcalloc(4, sizeof *e);
    e[0] = asked(0, CM_FRESH);
    e[1] = asked(1, CM_FETCHED);
    e[2] = asked(window * far, CM_FETCHED);
    e[3] = asked(window * far + 1, CM_FETCHED);
    check(e, 4, (struct cm_period){0, window}, "Windows have numbers of 64 bits.");
}

CHECK(figures, windows)
{
    struct rng r = random_of_test(42);
    check_equal_ratios();
    for (uint32_t round = 0; round < 6; round++) {
        const uint32_t n = length(&r);
        /* round 4: windows of a nanosecond, more than 2^32 of them, most of them empty */
        struct cm_event *e = random_log(&r, n, round == 4 ? UINT64_C(1) << 33 : 1000, round % 2 ? 4 : 2);
        const uint64_t middle = e[n / 4].time;
        check(
            e, n,
            (struct cm_period){round == 0   ? 0
                               : round == 5 ? UINT64_MAX / 2 /* nothing is left */
                                            : middle,
                               round == 4 ? 1 : 400 * (uint64_t)between(&r, 1, 100)},
            "Windows begin at `from`; what was asked before is warm-up, and counts nowhere. A window without requests "
            "is not the worst one.");
    }
    check_ratios((const uint32_t[][2]){{3, 2}, {2, 1}, {4, 2}, {6, 3}}, 4);
    check_ratios((const uint32_t[][2]){{2, 2}, {3, 0}, {5, 0}, {1, 0}}, 4);
    check_ratios((const uint32_t[][2]){{1000, 309}, {1000, 301}, {1000, 308}}, 3);
    check_ratios((const uint32_t[][2]){{4142, 2761}, {4139, 2759}}, 2); /* the same float */
    struct cm_event *e = xcalloc(2, sizeof *e);
    e[0] = (struct cm_event){5, 1, 1, 1, 0, CM_FETCHED};
    e[1] = (struct cm_event){5 + (UINT64_C(10) << 32), 1, 1, 1, 0, CM_FRESH};
    check(e, 2, (struct cm_period){0, 10}, "The number of a window fits into no 32 bits.");
}
