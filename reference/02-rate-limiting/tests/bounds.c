/* bounds.c: the most that each algorithm lets through in a window, reached by somebody who knows it, and never
 * passed. */
#include "limiters.h"

TestSuite(bounds, .timeout = 120);

/* What was allowed, and the most of it in any half-open interval of a length: two pointers. */
struct passed {
    uint32_t count;
    struct taken list[200000];
};
static struct passed passed;

static void try_once(struct limiter_run *l, uint64_t key, uint64_t now, uint32_t cost)
{
    if (!ask(l, key, now, cost).allowed)
        return;
    cr_assert(passed.count < sizeof passed.list / sizeof *passed.list, "too much to note");
    passed.list[passed.count++] = (struct taken){.at = now, .cost = cost};
}

static uint64_t most_within(uint64_t length)
{
    uint64_t sum = 0, most = 0;
    for (uint32_t first = 0, i = 0; i < passed.count; i++) {
        for (sum += passed.list[i].cost; passed.list[i].at - passed.list[first].at >= length; first++)
            sum -= passed.list[first].cost;
        most = sum > most ? sum : most;
    }
    return most;
}

static void start(struct limiter_run *l, const char *name, const struct rl_config *config)
{
    int code = limiter_start(l, name, config);
    cr_assert(code == 0, "%s: expected: created; actual: %d", name, code);
    passed.count = 0;
}

/* ---- windows ---------------------------------------------------------------------------------------------------- */

static const char *const fixed[] = {"fixed-window",   "fixed-window-atomic", "fixed-window-mutex",
                                    "sharded-window", "local-windows",       "distributed-window"};
#define FIXEDS (sizeof fixed / sizeof *fixed)

Test(bounds, fixed_window_lets_twice_through_across_an_edge)
{
    for (uint32_t i = 0; i < FIXEDS; i++) {
        struct rl_config config = plain_config(100, 60000000000);
        struct limiter_run l;
        start(&l, fixed[i], &config);
        for (uint32_t k = 0; k < 150; k++)
            try_once(&l, 1, 59999999999, 1);
        for (uint32_t k = 0; k < 150; k++)
            try_once(&l, 1, 60000000000, 1);
        limiter_stop(&l);
        cr_assert(passed.count == 200 && most_within(2) == 200,
                  "%s: expected: 200 within 2 ns; actual: %u, %lu of them so close", fixed[i], passed.count,
                  most_within(2));
    }
}

/* N at the last moment of a window, then whatever comes through. */
static uint64_t fill_the_end(const char *name, uint32_t limit, uint64_t window)
{
    struct rl_config config = plain_config(limit, window);
    struct limiter_run l;
    start(&l, name, &config);
    for (uint32_t k = 0; k < limit; k++)
        try_once(&l, 1, 5 * window - 1, 1);
    for (uint64_t now = 5 * window; now < 7 * window; now++)
        while (ask(&l, 1, now, 1).allowed)
            passed.list[passed.count++] = (struct taken){.at = now, .cost = 1};
    limiter_stop(&l);
    return most_within(window);
}

Test(bounds, sliding_counter_lets_twice_but_one_through)
{
    uint64_t ten = fill_the_end("sliding-counter", 10, 1000), hundred = fill_the_end("sliding-counter", 100, 10000),
             thousand = fill_the_end("sliding-counter", 1000, 20000);
    cr_assert(ten == 19 && hundred == 199 && thousand == 1999,
              "N = 10, 100, 1000: expected: 19, 199, 1999; actual: %lu, %lu, %lu", ten, hundred, thousand);
    /* A window of which N is no divisor, and one of few moments: no more than that either. */
    for (uint64_t window = 1; window < 60; window++) {
        uint64_t most = fill_the_end("sliding-counter", 10, window);
        cr_assert(most <= 19, "N = 10, T = %lu: expected: at most 19; actual: %lu", window, most);
    }
}

/* At most two in any 2 s and 100 at the edge: what it does hold back. */
Test(bounds, sliding_counter_ends_the_burst_at_the_edge)
{
    struct rl_config config = plain_config(100, 60000000000);
    struct limiter_run l;
    start(&l, "sliding-counter", &config);
    for (uint32_t k = 0; k < 150; k++)
        try_once(&l, 1, 59000000000, 1);
    for (uint32_t k = 0; k < 150; k++)
        try_once(&l, 1, 61000000000, 1);
    limiter_stop(&l);
    cr_assert(passed.count == 101, "100, and a sixtieth of the window later: expected: 101; actual: %u", passed.count);
}

/* Someone who asks at random moments, in rushes, for random costs. */
static void rush(struct limiter_run *l, const struct rl_config *config, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed, 5);
    uint64_t now = 0, unit = config->window_ns / config->limit;
    for (uint32_t step = 0; step < 3000; step++) {
        uint32_t of = 1 + rng_below(&r, 30);
        now +=
            rng_below(&r, 4) ? rng_below(&r, (uint32_t)(2 * unit) + 1) : 1 + rng_below(&r, (uint32_t)config->window_ns);
        for (uint32_t k = 0; k < of; k++)
            try_once(l, 1, now, 1 + rng_below(&r, 3) / 2);
    }
}

static const uint64_t limits[] = {1, 2, 3, 7, 10, 100}, lengths[] = {1, 10, 100, 1000, 99991};

static void never_above(const char *name, uint64_t times_limit, uint64_t less)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct rl_config config = plain_config(limits[seed % 6], lengths[seed % 5]);
        struct limiter_run l;
        passed.count = 0;
        if (limiter_start(&l, name, &config) != 0) /* fixed-window-atomic has no room for windows of a nanosecond */
            continue;
        rush(&l, &config, seed);
        limiter_stop(&l);
        uint64_t bound = times_limit * config.limit - less, most = most_within(config.window_ns);
        cr_assert(most <= bound && passed.count > 100,
                  "%s, %lu in %lu: expected: at most %lu in any window; actual: %lu", name, config.limit,
                  config.window_ns, bound, most);
    }
}

Test(bounds, windows_hold)
{
    never_above("sliding-log", 1, 0);
    never_above("sliding-counter", 2, 1);
    for (uint32_t i = 0; i < FIXEDS; i++)
        never_above(fixed[i], 2, 0);
}

/* Whoever asks all the time gets N from the log in every window, and not one less. */
Test(bounds, log_gives_all_of_it)
{
    struct rl_config config = plain_config(7, 100);
    struct limiter_run l;
    start(&l, "sliding-log", &config);
    for (uint64_t now = 0; now < 10000; now++)
        try_once(&l, 1, now, 1);
    limiter_stop(&l);
    cr_assert(passed.count == 700 && most_within(100) == 7 && most_within(101) > 7,
              "7 in 100, 100 windows: expected: 700, 7 in any; actual: %u, %lu", passed.count, most_within(100));
}

/* ---- buckets ---------------------------------------------------------------------------------------------------- */

/* For each pair of moments: what passed in [first, last] is at most B + floor(L N / T), L = last - first. */
static void check_every_interval(const char *name, const struct rl_config *c, uint64_t burst)
{
    for (uint32_t i = 0; i < passed.count; i++) {
        uint64_t sum = 0;
        for (uint32_t k = i; k < passed.count && k < i + 1000; k++) {
            sum += passed.list[k].cost;
            uint64_t length = passed.list[k].at - passed.list[i].at;
            if (sum > burst + length * c->limit / c->window_ns)
                cr_assert(false, "%s, %lu in %lu, burst %lu: expected: at most %lu in %lu ns; actual: %lu", name,
                          c->limit, c->window_ns, burst, burst + length * c->limit / c->window_ns, length, sum);
        }
    }
}

Test(bounds, buckets_hold_in_every_interval)
{
    static const char *const name[] = {"token-bucket", "leaky-bucket", "gcra",
                                       "gcra-atomic",  "gcra-mutex",   "leaky-queue"};
    for (uint32_t i = 0; i < 6; i++)
        for (uint64_t seed = 1; seed <= 12; seed++) {
            struct rl_config config = plain_config(limits[seed % 6], lengths[seed % 5]);
            struct limiter_run l;
            config.burst = 1 + seed * seed % 31;
            start(&l, name[i], &config);
            rush(&l, &config, seed);
            limiter_stop(&l);
            passed.count = passed.count < 3000 ? passed.count : 3000;
            check_every_interval(name[i], &config, config.burst + (i == 5));
        }
    cr_assert(passed.count > 1000, "expected: much that passed; actual: %u", passed.count);
}

/* B at once, then as they drip: exactly B + L N / T; with B = N twice the limit in one window. */
Test(bounds, a_bucket_of_a_windows_size_lets_twice_through)
{
    static const char *const name[] = {"token-bucket", "leaky-bucket", "gcra", "gcra-atomic"};
    for (uint32_t i = 0; i < 4; i++) {
        struct rl_config config = plain_config(100, 1000);
        struct limiter_run l;
        start(&l, name[i], &config);
        for (uint64_t now = 0; now <= 1000; now++)
            for (uint32_t k = 0; k < 101; k++)
                try_once(&l, 1, now, 1);
        limiter_stop(&l);
        cr_assert(passed.count == 200 && most_within(1001) == 200, "%s: expected: 100 and 100 more; actual: %u",
                  name[i], passed.count);
    }
}

/* ---- the queue -------------------------------------------------------------------------------------------------- */

/* 10 a second, 5 may wait: nginx lets six of twelve pass, the first at once and the others 100 ms apart. */
Test(bounds, queue_spaces_a_burst)
{
    struct rl_config config = plain_config(10, 1000000000);
    struct limiter_run l;
    config.burst = 5;
    start(&l, "leaky-queue", &config);
    for (uint64_t k = 0; k < 12; k++) {
        struct rl_answer a = ask(&l, 1, 0, 1);
        cr_assert(a.allowed == (k < 6) && a.delay_ns == (k < 6 ? k * 100000000 : 0),
                  "request %lu of 12: expected: allowed %d after %lu ns; actual: %d after %lu", k, k < 6, k * 100000000,
                  a.allowed, a.delay_ns);
    }
    /* At exactly the pace all pass at once, a little faster the queue takes it up until it is full. */
    for (uint64_t k = 0, now = 10000000000; k < 20; k++, now += 100000000) {
        struct rl_answer a = ask(&l, 1, now, 1);
        cr_assert(a.allowed && a.delay_ns == 0, "every 100 ms, request %lu: expected: at once; actual: %d after %lu", k,
                  a.allowed, a.delay_ns);
    }
    limiter_stop(&l);
}

/* What goes out is smooth whatever comes in: departures of single units are T/N apart, but for rounding. */
Test(bounds, queue_departures_are_even)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct rl_config config = plain_config(limits[seed % 6], lengths[seed % 5] * 7);
        struct limiter_run l;
        struct rng r;
        uint64_t now = 0, last = 0, passes = 0, n = config.limit, t = config.window_ns;
        rng_seed(&r, seed, 6);
        config.burst = 1 + seed;
        start(&l, "leaky-queue", &config);
        for (uint32_t step = 0; step < 5000; step++) {
            now += rng_below(&r, 3) ? 0 : rng_below(&r, (uint32_t)(4 * t / n) + 2);
            struct rl_answer a = ask(&l, 1, now, 1);
            uint64_t leaves = now + a.delay_ns;
            if (!a.allowed)
                continue;
            cr_assert(a.delay_ns * n < config.burst * t + n,
                      "%lu in %lu, %lu may wait: expected: at most %lu; actual: %lu", n, t, config.burst,
                      config.burst * t / n, a.delay_ns);
            cr_assert(passes == 0 || (leaves - last + 1) * n > t, "%lu in %lu: expected: %lu apart; actual: %lu", n, t,
                      t / n, leaves - last);
            last = leaves;
            passes++;
        }
        limiter_stop(&l);
        cr_assert(passes > 100, "expected: some pass; actual: %lu", passes);
    }
}
