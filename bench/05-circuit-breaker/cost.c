/* cost: what a call through a breaker costs, by the size of its window and the number of threads; what deciding about a
 * retry costs; and what a queue does. */
#include "circuit_breaker.h"

#include "base/memory.h"
#include "cost/cost.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE      128
#define THREADS   16u
#define NS_A_CALL 100u

static const struct cb_ops *ops_of(const struct cost_subject *s)
{
    return plugin_find(s->plugin, s->name);
}

/* ---- a call through a breaker: allow and record; one call of a hundred fails ---- */

struct caller {
    _Alignas(LINE) uint64_t now, calls, refused;
};

struct calls {
    const struct cb_breaker_ops *ops;
    void *breaker;
    bool fails;
    struct caller caller[THREADS];
    _Alignas(LINE) _Atomic uint64_t word[THREADS][2][LINE / 8]; /* of the part that only adds */
};

#define ADDITIONS "two-atomic-additions"
static const char *const additions[] = {ADDITIONS, NULL};

/* Does it serve several threads? Others are told so. */
static int breaker_for(const struct cost_subject *s, struct calls *c, struct error *err)
{
    const struct cb_breaker_config config = {.window_calls = (uint32_t)s->size,
                                             .window_ns = 1000000000,
                                             .slices = s->size < 1024 ? (uint32_t)s->size : 1000,
                                             .least_calls = 10,
                                             .failure_percent = 50,
                                             .slow_percent = 100,
                                             .slow_ns = 1000000000,
                                             .open_ns = 1000000000,
                                             .probes = 10,
                                             .probes_ns = 1000000000};
    struct cb_breaker_config fits = config;
    while (fits.window_ns % fits.slices)
        fits.slices--;
    c->ops = ops_of(s)->breaker;
    if (s->threads > 1 && !(c->ops->can & CB_THREADS))
        return error_set(err, -ENOTSUP, "it is called by one thread at a time");
    return c->ops->create(&fits, &c->breaker);
}

static void calls_run(void *state, unsigned thread, uint64_t n)
{
    struct calls *c = state;
    struct caller *me = &c->caller[thread];
    for (uint64_t i = 0; i < n; i++) {
        const struct cb_permit p = c->ops->allow(c->breaker, me->now += NS_A_CALL);
        const bool fails = c->fails && ++me->calls % 128 == 0;
        if (p.allowed)
            c->ops->record(c->breaker, p.ticket, me->now, fails ? CB_ERROR : CB_SUCCESS, NS_A_CALL);
        else
            me->refused++;
    }
}

/* What the same loop takes with two atomic additions, to words of this thread's own, in the breaker's place. */
static struct cb_permit add_allow(void *breaker, uint64_t now)
{
    _Atomic uint64_t *word = breaker;
    (void)now;
    return (struct cb_permit){true, atomic_fetch_add_explicit(word, 1, memory_order_relaxed)};
}

static void add_record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    _Atomic uint64_t *word = breaker;
    (void)ticket, (void)now, (void)outcome;
    atomic_fetch_add_explicit(word + LINE / 8, latency, memory_order_relaxed);
}

static const struct cb_breaker_ops adds = {.allow = add_allow, .record = add_record};

static void additions_run(struct calls *c, unsigned thread, uint64_t n)
{
    struct caller *me = &c->caller[thread];
    for (uint64_t i = 0; i < n; i++) {
        const struct cb_permit p = c->ops->allow(&c->word[thread][0][0], me->now += NS_A_CALL);
        const bool fails = c->fails && ++me->calls % 128 == 0;
        if (p.allowed)
            c->ops->record(&c->word[thread][0][0], p.ticket, me->now, fails ? CB_ERROR : CB_SUCCESS, NS_A_CALL);
        else
            me->refused++;
    }
}

static void run(void *state, unsigned thread, uint64_t n)
{
    struct calls *c = state;
    if (c->breaker)
        calls_run(c, thread, n);
    else
        additions_run(c, thread, n);
}

static void destroy(void *state)
{
    struct calls *c = state;
    if (c->breaker)
        c->ops->destroy(c->breaker);
    free(c);
}

/* arg: do some calls fail? */
static int create(const struct cost_subject *s, void **state, struct error *err)
{
    struct calls *c = aligned_alloc(LINE, sizeof *c);
    if (!c)
        return -ENOMEM;
    memset(c, 0, sizeof *c);
    c->fails = *(const bool *)s->arg;
    if (strcmp(s->name, ADDITIONS) == 0)
        c->ops = &adds;
    const int code = c->ops ? 0 : breaker_for(s, c, err);
    if (code) {
        free(c);
        return code;
    }
    *state = c;
    for (uint32_t t = 0; t < s->threads; t++) /* windows are full when it is timed */
        run(c, t, c->breaker ? s->size + 1 : 1);
    return 0;
}

static bool is_breaker(const struct plugin_entry *entry, const void *arg)
{
    (void)arg;
    return ((const struct cb_ops *)entry->ops)->breaker != NULL;
}

/* ---- refusing: an open breaker ---- */

static int create_open(const struct cost_subject *s, void **state, struct error *err)
{
    struct calls *c = aligned_alloc(LINE, sizeof *c);
    if (!c)
        return -ENOMEM;
    memset(c, 0, sizeof *c);
    const int code = breaker_for(s, c, err);
    if (code) {
        free(c);
        return code;
    }
    for (uint32_t i = 0; i < 20; i++) {
        const struct cb_permit p = c->ops->allow(c->breaker, 1);
        if (p.allowed)
            c->ops->record(c->breaker, p.ticket, 1, CB_ERROR, 1);
    }
    *state = c;
    return 0;
}

static void run_open(void *state, unsigned thread, uint64_t n)
{
    struct calls *c = state;
    struct caller *me = &c->caller[thread];
    for (uint64_t i = 0; i < n; i++)
        me->refused += !c->ops->allow(c->breaker, 2).allowed;
}

/* ---- a decision about a retry ---- */

struct decisions {
    const struct cb_retry_ops *ops;
    void *retries;
    uint64_t now, delays;
};

static void retry_run(void *state, unsigned thread, uint64_t n)
{
    struct decisions *d = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++) {
        const struct cb_failed f = {.now = d->now += NS_A_CALL,
                                    .deadline = UINT64_C(1) << 62,
                                    .last_delay = 1000000,
                                    .tries = 1 + (uint32_t)(i & 3),
                                    .u = (double)((i & 1023) + 1) / 1024};
        uint64_t delay = 0;
        if (d->ops->retry(d->retries, &f, &delay))
            d->delays += delay;
        if (d->ops->succeeded)
            d->ops->succeeded(d->retries, d->now);
    }
}

static void retry_destroy(void *state)
{
    struct decisions *d = state;
    d->ops->destroy(d->retries);
    free(d);
}

static int retry_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct cb_retry_config config = {
        .most_tries = 5, .base_ns = 1000000, .cap_ns = 1000000000, .budget_percent = 100, .budget_most = 1000};
    struct decisions *d = xcalloc(1, sizeof *d);
    (void)err;
    d->ops = ops_of(s)->retry;
    const int code = d->ops->create(&config, &d->retries);
    if (code) {
        free(d);
        return code;
    }
    *state = d;
    return 0;
}

static bool is_retry(const struct plugin_entry *entry, const void *arg)
{
    (void)arg;
    return ((const struct cb_ops *)entry->ops)->retry != NULL;
}

/* ---- a piece of work through a queue in which `size` others wait ---- */

struct work {
    const struct cb_queue_ops *ops;
    void *queue;
    struct cb_dropped dropped;
    uint64_t now, taken;
    uint32_t id, waits;
};

static void work_put(struct work *w)
{
    const struct cb_work work = {w->id, w->now + 1000000000};
    w->id = w->id + 1 == CB_NOTHING ? 0 : w->id + 1;
    w->dropped.n = 0;
    (void)w->ops->arrive(w->queue, w->now, &work, &w->dropped);
}

static void work_run(void *state, unsigned thread, uint64_t n)
{
    struct work *w = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++) {
        w->now += NS_A_CALL;
        work_put(w);
        w->dropped.n = 0;
        w->taken += w->ops->take(w->queue, w->now, &w->dropped) != CB_NOTHING;
    }
}

static void work_destroy(void *state)
{
    struct work *w = state;
    w->ops->destroy(w->queue);
    free(w->dropped.id);
    free(w);
}

static int work_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct cb_queue_config config = {
        .most = (uint32_t)s->size + 1, .target_ns = 1000000000, .interval_ns = 1000000000};
    struct work *w = xcalloc(1, sizeof *w);
    (void)err;
    w->ops = ops_of(s)->queue;
    const int code = w->ops->create(&config, &w->queue);
    if (code) {
        free(w);
        return code;
    }
    for (uint64_t i = 0; i < s->size; i++)
        work_put(w);
    *state = w;
    return 0;
}

static bool is_queue(const struct plugin_entry *entry, const void *arg)
{
    (void)arg;
    return ((const struct cb_ops *)entry->ops)->queue != NULL;
}

/* ---- the table ---- */

static double one_call(const struct cost_subject *subject)
{
    (void)subject;
    return 1;
}

static const uint64_t windows[] = {64, 4096, 1 << 20, 0}, waiting[] = {1, 1000, 100000, 0}, one[] = {1, 0};
static const unsigned one_and_two[] = {1, 2, 0}, one_thread[] = {1, 0};
static const bool all_well = false, some_fail = true;
static const char *const shown[] = {"count-breaker",
                                    "time-breaker",
                                    "breaker-mutex",
                                    "breaker-atomic",
                                    "breaker-sharded",
                                    "two-atomic-additions",
                                    NULL};

static const struct cost_operation operations[] = {
    {.name = "call",
     .what = "may this call go, and it succeeded. Beside it two atomic additions to words of the thread's own, called "
             "by the "
             "same loop through the same pointers.",
     .size_name = "calls in the window",
     .sizes = windows,
     .threads = one_and_two,
     .threads_what = "one breaker for both, by entries that allow it",
     .takes = is_breaker,
     .beside = additions,
     .simulated = true,
     .rate = "calls/ns",
     .work = one_call,
     .against = ADDITIONS,
     .arg = &all_well,
     .create = create,
     .run = run,
     .destroy = destroy},
    {.name = "failing-call",
     .what = "the same, and one call of 128 fails",
     .size_name = "calls in the window",
     .sizes = windows,
     .threads = one_and_two,
     .threads_what = "one breaker for both, by entries that allow it",
     .takes = is_breaker,
     .beside = additions,
     .arg = &some_fail,
     .create = create,
     .run = run,
     .destroy = destroy},
    {.name = "refusal",
     .what = "an open breaker is asked",
     .sizes = one,
     .threads = one_and_two,
     .threads_what = "one breaker for both, by entries that allow it",
     .takes = is_breaker,
     .create = create_open,
     .run = run_open,
     .destroy = destroy},
    {.name = "retry",
     .what = "a try failed: another one, and when? Then a request succeeds, where that is listened to.",
     .sizes = one,
     .threads = one_thread,
     .takes = is_retry,
     .simulated = true,
     .create = retry_create,
     .run = retry_run,
     .destroy = retry_destroy},
    {.name = "work",
     .what = "a piece of work comes, and a worker takes one, while so many others wait",
     .size_name = "waiting",
     .sizes = waiting,
     .threads = one_thread,
     .takes = is_queue,
     .simulated = true,
     .create = work_create,
     .run = work_run,
     .destroy = work_destroy},
};

/* It lets calls go, and after ten failures of ten it doesn't; work that comes is taken once; and others have no question. */
static int verify(const struct cost_subject *subject, char *why, size_t size)
{
    const struct cb_ops *ops = ops_of(subject);
    struct calls c = {0};
    struct error err;
    if (!ops || !ops->breaker)
        return 0;
    if (breaker_for(&(struct cost_subject){.plugin = subject->plugin, .name = subject->name, .size = 10, .threads = 1},
                    &c, &err) != 0) {
        snprintf(why, size, "it cannot be made");
        return -1;
    }
    uint32_t allowed = 0;
    for (uint32_t i = 0; i < 20; i++) {
        const struct cb_permit p = c.ops->allow(c.breaker, 1);
        allowed += p.allowed;
        if (p.allowed)
            c.ops->record(c.breaker, p.ticket, 1, CB_ERROR, 1);
    }
    c.ops->destroy(c.breaker);
    if (allowed == 10)
        return 0;
    snprintf(why, size, "it is wrong: of calls that all fail it let %u go, and not 10", allowed);
    return -1;
}

int main(int argc, char **argv)
{
    const struct cost_suite suite = {
        .lab_folder = "05-circuit-breaker",
        .operation = operations,
        .operations = COUNT(operations),
        .verify = verify,
        .shown = shown,
    };
    return cost_main(argc, argv, &suite);
}
