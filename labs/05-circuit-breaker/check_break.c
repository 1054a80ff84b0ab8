/* Tests of task 0, break it: a fault, as short as can be, after which those who try again never let a service recover. */
#include "adapter.h"
#include "base/memory.h"
#include "base/text.h"
#include "check_steps.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY   "break-it"
#define COLUMNS 60u
#define AFTER   60u /* seconds after the last fault: in the last ten of them it has recovered, or it never will */

static struct cb_bounds bounds_of_test(struct rng *r)
{
    return (struct cb_bounds){.rate = between(r, 300, 600),
                              .service_ns = MS,
                              .timeout_ns = between(r, 800, 1200) * MS,
                              .most_tries = 4,
                              .most_faults = 8,
                              .most_factor = 100,
                              .first = 10 * S,
                              .last = 40 * S};
}

/* ---- naive retries: at once ---- */

static bool at_once(void *retries, const struct cb_failed *failed, uint64_t *delay)
{
    *delay = 0;
    return failed->tries < *(const uint32_t *)retries;
}

static uint32_t tries_at_most;

static int create(const struct cb_retry_config *config, void **retries)
{
    tries_at_most = config->most_tries;
    *retries = &tries_at_most;
    return 0;
}

static void destroy(void *retries)
{
    (void)retries;
}

static const struct cb_retry_ops naive = {.create = create, .destroy = destroy, .retry = at_once};

struct seen {
    double good[100], sent[100]; /* in each second */
};

static void ended(void *context, uint64_t now, uint64_t began, uint32_t kind, bool success)
{
    struct seen *seen = context;
    (void)began;
    (void)kind;
    seen->good[now / S] += success;
}

static void sent(void *context, uint64_t now, uint32_t service)
{
    struct seen *seen = context;
    (void)service;
    seen->sent[now / S]++;
}

static struct seen run(const struct cb_bounds *b, const struct cb_fault *fault, uint32_t n)
{
    struct services s = {
        .seed = check_seed(), .rate = b->rate, .until = b->last + AFTER * S, .services = 1, .clients = 1};
    struct seen seen = {0};
    s.service[0] = (struct service){.work_ns = b->service_ns,
                                    .workers = 1,
                                    .next = {SERVICES_NONE, SERVICES_NONE},
                                    .queue = {.most = UINT32_MAX},
                                    .timeout_ns = b->timeout_ns,
                                    .retry = {.most_tries = b->most_tries}};
    for (uint32_t i = 0; i < n; i++)
        s.trouble[s.troubles++] =
            (struct trouble){.from = fault[i].from,
                             .length = fault[i].length,
                             .speed_permille = fault[i].kind == CB_DOWN ? 0 : 1000 / fault[i].factor};
    if (services_simulate(&s, &(struct services_policy){.retry = &naive},
                          &(struct services_hooks){.context = &seen, .ended = ended, .sent = sent}) != 0)
        check_fail(VERDICT_GRADER_FAULT, "the service could not be run");
    return seen;
}

/* Does it serve nine tenths of what is asked for, in the last ten seconds? */
static bool recovers(const struct cb_bounds *b, const struct seen *seen)
{
    double good = 0;
    for (uint64_t second = b->last / S + AFTER - 11; second < b->last / S + AFTER - 1; second++)
        good += seen->good[second];
    return good >= 9.0 * (double)b->rate;
}

/* The shortest standstill from which it never recovers, to a thousandth. */
static uint64_t shortest(const struct cb_bounds *b)
{
    uint64_t heals = 0, breaks = b->last - b->first;
    while (breaks - heals > breaks / 1000) {
        const struct cb_fault fault = {.from = b->first, .length = heals + (breaks - heals) / 2, .kind = CB_DOWN};
        const struct seen seen = run(b, &fault, 1);
        if (recovers(b, &seen))
            heals = fault.length;
        else
            breaks = fault.length;
    }
    return breaks;
}

static void check_bounds(const struct cb_bounds *b, const struct cb_fault *f, uint64_t n)
{
    uint64_t from = b->first;
    check_that(n > 0, "there is no fault, so nothing happens.");
    for (uint64_t i = 0; i < n; i++) {
        check_that(f[i].kind <= CB_SLOW, "fault %llu is of no kind.", (unsigned long long)i);
        check_that(f[i].from >= from && f[i].from < b->last && f[i].length <= b->last - f[i].from,
                   "fault %llu is not behind the one before it, or not between %llu and %llu ns.",
                   (unsigned long long)i, (unsigned long long)b->first, (unsigned long long)b->last);
        check_that(f[i].kind == CB_DOWN || (f[i].factor >= 2 && f[i].factor <= b->most_factor),
                   "fault %llu makes work take %u times as long; 2 to %u are allowed.", (unsigned long long)i,
                   f[i].factor, b->most_factor);
        from = f[i].from + f[i].length;
    }
}

static void draw(const struct cb_bounds *b, const struct seen *seen)
{
    char good[4 * COLUMNS + 8], all[4 * COLUMNS + 8], text[1000];
    double most = 1;
    const uint32_t seconds = (uint32_t)(b->last / S) + AFTER - 1, n = seconds < COLUMNS ? seconds : COLUMNS;
    for (uint32_t i = 0; i < n; i++)
        most = seen->sent[i] > most ? seen->sent[i] : most;
    snprintf(text, sizeof text, "asked for  |%s| tries in each second, up to %.0f\nanswered   |%s| on the same scale",
             text_bars(all, sizeof all, seen->sent, n, most), most, text_bars(good, sizeof good, seen->good, n, most));
    check_drawing(text);
}

CHECK(break_it, recovery)
{
    struct rng r = random_of_test(0);
    const struct cb_bounds b = bounds_of_test(&r);
    const struct adapter_header header = {ADAPTER_BOUNDS, 0};
    const size_t size = sizeof header + sizeof b;
    unsigned char *block = xcalloc(1, size);
    struct host_outcome o;
    memcpy(block, &header, sizeof header);
    memcpy(block + sizeof header, &b, sizeof b);
    check_host_request((struct host_request){.entry = ENTRY,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(struct cb_fault),
                                             .records = b.most_faults,
                                             .least_records = 1},
                       &o);
    free(block);
    if (o.verdict == VERDICT_SHORT_LOG)
        check_fail(VERDICT_WRONG, "there is no fault, so nothing happens.");
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "%s: %s", ENTRY, o.sentence);
    const struct cb_fault *fault = o.records;
    check_bounds(&b, fault, o.count);
    uint64_t length = 0;
    for (uint64_t i = 0; i < o.count; i++)
        length += fault[i].length;
    const struct seen seen = run(&b, fault, (uint32_t)o.count);
    draw(&b, &seen);
    check_that(
        !recovers(&b, &seen),
        "after faults of %.3f s it recovers. %llu requests/s, a service that can do %llu, time-outs of %.3f s, %u "
        "tries: how much has to wait in the queue before everything in it is too old?",
        (double)length * 1e-9, (unsigned long long)b.rate, (unsigned long long)(S / b.service_ns),
        (double)b.timeout_ns * 1e-9, b.most_tries);
    const double times = (double)length / (double)shortest(&b);
    host_outcome_free(&o);
    check_measured(times > 0.001 ? times : 0.001,
                   "it never recovers, after faults of %.3f s; a standstill of %.3f s is enough.",
                   (double)length * 1e-9, (double)length * 1e-9 / times);
}
