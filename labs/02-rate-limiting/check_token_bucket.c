/* Tests of task 3, the token bucket. */
#include "check_calls.h"

#include <stdlib.h>

#define ENTRY "token-bucket"

/* Polled far more often than tokens come, at rates that T/N does not go into. */
static void polled(uint64_t limit, uint64_t window_ns, uint64_t burst, uint64_t every, uint64_t start)
{
    struct list *l = list_create(RULE_BUCKET, limit, window_ns, burst);
    for (uint32_t i = 0; i < (check_large() ? 20000u : 3000u); i++)
        list_ask(l, 7, start + i * every, 1);
    list_check(ENTRY, l, DECISIONS,
               "What is due at a moment does not depend on how often anybody asked before: no part of a token may be "
               "lost or gained.");
}

CHECK(token_bucket, no_drift)
{
    struct rng r = random_of_test(21);
    polled(3000, S, 10, 100000, between(&r, 0, S));
    polled(7, 100, 3, 1, between(&r, 0, 100));
    polled(between(&r, 2, 9), 10 * between(&r, 10, 99) + 1, 2, 1, 0);
    polled(10, S, 1, 10 * MS, between(&r, 0, S));
    polled(1, MS, 1, 1000, 0);
}

/* However long nobody asks, the bucket does not get fuller than full. */
CHECK(token_bucket, never_above_b)
{
    struct rng r = random_of_test(22);
    const uint64_t n = between(&r, 2, 20), b = between(&r, 2, 12), t = n * between(&r, 5, 50) + 1;
    const uint64_t full = b * t / n + 1; /* from empty */
    struct list *l = list_create(RULE_BUCKET, n, t, b);
    uint64_t at = between(&r, 0, t);
    for (uint32_t i = 0; i < (check_large() ? 200u : 25u); i++) {
        for (uint64_t k = 0; k < b + 1; k++)
            list_ask(l, 7, at, 1);
        at += i % 4 == 0 ? full : i % 4 == 1 ? full - 1 - between(&r, 0, full / 2) : full * between(&r, 2, 1000);
    }
    for (uint32_t i = 0; i < 3; i++) {
        list_ask(l, 7, at, b);
        list_ask(l, 7, at, 1);
        at = list_ask_until(l, 7, at + full / 2, b) + 5 * full;
    }
    list_check(ENTRY, l, DECISIONS, "A bucket starts full and holds at most B.");
}

/* ---- B + floor(L N / T) ---- */

static void asked_all_the_time(struct list *l, uint64_t start, uint64_t length)
{
    for (uint64_t at = start; at <= start + length; at++)
        list_ask(l, 7, at, 1);
    for (uint64_t i = 0; i < l->config.burst; i++) /* what is left of the first B */
        list_ask(l, 7, start + length, 1);
}

static void expect_bound(const struct list *l, const struct call_answer *answer)
{
    const uint64_t n = l->config.limit, t = l->config.window_ns, b = l->config.burst;
    uint64_t total = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        total += answer[i].allowed;
        uint64_t sum = 0;
        for (uint32_t k = i; k < l->n && answer[i].allowed; k++) {
            const uint64_t length = l->call[k].at - l->call[i].at, most = b + length * n / t;
            sum += answer[k].allowed;
            check_that(sum <= most,
                       "%s, N = %llu, T = %llu ns, B = %llu, one request a nanosecond.\nexpected: in the %llu ns from "
                       "%llu ns on at most B + floor(L N / T) = %llu are allowed; actual: %llu",
                       ENTRY, (ULL)n, (ULL)t, (ULL)b, (ULL)length, (ULL)l->call[i].at, (ULL)most, (ULL)sum);
        }
    }
    const uint64_t length = l->call[l->n - 1].at - l->call[0].at, most = b + length * n / t;
    check_that(total == most,
               "%s, N = %llu, T = %llu ns, B = %llu, one request a nanosecond for %llu ns, and B more at the end.\n"
               "expected: B + floor(L N / T) = %llu are allowed, since whenever there was a token somebody asked for "
               "it; actual: %llu",
               ENTRY, (ULL)n, (ULL)t, (ULL)b, (ULL)length, (ULL)most, (ULL)total);
}

CHECK(token_bucket, bound)
{
    struct rng r = random_of_test(23);
    for (uint32_t round = 0; round < 2; round++) {
        const uint64_t n = between(&r, 2, 9), t = n * between(&r, 2, 9) + 1;
        struct list *l = list_create(RULE_BUCKET, n, t, between(&r, 1, 20));
        asked_all_the_time(l, between(&r, 0, 1000), check_large() ? 3000 : 1000);
        struct call_answer *answer = list_answers(ENTRY, l);
        expect_bound(l, answer);
        free(answer);
        list_free(l);
    }
}

/* ---- large numbers ---- */

CHECK(token_bucket, costs_and_overflow)
{
    struct rng r = random_of_test(24);
    const uint64_t late = RL_MAX_TIME - 2000 * RL_MAX_WINDOW;
    struct list *l = list_create(RULE_BUCKET, between(&r, 3, 9), between(&r, 100, 999), between(&r, 5, 40));
    list_random(l, &r, between(&r, 0, 1000), check_large() ? 3000 : 300);
    list_check(ENTRY, l, RETRY | LEFT, NULL);
    l = list_create(RULE_BUCKET, RL_MAX_UNITS, RL_MAX_WINDOW - between(&r, 0, 99), RL_MAX_UNITS);
    list_random(l, &r, late, 300);
    list_check(ENTRY, l, RETRY | LEFT, "B x T is up to 10^24 here, which 64 bits do not hold.");
    l = list_create(RULE_BUCKET, RL_MAX_UNITS, between(&r, 1, 9), between(&r, 5, RL_MAX_UNITS));
    list_ask(l, 7, between(&r, 0, 9), l->config.burst);
    list_random(l, &r, late, 300);
    list_check(ENTRY, l, RETRY | LEFT, "Time x N is up to 2^92 here.");
    l = list_create(RULE_BUCKET, 1, RL_MAX_WINDOW, 1000);
    list_ask(l, 7, 0, 1000);
    for (uint64_t i = 1; i < 10; i++)
        list_ask_until(l, 7, i * RL_MAX_WINDOW - 1, 1);
    list_ask(l, 7, RL_MAX_TIME - 1, 1001);
    list_ask(l, 7, RL_MAX_TIME - 1, 1000);
    list_check(ENTRY, l, RETRY | LEFT, NULL);
}
