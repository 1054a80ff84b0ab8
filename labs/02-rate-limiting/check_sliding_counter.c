/* Tests of task 2, the sliding counter. */
#include "check_calls.h"
#include "window.h"

#include <stdlib.h>

#define ENTRY "sliding-counter"

CHECK(sliding_counter, weighted_rule)
{
    struct rng r = random_of_test(11);
    struct list *l;
    for (uint32_t round = 0; round < 2; round++) {
        l = list_create(RULE_COUNTER, between(&r, 2, round ? 30 : 7), between(&r, 3, round ? 1000 : 30), 1);
        list_random(l, &r, between(&r, 0, 100), check_large() ? 6000 : 600);
        list_check(ENTRY, l, DECISIONS, NULL);
    }
    l = list_create(RULE_COUNTER, 50, 60 * S, 1);
    for (uint32_t i = 0; i < 42; i++) /* the worked example of README.md */
        list_ask(l, 7, 60 * S + i * S, 1);
    for (uint32_t i = 0; i < 20; i++)
        list_ask(l, 7, 120 * S + 15 * S, 1);
    list_check(ENTRY, l, DECISIONS, "A quarter of the window is over: 42 x 0.75 + 18 = 49.5 fits, 50.5 does not.");
    l = list_create(RULE_COUNTER, RL_MAX_UNITS - between(&r, 0, 1000), RL_MAX_WINDOW - between(&r, 0, 1000), 1);
    list_random(l, &r, RL_MAX_TIME - 2000 * RL_MAX_WINDOW, 300);
    list_check(ENTRY, l, DECISIONS, "N x T is up to 10^24 here, which 64 bits do not hold.");
}

/* Full in window k, then back in k + 2 or later: the window before is empty, whatever was in k. */
CHECK(sliding_counter, two_windows_old)
{
    struct rng r = random_of_test(12);
    const uint64_t n = between(&r, 4, 20), t = between(&r, 50, 500);
    struct list *l = list_create(RULE_COUNTER, n, t, 1);
    uint64_t window = between(&r, 0, 5);
    for (uint32_t i = 0; i < (check_large() ? 300u : 30u); i++) {
        list_ask(l, i % 2, window * t + between(&r, t / 2, t - 1), n);
        if (i % 3 == 2) /* somebody knocks in between, in vain */
            list_ask(l, i % 2, (window + 1) * t, n);
        window += i < 4 ? 2 : between(&r, 2, 6);
        const uint64_t at = window * t + between(&r, 0, i % 4 ? t / 4 : 0);
        list_ask(l, i % 2, at, n - 2);
        list_ask(l, i % 2, at, 2);
        list_ask(l, i % 2, at, 1);
        window += 2;
    }
    list_check(ENTRY, l, DECISIONS,
               "Only the window right before this one counts; one that is two old counts nothing.");
}

/* N at the last nanosecond of a window, then asks as often as helps. Fixed windows let 2 N through, at once; this rule
 * 2 N - 1, by and by. */
static void adversary(uint64_t n, uint64_t window)
{
    const uint64_t t = 1000 * n, begin = window * t;
    struct list *l = list_create(RULE_COUNTER, n, t, 1);
    for (uint64_t i = 0; i < n + 2; i++)
        list_ask(l, 7, begin - 1, 1);
    for (uint64_t at = begin; at < begin + 2 * t; at += 250)
        list_ask(l, 7, at, 1);
    struct call_answer *answer = list_answers(ENTRY, l);
    struct admitted *admitted = room_for(NULL, l->n, sizeof *admitted);
    size_t count = 0;
    for (uint32_t i = 0; i < l->n; i++)
        if (answer[i].allowed)
            admitted[count++] = (struct admitted){l->call[i].at, 1};
    const struct window worst = window_worst(admitted, count, t);
    check_that(worst.total == 2 * n - 1,
               "%s, N = %llu, T = %llu ns: %llu requests at %llu ns, the last nanosecond of a window, then one every "
               "250 ns.\nexpected: 2 N - 1 = %llu allowed in the worst window of T, and not fewer, since the rule lets "
               "that many through; actual: %llu, in the window that begins at %llu ns.\n"
               "(N is an exact log, 2 N are fixed windows.)",
               ENTRY, (ULL)n, (ULL)t, (ULL)n + 2, (ULL)begin - 1, (ULL)(2 * n - 1), (ULL)worst.total, (ULL)worst.begin);
    free(admitted);
    free(answer);
    list_free(l);
}

CHECK(sliding_counter, at_most_2n_minus_1)
{
    struct rng r = random_of_test(13);
    adversary(10, 1);
    adversary(100, between(&r, 1, 1000000));
    adversary(between(&r, 5, check_large() ? 1000 : 50), between(&r, 1, 1000));
}

CHECK(sliding_counter, retry_and_left)
{
    struct rng r = random_of_test(14);
    for (uint32_t round = 0; round < 3; round++) {
        const uint64_t n = between(&r, 3, round ? 90 : 8), t = round ? 60 * S : between(&r, 10, 60);
        struct list *l = list_create(RULE_COUNTER, n, t, 1);
        uint64_t at = between(&r, 0, t);
        for (uint32_t i = 0; i < (check_large() ? 2000u : 200u); i++)
            at = list_ask_until(l, i % 2, at + between(&r, 0, t / n), between(&r, 1, i % 8 ? (n + 2) / 3 : n + 1));
        list_check(ENTRY, l, RETRY | LEFT, NULL);
    }
}
