/* Tests of task 3, a window of time. */
#include "check_counted.h"
#include "check_steps.h"

#define ENTRY "time-breaker"

CHECK(time_breaker, slices)
{
    struct rng r = random_of_test(20);
    struct cb_breaker_config c = usual_breaker();
    c.least_calls = 4;
    struct list *l = list_breaker(RULE_TIME, &c, 1);
    l->now = S - 1;
    list_call(l, CB_ERROR, MS);
    list_call(l, CB_ERROR, MS);
    l->now = 10 * S - 1; /* nine slices later: still in it */
    list_call(l, CB_SUCCESS, MS);
    l->now = 10 * S; /* out */
    list_call(l, CB_SUCCESS, MS);
    list_call(l, CB_ERROR, MS);
    list_call(l, CB_ERROR, MS); /* 2 of 4 */
    list_call(l, CB_SUCCESS, MS);
    list_check(ENTRY, l, "The window is the slice of now and the slices - 1 before it.");
    for (uint32_t round = 0; round < 6; round++) {
        c = usual_breaker();
        c.slices = round == 0 ? 1 : (uint32_t)between(&r, 2, 40);
        c.window_ns = c.slices * between(&r, round == 1 ? 1 : 1000, round == 1 ? 3 : S);
        c.least_calls = (uint32_t)between(&r, 1, 12);
        c.open_ns = between(&r, 1, 2 * c.window_ns);
        l = list_breaker(RULE_TIME, &c, 1);
        list_random(l, &r, check_large() ? 6000 : 1200, c.window_ns / 20);
        list_check(ENTRY, l, NULL);
    }
}

/* Nobody calls for a while: shorter than the window, as long, much longer, and from the middle of a slice. */
CHECK(time_breaker, pauses)
{
    struct rng r = random_of_test(21);
    for (uint32_t round = 0; round < 4; round++) {
        struct cb_breaker_config c = usual_breaker();
        c.slices = (uint32_t)between(&r, 2, 12);
        c.window_ns = c.slices * S;
        c.least_calls = 4;
        c.failure_percent = 60;
        struct list *l = list_breaker(RULE_TIME, &c, round == 3 ? 2 : 1);
        l->now = round == 2 ? UINT64_C(1) << 61 : 0;
        for (uint32_t i = 0; i < 150; i++) {
            const uint64_t pause[] = {0, 0, MS, S, c.window_ns - S, c.window_ns, c.window_ns + S, 1000000 * S};
            l->now += pause[rng_below(&r, round == 2 ? 7 : 8)] + (rng_below(&r, 4) ? 0 : between(&r, 1, S));
            list_random(l, &r, 8, 2 * MS);
        }
        list_check(ENTRY, l, "Slices in which nobody called are empty, also when there were many of them.");
    }
    struct cb_breaker_config c = usual_breaker();
    struct list *l = list_breaker(RULE_TIME, &c, 2);
    list_random(l, &r, 40, 200 * MS);
    list_check_ends(ENTRY, l);
}

CHECK(time_breaker, cost)
{
    counted_growth(ENTRY, RULE_TIME, 20, "keeps every call, or looks at every slice");
}
