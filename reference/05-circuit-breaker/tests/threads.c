/* threads.c: breakers that several threads ask at the same time. How many failures open it afterwards tells, to the call,
 * what it has counted. */
#include "entries.h"

#include <pthread.h>
#include <stdatomic.h>

TestSuite(threads, .timeout = 240);

#define THREADS 4u
#define CALLS   30000u

struct crowd {
    const struct breaker *b;
    uint64_t now;
    bool all_fail;
    uint32_t calls;
    bool records, one_fails; /* all calls of the first thread */
    _Atomic uint32_t members;
    pthread_barrier_t begin;
    _Atomic uint64_t allowed;
};

static void *member(void *context)
{
    struct crowd *c = context;
    const bool fails = atomic_fetch_add(&c->members, 1) == 0 && c->one_fails;
    uint64_t allowed = 0;
    pthread_barrier_wait(&c->begin);
    for (uint32_t i = 0; i < c->calls; i++) {
        const struct cb_permit p = ask(c->b, c->now);
        allowed += p.allowed;
        if (p.allowed && c->records)
            tell(c->b, p.ticket, c->now, fails || c->all_fail ? CB_ERROR : CB_SUCCESS, 0);
    }
    atomic_fetch_add(&c->allowed, allowed);
    return NULL;
}

static uint64_t crowd(struct crowd *c)
{
    pthread_t thread[THREADS];
    pthread_barrier_init(&c->begin, NULL, THREADS);
    for (uint32_t i = 0; i < THREADS; i++)
        cr_assert(pthread_create(&thread[i], NULL, member, c) == 0);
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&c->begin);
    return atomic_load(&c->allowed);
}

static uint32_t failures_to_open(const struct breaker *b, uint64_t now)
{
    uint32_t n = 0;
    while (b->ops->state(b->state) == CB_CLOSED && n < 1000000)
        n += calls(b, now, "F");
    return n;
}

static struct cb_breaker_config wide(void)
{
    struct cb_breaker_config c = usual();
    c.window_calls = 1 << 20;
    c.least_calls = 100;
    c.failure_percent = 20;
    c.slow_percent = 100;
    return c;
}

/* n successes, and then f failures with 100 f >= 20 (n + f): f = n / 4, if none was lost and none counted twice. */
Test(threads, every_success_counts_once)
{
    const struct cb_breaker_config c = wide();
    for (const char *const *name = thread_breakers; *name; name++) {
        struct breaker b = breaker_start(*name, &c);
        struct crowd all = {.b = &b, .now = S, .calls = CALLS, .records = true};
        cr_assert(crowd(&all) == THREADS * CALLS, "%s refused some", *name);
        const uint32_t n = failures_to_open(&b, S);
        cr_assert(n == THREADS * CALLS / 4, "%s: %u failures opened it, not %u", *name, n, THREADS * CALLS / 4);
        breaker_stop(&b);
    }
}

/* And with one thread whose calls all fail: it puts down what the others count at the same moment. */
Test(threads, failures_among_them)
{
    struct cb_breaker_config c = wide();
    c.failure_percent = 50;
    for (const char *const *name = thread_breakers; *name; name++) {
        struct breaker b = breaker_start(*name, &c);
        struct crowd all = {.b = &b, .now = S, .calls = 4 * CALLS, .one_fails = true, .records = true};
        for (uint32_t i = 0; i < 5 * CALLS; i++) /* so that it doesn't open when that thread is ahead of the others */
            calls(&b, S, "S");
        cr_assert(crowd(&all) == THREADS * 4 * CALLS, "%s refused some", *name);
        /* 2 (f + x) >= n + x */
        const uint32_t n = (4 * THREADS + 5) * CALLS, f = 4 * CALLS, x = n - 2 * f;
        const uint32_t found = failures_to_open(&b, S);
        cr_assert(found == x, "%s: %u failures more opened it, not %u", *name, found, x);
        breaker_stop(&b);
    }
}

/* A full window of a few calls: so many of it must fail, whatever came before. */
Test(threads, small_windows)
{
    struct cb_breaker_config c = wide();
    c.window_calls = 100;
    for (const char *const *name = thread_breakers; *name; name++) {
        struct breaker b = breaker_start(*name, &c);
        struct crowd all = {.b = &b, .now = S, .calls = CALLS, .records = true};
        crowd(&all);
        const uint32_t n = failures_to_open(&b, S);
        cr_assert(n == 20, "%s: %u of the last 100 opened it, not 20", *name, n);
        breaker_stop(&b);
    }
}

/* Half-open, and all come at once: exactly so many go. resilience4j's issues 1090 and 1432. */
Test(threads, exactly_so_many_probes)
{
    for (const char *const *name = thread_breakers; *name; name++)
        for (uint32_t round = 0; round < 600; round++) {
            struct cb_breaker_config c = usual();
            const uint32_t probes = c.probes = 1 + round % 200;
            struct breaker b = breaker_start(*name, &c);
            calls(&b, S, "FFFFF");
            struct crowd all = {.b = &b, .now = 6 * S, .calls = 300};
            const uint64_t allowed = crowd(&all);
            cr_assert(allowed == probes, "%s: %lu of %u probes went", *name, allowed, probes);
            breaker_stop(&b);
        }
}

/* Opens under fire, and what then comes back of the stay before counts nowhere. */
Test(threads, opens_under_fire)
{
    for (const char *const *name = thread_breakers; *name; name++)
        for (uint32_t round = 0; round < 50; round++) {
            const struct cb_breaker_config c = usual();
            struct breaker b = breaker_start(*name, &c);
            struct crowd all = {.b = &b, .now = S, .calls = 2000, .all_fail = true, .records = true};
            const uint64_t allowed = crowd(&all);
            cr_assert(b.ops->state(b.state) == CB_OPEN, "%s did not open", *name);
            cr_assert(allowed >= 5 && allowed < 5 + THREADS, "%s let %lu calls go", *name, allowed);
            cr_assert(!ask(&b, 6 * S - 1).allowed && ask(&b, 6 * S).allowed, "%s", *name);
            breaker_stop(&b);
        }
}
