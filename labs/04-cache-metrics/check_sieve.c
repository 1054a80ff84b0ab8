/* Tests of task 2, SIEVE. */
#include "base/memory.h"
#include "check_requests.h"

#define ENTRY "sieve"

CHECK(sieve, hand)
{
    struct rng r = random_of_test(20);
    struct list *l = list_create(RULE_SIEVE, 4, 1);
    const uint32_t published[] = {1, 2, 3, 4, 1, 3, 5, 2, 6, 4, 1, 7, 7, 3, 8, 5, 9, 6, 1};
    for (uint32_t i = 0; i < COUNT(published); i++)
        list_ask(l, published[i], 1, 10, 0);
    list_check(ENTRY, l, "The hand goes from old to new, clears each mark that it meets, and stays where it stopped.");
    l = list_create(RULE_SIEVE, 1, 1);
    list_random(l, &r, &(struct shape){.requests = 60, .keys = 3, .size = 1});
    list_check(ENTRY, l, NULL);
    for (uint32_t round = 0; round < 4; round++) {
        l = list_create(RULE_SIEVE, between(&r, 2, 60), 1);
        list_random(l, &r,
                    &(struct shape){.requests = check_large() ? 8000 : 1500, .keys = between(&r, 10, 150), .size = 1});
        list_check(ENTRY, l, NULL);
    }
}

/* How often it was hit is all the same. */
static void many_hits(uint32_t hits)
{
    struct list *l = list_create(RULE_SIEVE, 2, 1);
    list_ask(l, 1, 1, 10, 0);
    list_ask(l, 2, 1, 10, 0);
    for (uint32_t i = 0; i < hits; i++)
        list_ask(l, 1, 1, 10, 0);
    list_ask(l, 3, 1, 10, 0);
    list_check(ENTRY, l, "An object that was hit is marked, however often it was.");
}

/* The newest, at the hand, is over and asked for again: the hand goes on with the oldest, and not with what is new. */
static void the_newest_is_over(void)
{
    struct list *l = list_create(RULE_SIEVE, 3, 1);
    list_ask(l, 1, 1, 10, 0);
    list_ask(l, 2, 1, 10, 0);
    list_ask(l, 3, 1, 10, 0);
    list_ask(l, 1, 1, 10, 0);
    list_ask(l, 4, 1, 10, 1); /* 2 goes: 1 >3 4 */
    list_ask(l, 5, 1, 10, 1); /* 3 goes: 1 >4 5 */
    l->now = 1 * MS;
    list_ask(l, 5, 9, 10, 0); /* over, and passed on: 1 >4 */
    list_ask(l, 4, 1, 10, 0); /* over: >1 4 */
    list_ask(l, 6, 1, 10, 0);
    list_ask(l, 7, 1, 10, 0);
    list_check(ENTRY, l, "Behind the newest the hand goes on with the oldest, also when the newest was over.");
}

/* Every object is visited when the first has to go: the hand goes round once, and takes the one that it began with. */
CHECK(sieve, all_visited)
{
    struct rng r = random_of_test(21);
    struct list *l = list_create(RULE_SIEVE, between(&r, 3, 20), 1);
    const uint32_t n = (uint32_t)l->caches.config[0].capacity;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t key = 0; key < n; key++)
            list_ask(l, key + round, 1, 10, 0);
        for (uint32_t key = 0; key < n; key++)
            list_ask(l, key + round, 1, 10, 0);
        list_ask(l, 1000 + round, 1, 10, 0);
    }
    list_check(ENTRY, l, "Behind the newest the hand goes on with the oldest.");
    many_hits(1u << 8);
    many_hits(1u << 16);
}

CHECK(sieve, sizes_and_ttl)
{
    struct rng r = random_of_test(22);
    for (uint32_t round = 0; round < 4; round++) {
        struct list *l = list_create(RULE_SIEVE, between(&r, 20, 200), round == 3 ? 2 : 1);
        list_random(l, &r,
                    &(struct shape){.requests = check_large() ? 6000 : 1200,
                                    .keys = between(&r, 10, 80),
                                    .size = round == 2 ? 400 : 30, /* some fit in no way */
                                    .ttl_ms = round ? 4 : 0,
                                    .step_us = 300});
        list_check(ENTRY, l, "When the object at the hand goes, the hand is at the next newer one.");
    }
    for (uint32_t round = 0; round < 2; round++) { /* half of all fit in no way */
        struct list *l = list_create(RULE_SIEVE, 15, 1);
        list_random(l, &r,
                    &(struct shape){.requests = 600, .keys = 30, .size = 30, .ttl_ms = round ? 4 : 0, .step_us = 300});
        list_check(ENTRY, l, "What is passed on moves nothing, and no hand.");
    }
    the_newest_is_over();
    list_check_edges(ENTRY, RULE_SIEVE);
    list_check_ends(ENTRY, RULE_SIEVE, 23);
}
