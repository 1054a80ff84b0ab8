/* Tests of task 1, the states of a breaker, and task 2, its probes. */
#include "check_counted.h"
#include "check_steps.h"

#define ENTRY "count-breaker"

static uint32_t many(void)
{
    return check_large() ? 6000 : 1200;
}

CHECK(count_breaker, opens)
{
    struct rng r = random_of_test(1);
    struct cb_breaker_config c = usual_breaker();
    c.least_calls = 5;
    struct list *l = list_breaker(RULE_COUNT, &c, 1);
    const enum cb_outcome six[] = {CB_SUCCESS, CB_SUCCESS, CB_SUCCESS, CB_ERROR, CB_TIMEOUT, CB_ERROR};
    for (uint32_t i = 0; i < 6; i++) {
        list_call(l, six[i], MS);
        l->now += MS;
    }
    list_call(l, CB_SUCCESS, MS); /* 3 of 6: reached is enough */
    list_check(ENTRY, l, "It opens when the share is reached, and not before there are least_calls.");
    for (uint32_t round = 0; round < 8; round++) {
        c = usual_breaker();
        c.failure_percent = round == 0 ? 100 : (uint32_t)between(&r, 1, 100);
        c.least_calls = round == 1 ? 1 : (uint32_t)between(&r, 1, 20);
        c.window_calls = (uint32_t)between(&r, c.least_calls, 40);
        l = list_breaker(RULE_COUNT, &c, 1);
        for (uint32_t i = 0; i < 100; i++, l->now += MS)
            list_call(l, rng_below(&r, 100) < c.failure_percent ? CB_ERROR : CB_SUCCESS, MS);
        list_check(ENTRY, l, NULL);
    }
}

CHECK(count_breaker, window)
{
    struct rng r = random_of_test(2);
    for (uint32_t round = 0; round < 5; round++) {
        struct cb_breaker_config c = usual_breaker();
        c.window_calls = round == 0 ? 1 : (uint32_t)between(&r, 2, 60);
        c.least_calls = round == 3 ? c.window_calls : 1 + c.window_calls / 2;
        c.failure_percent = 60;
        struct list *l = list_breaker(RULE_COUNT, &c, 1);
        list_random(l, &r, many(), 200 * MS);
        list_check(ENTRY, l,
                   "Of outcomes that counted in this stay the last window_calls are looked at, whenever they came.");
    }
    /* least_calls larger than the window is never reached */
    struct cb_breaker_config c = usual_breaker();
    c.least_calls = c.window_calls + 1;
    struct list *l = list_breaker(RULE_COUNT, &c, 1);
    for (uint32_t i = 0; i < 60; i++)
        list_call(l, CB_ERROR, MS);
    list_check(ENTRY, l, "A window holds window_calls outcomes, and no more.");
}

CHECK(count_breaker, slow_and_ignored)
{
    struct rng r = random_of_test(3);
    struct cb_breaker_config c = usual_breaker();
    struct list *l = list_breaker(RULE_COUNT, &c, 1);
    for (uint32_t i = 0; i < 30; i++)
        list_call(l, CB_IGNORED, 100 * S); /* says nothing */
    for (uint32_t i = 0; i < 10; i++)
        list_call(l, i % 2 ? CB_SUCCESS : CB_ERROR, i % 2 ? S : S - 1); /* half slow, half failed */
    list_call(l, CB_SUCCESS, MS);
    list_check(ENTRY, l, "A success that took slow_ns is slow; what is ignored is neither.");
    for (uint32_t round = 0; round < 4; round++) {
        c.slow_percent = (uint32_t)between(&r, 20, 100);
        c.failure_percent = (uint32_t)between(&r, 20, 100);
        c.slow_ns = round == 3 ? 0 : between(&r, 2, S);
        l = list_breaker(RULE_COUNT, &c, 1);
        list_random(l, &r, many(), 300 * MS);
        list_check(ENTRY, l, NULL);
    }
}

CHECK(count_breaker, waits)
{
    struct rng r = random_of_test(4);
    for (uint32_t round = 0; round < 4; round++) {
        struct cb_breaker_config c = usual_breaker();
        c.open_ns = round == 0 ? 1 : between(&r, 2, 40 * S);
        struct list *l = list_breaker(RULE_COUNT, &c, 1);
        l->now = round == 3 ? UINT64_C(1) << 61 : 0;
        for (uint32_t i = 0; i < 10; i++, l->now += MS)
            list_call(l, CB_TIMEOUT, MS);
        const uint64_t opened = l->now - MS;
        for (uint32_t i = 0; i < 20 && l->now < opened + c.open_ns - 1; i++, l->now += c.open_ns / 25 + 1)
            list_call(l, CB_SUCCESS, MS); /* refused, and that changes nothing */
        l->now = opened + c.open_ns - 1 > l->now ? opened + c.open_ns - 1 : l->now;
        list_call(l, CB_SUCCESS, MS);
        l->now++;
        list_call(l, CB_SUCCESS, MS);
        list_check(ENTRY, l, "It is open for open_ns from the outcome that opened it, however often somebody asks.");
    }
}

CHECK(count_breaker, side_by_side)
{
    struct rng r = random_of_test(5);
    struct cb_breaker_config c = usual_breaker();
    struct list *l = list_breaker(RULE_COUNT, &c, 3);
    l->config.breaker[1].window_calls = 7;
    l->config.breaker[1].least_calls = 3;
    l->config.breaker[2].probes = 1;
    list_random(l, &r, 3 * many(), 200 * MS);
    list_check(ENTRY, l,
               "State lives behind the pointer that create gives: one shard's failures open no other's breaker.");
    l = list_breaker(RULE_COUNT, &c, 2);
    list_random(l, &r, 40, 200 * MS);
    list_check_ends(ENTRY, l);
}

CHECK(count_breaker, cost)
{
    counted_growth(ENTRY, RULE_COUNT, 20, "looks at every outcome of the window");
}

/* ---- probes ---- */

/* Open, and long enough. */
static struct list *half_open(const struct cb_breaker_config *c)
{
    struct list *l = list_breaker(RULE_COUNT, c, 1);
    for (uint32_t i = 0; i < c->least_calls; i++)
        list_call(l, CB_ERROR, MS);
    l->now += c->open_ns;
    return l;
}

CHECK(probes, exactly_so_many)
{
    struct rng r = random_of_test(10);
    for (uint32_t round = 0; round < 5; round++) {
        struct cb_breaker_config c = usual_breaker();
        c.probes = round == 0 ? 1 : (uint32_t)between(&r, 2, 30);
        struct list *l = half_open(&c);
        for (uint32_t i = 0; i < c.probes + 10; i++) {
            bool allowed;
            list_allow(l, 0, &allowed);
            l->now += rng_below(&r, 2) ? MS : 0;
        }
        list_check(ENTRY, l, "Half-open so many calls go as there are probes, not the whole crowd.");
        l = half_open(&c); /* those that come back make no room for others */
        for (uint32_t i = 0; i < c.probes + 5; i++) {
            if (i == c.probes - 1) {
                bool allowed;
                list_allow(l, 0, &allowed); /* one stays away */
            } else {
                list_call(l, rng_below(&r, 2) ? CB_SUCCESS : CB_ERROR, MS);
            }
        }
        list_check(ENTRY, l, "A probe that is back makes no room for another one.");
    }
}

CHECK(probes, decide)
{
    struct rng r = random_of_test(11);
    for (uint32_t round = 0; round < 6; round++) {
        struct cb_breaker_config c = usual_breaker();
        c.probes = (uint32_t)between(&r, 1, 12);
        c.failure_percent = (uint32_t)between(&r, 20, 100);
        c.window_calls = round == 0 ? 1 : 20; /* the probes' own tally, not the window */
        c.least_calls = round == 0 ? 1 : 10;
        struct list *l = half_open(&c);
        for (uint32_t i = 0; i < 300; i++) {
            const uint32_t luck = rng_below(&r, 100);
            if (!list_call(l, luck < 5 ? CB_IGNORED : luck < 40 ? CB_ERROR : CB_SUCCESS, luck < 60 ? MS : 2 * S))
                l->now += rng_below(&r, 3) ? c.open_ns : S;
        }
        list_check(
            ENTRY, l,
            "When all probes are back their share of failures decides; closed it begins with an empty window. What is "
            "ignored gives its permit back.");
    }
}

CHECK(probes, late_results)
{
    struct rng r = random_of_test(12);
    struct cb_breaker_config c = usual_breaker();
    struct list *l = list_breaker(RULE_COUNT, &c, 1);
    uint32_t old[40];
    bool allowed;
    for (uint32_t i = 0; i < 40; i++)
        old[i] = list_allow(l, 0, &allowed);
    for (uint32_t i = 0; i < 10; i++) /* ten of them open it */
        list_record(l, 0, old[i], CB_ERROR, MS);
    l->now += c.open_ns;
    const uint32_t probe = list_allow(l, 0, &allowed);
    for (uint32_t i = 10; i < 25; i++) /* of the time before: neither probes nor failures */
        list_record(l, 0, old[i], i % 2 ? CB_SUCCESS : CB_ERROR, MS);
    list_allow(l, 0, &allowed);
    list_record(l, 0, probe, CB_SUCCESS, MS);
    list_call(l, CB_SUCCESS, MS);
    list_call(l, CB_SUCCESS, MS);
    for (uint32_t i = 25; i < 40; i++)
        list_record(l, 0, old[i], CB_ERROR, MS);
    list_call(l, CB_SUCCESS, MS);
    list_check(ENTRY, l, "What a call of an earlier stay says counts nowhere: the breaker has changed since.");
    for (uint32_t round = 0; round < 4; round++) {
        c.least_calls = 4;
        c.window_calls = 8;
        c.open_ns = between(&r, 1, 900 * MS);
        c.probes = (uint32_t)between(&r, 1, 6);
        l = list_breaker(RULE_COUNT, &c, 1);
        list_random(l, &r, many(), 200 * MS);
        list_check(ENTRY, l, NULL);
    }
}

CHECK(probes, lost)
{
    struct rng r = random_of_test(13);
    for (uint32_t round = 0; round < 3; round++) {
        struct cb_breaker_config c = usual_breaker();
        c.probes_ns = round == 0 ? 1 : between(&r, 2, 10 * S);
        struct list *l = half_open(&c);
        bool allowed;
        for (uint32_t turn = 0; turn < 3; turn++) {
            for (uint32_t i = 0; i < c.probes; i++)
                list_allow(l, 0, &allowed); /* nobody comes back */
            const uint64_t since = l->now;
            l->now = since + c.probes_ns - 1;
            list_allow(l, 0, &allowed);
            l->now = since + c.probes_ns;
            list_allow(l, 0, &allowed);
            l->now += c.open_ns - 1;
            list_allow(l, 0, &allowed);
            l->now++;
        }
        list_call(l, CB_SUCCESS, MS);
        list_check(ENTRY, l,
                   "Probes that never come back must not hold the breaker half-open for ever: after probes_ns the next "
                   "who asks "
                   "is refused, and it is open again from then on.");
        c.probes_ns = between(&r, S, 2 * S);
        l = list_breaker(RULE_COUNT, &c, 1);
        list_random(l, &r, many(), 300 * MS);
        list_check(ENTRY, l, NULL);
    }
}
