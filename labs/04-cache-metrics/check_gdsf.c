/* Tests of task 3, greedy dual size frequency. */
#include "check_counted.h"
#include "check_requests.h"

#define ENTRY "gdsf"

CHECK(gdsf, values)
{
    struct rng r = random_of_test(30);
    struct list *l = list_create(RULE_GDSF, 10, 1);
    list_ask(l, 1, 5, 1000, 0); /* 200 */
    list_ask(l, 2, 5, 4000, 0); /* 800 */
    list_ask(l, 1, 5, 1000, 0); /* 400 */
    list_ask(l, 3, 2, 100, 0);  /* 1 goes: L = 400 */
    list_ask(l, 4, 3, 900, 0);
    list_ask(l, 3, 2, 100, 0);
    list_ask(l, 5, 4, 4000, 0);
    list_ask(l, 1, 1, 1, 0);
    list_check(ENTRY, l, "L is the value of what was evicted last: what is fetched later begins there.");
    for (uint32_t round = 0; round < 5; round++) {
        l = list_create(RULE_GDSF, between(&r, 20, 300), 1);
        list_random(l, &r,
                    &(struct shape){.requests = check_large() ? 8000 : 1500,
                                    .keys = between(&r, 10, 120),
                                    .size = round == 0 ? 1 : 40,
                                    .cost_us = round == 1 ? 3 : 100000,
                                    .own_size = round < 4});
        list_check(ENTRY, l, NULL);
    }
}

/* Who was hit often is worth more than the other, by little. */
static void many_hits(uint32_t hits, uint32_t cost, uint32_t other)
{
    struct list *l = list_create(RULE_GDSF, 2, 1);
    list_ask(l, 1, 1, cost, 0);
    list_ask(l, 2, 1, other, 0);
    for (uint32_t i = 0; i < hits; i++)
        list_ask(l, 1, 1, cost, 0);
    list_ask(l, 3, 1, 1, 0);
    list_check(ENTRY, l, "Visits have no end, and values are doubles.");
}

/* Costs of hours and sizes of one byte; costs of nothing; sizes beyond the cache. */
CHECK(gdsf, extremes)
{
    struct rng r = random_of_test(31);
    for (uint32_t round = 0; round < 3; round++) {
        struct list *l = list_create(RULE_GDSF, between(&r, 20, 60), 1);
        for (uint32_t i = 0; i < 300; i++)
            list_ask(l, rng_below(&r, 25), rng_below(&r, 3) ? between(&r, 1, 9) : between(&r, 1, 90),
                     round == 0         ? 0
                     : rng_below(&r, 2) ? UINT32_MAX - rng_below(&r, 9)
                                        : rng_below(&r, 9),
                     0);
        list_check(ENTRY, l, "cost x visits fits into no 32 bits.");
    }
    /* L is large, and what decides is small beside it */
    struct list *l = list_create(RULE_GDSF, 3, 1);
    for (uint32_t i = 0; i < 300; i++)
        list_ask(l, i < 5 ? i : 100 + rng_below(&r, 9), 1, i < 5 ? UINT32_MAX - i : between(&r, 1, 2000), 0);
    list_check(ENTRY, l, "A float has 24 bits: beside an L of billions it does not see a cost of a hundred.");
    many_hits(0, 4294967100, 4294967000);
    many_hits(299, 1, 290);
    many_hits((1u << 16) + 2, 10, 600000);
}

CHECK(gdsf, time_to_live)
{
    struct rng r = random_of_test(32);
    for (uint32_t round = 0; round < 6; round++) {
        struct list *l = list_create(RULE_GDSF, between(&r, 20, round < 3 ? 100 : 400), round == 2 ? 2 : 1);
        list_random(l, &r,
                    &(struct shape){.requests = check_large() ? 6000 : 1200,
                                    .keys = between(&r, 10, round < 3 ? 60 : 150),
                                    .size = 20,
                                    .cost_us = 1000,
                                    .ttl_ms = 4,
                                    .step_us = 300});
        list_check(ENTRY, l, "What is fetched again begins with one visit, and with the size and cost of now.");
    }
    list_check_edges(ENTRY, RULE_GDSF);
    list_check_ends(ENTRY, RULE_GDSF, 33);
}

CHECK(gdsf, cost)
{
    counted_growth(ENTRY, RULE_GDSF, 40, "looks for the least value among all, or for an object's place in the heap");
}
