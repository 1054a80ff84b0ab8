/* fleet_stories.c: small fleets by hand, event by event.
 *
 * A story is a few recorded requests, the servers they are sent to, and a few changes; the policy writes down all that
 * it is told. Speeds are 1e9 units a second, so that a request of work 10 takes 10 ns, and every number can be checked
 * with a pencil. A line is "time: what":
 *
 *     0: join 0 w1         server 0 joins with weight 1, or has it from now on    5: leave 0
 *     5: pick 0            a request comes and is sent to server 0
 *     9: ok 0 4            it ended at server 0 after 4 ns; also error, refused, timeout
 *     9: load 0 3          server 0 reports that it holds 3                       9: idle 0
 */
#include "fleet.h"

#include "base/error.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

TestSuite(fleet_stories, .timeout = 20);

enum { MOST = 16 };

struct request {
    uint64_t at;
    double work;
    uint32_t to;
};

struct story {
    struct request request[MOST]; /* up to the first with work 0 */
    uint32_t told;                /* how many have come */
    uint32_t picked;
    bool reports, idle;
    struct fleet_result result;
    size_t length;
    char text[4000];
};

static __attribute__((format(printf, 2, 3))) void tell(struct story *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(s->text + s->length, sizeof s->text - s->length, format, args);
    va_end(args);
    cr_assert(n >= 0 && s->length + (size_t)n < sizeof s->text, "the story is too long");
    s->length += (size_t)n;
}

static int next(void *context, uint64_t *at, double *work)
{
    struct story *s = context;
    const struct request *r = &s->request[s->told];
    if (s->told == MOST || r->work == 0)
        return 0;
    *at = r->at;
    *work = r->work;
    s->told++;
    return 1;
}

static void member(void *context, uint32_t balancer, uint32_t server, bool joins, uint32_t weight, uint64_t now)
{
    (void)balancer;
    if (joins)
        tell(context, "%" PRIu64 ": join %u w%u\n", now, server, weight);
    else
        tell(context, "%" PRIu64 ": leave %u\n", now, server);
}

static uint32_t pick(void *context, uint32_t balancer, uint64_t now)
{
    struct story *s = context;
    const uint32_t to = s->request[s->picked++].to;
    (void)balancer;
    tell(s, "%" PRIu64 ": pick %u\n", now, to);
    return to;
}

static void done(void *context, uint32_t balancer, uint32_t server, enum lb_outcome outcome, uint64_t latency,
                 uint64_t now)
{
    static const char *const how[] = {"ok", "error", "refused", "timeout"};
    (void)balancer;
    tell(context, "%" PRIu64 ": %s %u %" PRIu64 "\n", now, how[outcome], server, latency);
}

static void report(void *context, uint32_t balancer, uint32_t server, uint32_t load, uint64_t now)
{
    (void)balancer;
    tell(context, "%" PRIu64 ": load %u %u\n", now, server, load);
}

static void idle(void *context, uint32_t balancer, uint32_t server, uint64_t now)
{
    (void)balancer;
    tell(context, "%" PRIu64 ": idle %u\n", now, server);
}

/* A fleet of one or more servers of speed 1e9, all there. */
static struct fleet_scenario fleet(uint32_t servers)
{
    static struct fleet_server fast[MOST];
    for (int i = 0; i < MOST; i++)
        fast[i] = (struct fleet_server){.speed = 1e9, .weight = 1};
    return (struct fleet_scenario){
        .seed = 1, .servers = servers, .balancers = 1, .queue_cap = FLEET_NO_CAP, .server = fast};
}

/* Runs it; the text and the result are in the story. Lines on members come only from changes, unless the story starts
 * with one. */
static void run(struct story *s, struct fleet_scenario scenario, uint32_t changes, const struct fleet_change *change)
{
    const struct fleet_source source = {next, s};
    const struct fleet_policy policy = {.context = s,
                                        .member = changes ? member : NULL,
                                        .pick = pick,
                                        .done = done,
                                        .report = s->reports ? report : NULL,
                                        .idle = s->idle ? idle : NULL};
    struct error err = {""};
    scenario.changes = changes;
    scenario.change = change;
    const int failed = fleet_run(&scenario, &source, &policy, &s->result, &err);
    cr_assert(failed == 0, "the run failed: %s", err.text);
    fleet_result_free(&s->result);
}

static void expect(const struct story *s, const char *text)
{
    cr_assert(strcmp(s->text, text) == 0, "expected\n%sgot\n%s", text, s->text);
}

Test(fleet_stories, first_come_first_served)
{
    struct story s = {.request = {{0, 10, 0}, {5, 10, 0}, {5, 1, 0}, {40, 3, 0}}};
    run(&s, fleet(1), 0, NULL);
    expect(&s, "0: pick 0\n5: pick 0\n5: pick 0\n10: ok 0 10\n20: ok 0 15\n21: ok 0 16\n40: pick 0\n43: ok 0 3\n");
}

/* Alone for 5, then two share: each gets half. At 15 the first is done, and the second has half of its work left. */
Test(fleet_stories, processor_sharing)
{
    struct story s = {.request = {{0, 10, 0}, {5, 10, 0}, {15, 100, 0}, {21, 2, 0}}};
    struct fleet_scenario shared = fleet(1);
    shared.discipline = FLEET_PROCESSOR_SHARING;
    run(&s, shared, 0, NULL);
    /* 15: 5 left of the second, 100 of the third; 21: 2 left, 97; the second and the fourth are done at 27, the second
     * first */
    expect(&s, "0: pick 0\n5: pick 0\n15: ok 0 15\n15: pick 0\n21: pick 0\n27: ok 0 22\n27: ok 0 6\n122: ok 0 107\n");
}

/* Ends come before arrivals, so a queue of one place takes a request at every moment the one before is done; one that
 * comes earlier is refused. */
Test(fleet_stories, queue_cap)
{
    struct story s = {.request = {{0, 10, 0}, {9, 10, 0}, {10, 10, 0}, {15, 10, 1}}};
    struct fleet_scenario capped = fleet(2);
    capped.queue_cap = 1;
    run(&s, capped, 0, NULL);
    expect(&s, "0: pick 0\n9: pick 0\n9: refused 0 0\n10: ok 0 10\n10: pick 0\n15: pick 1\n20: ok 0 10\n25: ok 1 10\n");
}

/* A request that is done at its timeout is done. The work of who gave up delays the others: the third waits for both.
 */
Test(fleet_stories, timeouts)
{
    struct story s = {.request = {{0, 25, 0}, {1, 5, 0}, {20, 2, 0}, {21, 8, 1}, {40, 10, 0}}};
    struct fleet_scenario hasty = fleet(2);
    hasty.timeout_ns = 10;
    run(&s, hasty, 0, NULL);
    expect(&s, "0: pick 0\n1: pick 0\n10: timeout 0 10\n11: timeout 0 10\n20: pick 0\n21: pick 1\n29: ok 1 8\n"
               "30: timeout 0 10\n40: pick 0\n50: ok 0 10\n");
}

Test(fleet_stories, no_backend)
{
    struct story s = {.request = {{0, 10, LB_NONE}, {1, 10, 7}, {2, 10, 1}, {3, 10, 0}}};
    struct fleet_scenario lonely = fleet(2);
    struct fleet_server server[2] = {{.speed = 1e9, .weight = 1}, {.speed = 1e9, .weight = 1, .absent = 1}};
    lonely.server = server;
    run(&s, lonely, 0, NULL);
    expect(&s, "0: pick 4294967295\n1: pick 7\n2: pick 1\n3: pick 0\n13: ok 0 10\n");
}

/* Half of the work at speed 1e9 takes 5; the other half at a tenth of it takes 50. Sharing makes no difference for one
 * request. */
Test(fleet_stories, speed)
{
    const struct fleet_change change[] = {{5, 0, FLEET_SPEED, 1e8}};
    for (uint32_t discipline = 0; discipline < 2; discipline++) {
        struct story s = {.request = {{0, 10, 0}, {60, 1, 0}}};
        struct fleet_scenario fading = fleet(1);
        fading.discipline = discipline;
        run(&s, fading, 1, change);
        expect(&s, "0: join 0 w1\n0: pick 0\n55: ok 0 55\n60: pick 0\n70: ok 0 10\n");
    }
}

/* Frozen from 5 to 20 with half of the work done; what comes meanwhile is never answered. */
Test(fleet_stories, stop_and_heal)
{
    const struct fleet_change change[] = {{5, 0, FLEET_STOP, 0}, {20, 0, FLEET_HEAL, 0}};
    for (uint32_t discipline = 0; discipline < 2; discipline++) {
        struct story s = {.request = {{0, 10, 0}, {6, 1, 0}, {22, 5, 1}, {80, 1, 0}}};
        struct fleet_scenario hanging = fleet(2);
        hanging.discipline = discipline;
        hanging.timeout_ns = 50;
        run(&s, hanging, 2, change);
        expect(&s, "0: join 0 w1\n0: join 1 w1\n0: pick 0\n6: pick 0\n22: pick 1\n25: ok 0 25\n27: ok 1 5\n"
                   "56: timeout 0 50\n80: pick 0\n81: ok 0 1\n");
    }
}

/* Whoever gave up before the crash does not hear of it a second time. */
Test(fleet_stories, refuse_and_heal)
{
    const struct fleet_change change[] = {{25, 0, FLEET_REFUSE, 0}, {40, 0, FLEET_HEAL, 0}};
    for (uint32_t discipline = 0; discipline < 2; discipline++) {
        struct story s = {.request = {{0, 90, 0}, {8, 90, 0}, {12, 50, 0}, {30, 1, 0}, {40, 1, 0}, {50, 4, 0}}};
        struct fleet_scenario crashing = fleet(1);
        crashing.discipline = discipline;
        crashing.timeout_ns = 20;
        run(&s, crashing, 2, change);
        expect(&s, "0: join 0 w1\n0: pick 0\n8: pick 0\n12: pick 0\n20: timeout 0 20\n25: error 0 17\n25: error 0 13\n"
                   "30: pick 0\n30: refused 0 0\n40: pick 0\n41: ok 0 1\n50: pick 0\n54: ok 0 4\n");
    }
}

/* The quick errors do not wait for the request that is being served, and take no place in the queue. */
Test(fleet_stories, fail_fast_and_heal)
{
    const struct fleet_change change[] = {{5, 0, FLEET_FAIL_FAST, 3}, {20, 0, FLEET_HEAL, 0}};
    struct story s = {.request = {{0, 10, 0}, {6, 9, 0}, {6, 9, 0}, {17, 9, 0}, {20, 2, 0}}, .idle = true};
    struct fleet_scenario failing = fleet(1);
    failing.queue_cap = 1;
    run(&s, failing, 2, change);
    expect(&s, "0: join 0 w1\n0: idle 0\n0: pick 0\n6: pick 0\n6: pick 0\n9: error 0 3\n9: error 0 3\n10: ok 0 10\n"
               "10: idle 0\n17: pick 0\n20: error 0 3\n20: idle 0\n20: pick 0\n22: ok 0 2\n22: idle 0\n");
}

Test(fleet_stories, fail_slower_than_the_client_waits)
{
    const struct fleet_change change[] = {{0, 0, FLEET_FAIL_FAST, 30}, {5, 0, FLEET_FAIL_FAST, 10}};
    struct story s = {.request = {{1, 1, 0}, {6, 1, 0}}};
    struct fleet_scenario failing = fleet(1);
    failing.timeout_ns = 10;
    run(&s, failing, 2, change);
    expect(&s, "0: join 0 w1\n1: pick 0\n6: pick 0\n11: timeout 0 10\n16: error 0 10\n");
}

/* Who left finishes what it holds, gets nothing more, and may come back. Leaving twice and joining twice are nothing.
 */
Test(fleet_stories, leave_and_join_again)
{
    const struct fleet_change change[] = {{5, 0, FLEET_LEAVE, 0}, {6, 0, FLEET_LEAVE, 0},   {7, 0, FLEET_WEIGHT, 9},
                                          {30, 0, FLEET_JOIN, 0}, {40, 0, FLEET_WEIGHT, 4}, {43, 0, FLEET_JOIN, 0}};
    struct story s = {.request = {{0, 10, 0}, {1, 10, 0}, {6, 10, 0}, {31, 10, 0}, {45, 1, 0}}, .idle = true};
    run(&s, fleet(1), 6, change);
    expect(&s, "0: join 0 w1\n0: idle 0\n0: pick 0\n1: pick 0\n5: leave 0\n6: pick 0\n10: ok 0 10\n20: ok 0 19\n"
               "30: join 0 w9\n30: idle 0\n31: pick 0\n40: join 0 w4\n41: ok 0 10\n41: idle 0\n43: join 0 w4\n45: pick "
               "0\n46: ok 0 1\n"
               "46: idle 0\n");
}

/* At a tenth of the speed for 10, at two tenths for 10 …: after 30 it has done 1 + 2 + 3 = 6, and 2 more take 5 at four
 * tenths. */
Test(fleet_stories, slow_start)
{
    const struct fleet_change change[] = {{100, 0, FLEET_JOIN, 100}};
    const struct fleet_server cold = {.speed = 1e9, .weight = 8, .absent = 1};
    for (uint32_t discipline = 0; discipline < 2; discipline++) {
        struct story s = {.request = {{100, 8, 0}, {190, 10, 0}}};
        struct fleet_scenario starting = fleet(1);
        starting.discipline = discipline;
        starting.server = &cold;
        run(&s, starting, 1, change);
        expect(&s, "100: join 0 w1\n100: pick 0\n110: join 0 w2\n120: join 0 w2\n130: join 0 w3\n135: ok 0 35\n"
                   "140: join 0 w4\n150: join 0 w5\n160: join 0 w6\n170: join 0 w6\n180: join 0 w7\n190: join 0 w8\n"
                   "190: pick 0\n200: ok 0 10\n");
    }
}

/* Noted every 10, heard of 5 later. The crashed server says nothing, and nothing is said of the one that left. */
Test(fleet_stories, reports)
{
    const struct fleet_change change[] = {{15, 1, FLEET_REFUSE, 0}, {32, 0, FLEET_LEAVE, 0}};
    struct story s = {.request = {{0, 18, 0}, {3, 30, 0}, {5, 4, 1}, {10, 2, 1}, {34, 1, 0}, {36, 1, 1}},
                      .reports = true};
    struct fleet_scenario reporting = fleet(2);
    reporting.report_every_ns = 10;
    reporting.report_delay_ns = 5;
    run(&s, reporting, 2, change);
    /* at 10 the reports are taken before the arrival of that moment */
    expect(&s, "0: join 0 w1\n0: join 1 w1\n0: pick 0\n3: pick 0\n5: pick 1\n9: ok 1 4\n10: pick 1\n12: ok 1 2\n"
               "15: load 0 2\n15: load 1 0\n18: ok 0 18\n25: load 0 1\n32: leave 0\n34: pick 0\n36: pick 1\n"
               "36: refused 1 0\n48: ok 0 45\n");
}

/* Several reports are under way when they take longer than the time between two. */
Test(fleet_stories, slow_reports)
{
    struct story s = {.request = {{0, 12, 0}, {11, 5, 0}, {22, 3, 0}, {29, 40, 0}}, .reports = true};
    struct fleet_scenario reporting = fleet(1);
    reporting.report_every_ns = 10;
    reporting.report_delay_ns = 25;
    run(&s, reporting, 0, NULL);
    /* held at 10, 20, 30, 40: 1, 0, 1, 1 */
    expect(&s, "0: pick 0\n11: pick 0\n12: ok 0 12\n17: ok 0 6\n22: pick 0\n25: ok 0 3\n29: pick 0\n35: load 0 1\n"
               "45: load 0 0\n55: load 0 1\n65: load 0 1\n69: ok 0 40\n");
}

Test(fleet_stories, instant_reports)
{
    struct story s = {.request = {{0, 10, 0}, {4, 10, 0}}, .reports = true, .idle = true};
    struct fleet_scenario reporting = fleet(1);
    reporting.report_every_ns = FLEET_REPORT_INSTANT;
    run(&s, reporting, 0, NULL);
    expect(&s, "0: idle 0\n0: pick 0\n0: load 0 1\n4: pick 0\n4: load 0 2\n10: ok 0 10\n10: load 0 1\n20: ok 0 16\n"
               "20: load 0 0\n20: idle 0\n");
}

/* A server that recovers says that it has nothing to do; one that is stopped says nothing. */
Test(fleet_stories, idle_after_a_failure)
{
    const struct fleet_change change[] = {
        {5, 0, FLEET_REFUSE, 0}, {9, 0, FLEET_HEAL, 0}, {20, 0, FLEET_STOP, 0}, {30, 0, FLEET_HEAL, 0}};
    struct story s = {.request = {{0, 10, 0}, {25, 10, 0}, {40, 1, 0}}, .idle = true};
    struct fleet_scenario unsteady = fleet(1);
    unsteady.timeout_ns = 10;
    run(&s, unsteady, 4, change);
    expect(&s, "0: join 0 w1\n0: idle 0\n0: pick 0\n5: error 0 5\n9: idle 0\n25: pick 0\n30: idle 0\n35: timeout 0 10\n"
               "40: pick 0\n41: ok 0 1\n41: idle 0\n");
}

/* Figures of a story: two measured requests after one of warm-up. The span is 10 … 20; held 2, then 1 from 15 on, so
 * 1.5. */
Test(fleet_stories, figures)
{
    struct story s = {.request = {{5, 10, 0}, {10, 5, 0}, {20, 7, 1}}};
    struct fleet_scenario measured = fleet(2);
    struct fleet_result r;
    struct error err = {""};
    const struct fleet_source source = {next, &s};
    const struct fleet_policy policy = {.context = &s, .pick = pick, .done = done};
    measured.warm_up = 1;
    cr_assert(fleet_run(&measured, &source, &policy, &r, &err) == 0, "%s", err.text);
    expect(&s, "5: pick 0\n10: pick 0\n15: ok 0 10\n20: ok 0 10\n20: pick 1\n27: ok 1 7\n");
    cr_assert(r.offered == 2 && r.ok == 2 && r.error + r.refused + r.timeout + r.unplaced == 0,
              "offered %" PRIu64 ", ok %" PRIu64, r.offered, r.ok);
    cr_assert(r.span_ns == 10 && r.mean_held == 1.5, "span %" PRIu64 ", held %g", r.span_ns, r.mean_held);
    cr_assert(r.mean_ns == 8.5 && r.mean_square_ns2 == 74.5, "mean %g, of squares %g", r.mean_ns, r.mean_square_ns2);
    cr_assert(r.events == 6, "6 arrivals and ends, got %" PRIu64, r.events);
    cr_assert(r.server[0].picked == 1 && r.server[0].ok == 1 && r.server[0].busy_ns == 10 && r.server[0].longest == 2,
              "server 0: picked %" PRIu64 ", busy %" PRIu64 ", longest %u", r.server[0].picked, r.server[0].busy_ns,
              r.server[0].longest);
    cr_assert(r.server[1].picked == 1 && r.server[1].busy_ns == 0 && r.server[1].longest == 1,
              "server 1: picked %" PRIu64 ", busy %" PRIu64, r.server[1].picked, r.server[1].busy_ns);
    cr_assert(hist_count(r.latency) == 2 && hist_max(r.latency) == 10, "the histogram holds %" PRIu64,
              hist_count(r.latency));
    fleet_result_free(&r);
}

/* A crash empties the server for the averages too: two held from 0 to 5, none until 10. */
Test(fleet_stories, figures_of_a_crash)
{
    const struct fleet_change change = {5, 0, FLEET_REFUSE, 0};
    struct story s = {.request = {{0, 90, 0}, {0, 90, 0}, {10, 1, 0}}};
    struct fleet_scenario crashing = fleet(1);
    struct fleet_result r;
    struct error err = {""};
    const struct fleet_source source = {next, &s};
    const struct fleet_policy policy = {.context = &s, .pick = pick};
    crashing.changes = 1;
    crashing.change = &change;
    cr_assert(fleet_run(&crashing, &source, &policy, &r, &err) == 0, "%s", err.text);
    cr_assert(r.error == 2 && r.refused == 1 && r.ok == 0 && r.server[0].failed == 3, "%" PRIu64 " errors", r.error);
    cr_assert(r.mean_held == 1 && r.server[0].busy_ns == 5, "held %g, busy %" PRIu64, r.mean_held, r.server[0].busy_ns);
    cr_assert(fleet_loss(&r) == 1, "a loss of %g", fleet_loss(&r));
    fleet_result_free(&r);
}
