/* Tests of task 1, least recently used: the first cache, so the contract's own edges are tested here too. */
#include "check_counted.h"
#include "check_requests.h"

#define ENTRY "lru"

CHECK(lru, order)
{
    struct rng r = random_of_test(1);
    struct list *l = list_create(RULE_LRU, 3, 1);
    for (uint32_t key = 1; key <= 4; key++) /* 1 goes */
        list_ask(l, key, 1, 10, 0);
    list_ask(l, 2, 1, 10, 0); /* a hit: 3 is the oldest now */
    list_ask(l, 5, 1, 10, 0);
    list_ask(l, 3, 1, 10, 0);
    list_ask(l, 2, 1, 10, 0);
    list_check(ENTRY, l, "A hit is a use as much as a miss is.");
    l = list_create(RULE_LRU, 1, 1);
    list_random(l, &r, &(struct shape){.requests = 60, .keys = 3, .size = 1});
    list_check(ENTRY, l, NULL);
    for (uint32_t round = 0; round < 3; round++) {
        l = list_create(RULE_LRU, between(&r, 2, 60), 1);
        list_random(l, &r,
                    &(struct shape){.requests = check_large() ? 8000 : 1500, .keys = between(&r, 20, 150), .size = 1});
        list_check(ENTRY, l, NULL);
    }
}

CHECK(lru, sizes)
{
    struct rng r = random_of_test(2);
    for (uint32_t round = 0; round < 4; round++) {
        struct list *l = list_create(RULE_LRU, between(&r, 30, 400), 1);
        list_random(l, &r,
                    &(struct shape){.requests = check_large() ? 6000 : 1200,
                                    .keys = between(&r, 10, 100),
                                    .size = round % 2 ? 40 : 500, /* some fit in no way */
                                    .own_size = round < 2});
        list_check(ENTRY, l,
                   "As many are evicted as it takes, and no more; what is larger than the cache is passed on.");
    }
    list_check_edges(ENTRY, RULE_LRU);
}

CHECK(lru, time_to_live)
{
    struct rng r = random_of_test(3);
    struct list *l = list_create(RULE_LRU, 3, 1);
    l->now = UINT64_MAX / 2; /* a ttl of weeks, and a clock that began long ago */
    list_ask(l, 1, 1, 10, UINT32_MAX);
    l->now += UINT32_MAX * MS - 1;
    list_ask(l, 1, 1, 10, 0);
    l->now += 1;
    list_ask(l, 1, 1, 10, 0);
    list_check(ENTRY, l, "A ttl of 2^32-1 ms fits into no 32 bits of nanoseconds.");
    for (uint32_t round = 0; round < 3; round++) {
        l = list_create(RULE_LRU, between(&r, 5, 100), 1);
        list_random(l, &r,
                    &(struct shape){.requests = check_large() ? 6000 : 1200,
                                    .keys = between(&r, 10, 60),
                                    .size = round ? 20 : 1,
                                    .ttl_ms = 4,
                                    .step_us = 300});
        list_check(ENTRY, l, "What is over takes up room until it is evicted or asked for again.");
    }
}

/* What one cache holds is none of another's business, whatever their capacities. */
CHECK(lru, side_by_side)
{
    struct rng r = random_of_test(4);
    struct list *l = list_create(RULE_LRU, between(&r, 3, 10), 3);
    l->caches.config[1].capacity = between(&r, 20, 60);
    l->caches.config[2].capacity = 1;
    list_random(
        l, &r,
        &(struct shape){.requests = check_large() ? 6000 : 1500, .keys = 40, .size = 3, .ttl_ms = 9, .step_us = 200});
    list_check(ENTRY, l, "State lives behind the pointer that create gives.");
}

CHECK(lru, cost)
{
    counted_growth(ENTRY, RULE_LRU, 10, "looks at every object");
}

CHECK(lru, memory)
{
    counted_memory(ENTRY, RULE_LRU);
    list_check_ends(ENTRY, RULE_LRU, 5);
}
