/* contract.c: every cache against a slow literal model of the contract: what must be kept, what may be. */
#include "caches.h"

TestSuite(contract, .timeout = 120);

enum { MOST = 64, REQUESTS = 3000 };

/* What a cache holds, as far as its answers tell. */
struct contents {
    uint64_t capacity, kept;
    struct {
        uint64_t key, fetched;
        uint32_t size, ttl_ms;
    } object[MOST];
    uint32_t n;
};

static uint32_t find(const struct contents *c, uint64_t key)
{
    uint32_t i = 0;
    while (i < c->n && c->object[i].key != key)
        i++;
    return i;
}

static void drop(struct contents *c, uint32_t i)
{
    c->kept -= c->object[i].size;
    c->object[i] = c->object[--c->n];
}

static bool fresh(const struct contents *c, uint32_t i, uint64_t time)
{
    __extension__ typedef unsigned __int128 wide;
    return c->object[i].ttl_ms == 0 ||
           time < (wide)c->object[i].fetched + (wide)c->object[i].ttl_ms * UINT64_C(1000000);
}

/* What is wrong with this answer, or NULL; the contents follow. */
static const char *judge(struct contents *c, const struct cm_request *r, enum cm_answer answer,
                         const struct cm_evicted *evicted, unsigned can)
{
    uint32_t i = find(c, r->key);
    const bool here = i < c->n, hit = here && fresh(c, i, r->time);
    if (hit != (answer == CM_HIT))
        return hit ? "it is kept and fresh, but no hit" : "a hit that is not kept or not fresh";
    if (hit)
        return evicted->n ? "a hit evicts" : NULL;
    if (here)
        drop(c, i);
    if (r->size > c->capacity)
        return answer != CM_BYPASS ? "larger than the capacity, but kept" : evicted->n ? "it evicts in vain" : NULL;
    if (answer == CM_BYPASS && !(can & CM_ADMITS))
        return "it would fit, but is not kept";
    for (uint32_t k = 0; k < evicted->n; k++) {
        i = find(c, evicted->key[k]);
        if (evicted->key[k] == r->key)
            return "it evicts what was asked for";
        if (i == c->n)
            return "it evicts what is not kept";
        drop(c, i);
    }
    if (answer == CM_MISS) {
        c->object[c->n].key = r->key;
        c->object[c->n].fetched = r->time;
        c->object[c->n].size = r->size;
        c->object[c->n++].ttl_ms = r->ttl_ms;
        c->kept += r->size;
    }
    return c->kept > c->capacity ? "it keeps more than its capacity" : NULL;
}

static struct cm_request request[REQUESTS];

static void walk(const char *name, uint64_t capacity, const struct workload *w, uint64_t seed)
{
    struct cache_run run;
    struct contents c = {.capacity = capacity};
    struct rng r;
    const char *wrong = NULL;
    uint32_t i = 0;
    rng_seed(&r, seed, capacity);
    requests_draw(&r, w, request, REQUESTS);
    cr_assert(cache_start(&run, name, capacity) == 0, "%s: expected: a cache of %lu", name, capacity);
    for (; i < REQUESTS && !wrong; i++) {
        enum cm_answer answer = cache_ask(&run, &request[i]);
        wrong = judge(&c, &request[i], answer, &run.evicted, run.ops->can);
    }
    if (wrong)
        cr_assert(false, "%s, capacity %lu, %u keys, sizes up to %u, request %u, key %lu: %s", name, capacity, w->keys,
                  w->sizes, i - 1, request[i - 1].key, wrong);
    cache_stop(&run);
}

Test(contract, objects_of_one_size)
{
    for (const char *const *e = cache_entries; *e; e++)
        for (uint64_t capacity = 1; capacity < 40; capacity += 1 + capacity / 3)
            for (uint64_t seed = 1; seed <= 3; seed++)
                walk(*e, capacity, &(struct workload){.keys = 50, .sizes = 1, .costs = 9}, seed);
    cr_assert(true, "all kept to the contract");
}

Test(contract, objects_of_many_sizes)
{
    for (const char *const *e = cache_entries; *e; e++)
        for (uint64_t capacity = 1; capacity < 500; capacity += 1 + capacity / 2)
            for (uint32_t sizes = 2; sizes < 600; sizes *= 6)
                walk(*e, capacity, &(struct workload){.keys = 50, .sizes = sizes, .costs = 99}, sizes);
    cr_assert(true, "all kept to the contract");
}

Test(contract, objects_that_expire)
{
    for (const char *const *e = cache_entries; *e; e++)
        for (uint64_t capacity = 1; capacity < 200; capacity += 1 + capacity / 2)
            for (uint32_t shares = 1; shares < 5; shares++) {
                walk(*e, capacity, &(struct workload){.keys = 30, .sizes = 1, .costs = 9, .ttl_shares = shares}, 1);
                walk(*e, capacity, &(struct workload){.keys = 30, .sizes = 30, .costs = 9, .ttl_shares = shares}, 2);
            }
    cr_assert(true, "all kept to the contract");
}

Test(contract, capacities_within_bounds_are_taken)
{
    for (const char *const *e = cache_entries; *e; e++) {
        struct cache_run run;
        cr_assert(cache_start(&run, *e, 0) == -EINVAL, "%s: expected: a capacity of 0 is refused", *e);
        cr_assert(cache_start(&run, *e, (UINT64_C(1) << 48) + 1) == -EINVAL, "%s: expected: 2^48 + 1 is refused", *e);
        cr_assert(cache_start(&run, *e, UINT64_MAX) == -EINVAL, "%s: expected: 2^64 - 1 is refused", *e);
        cr_assert(cache_start(&run, *e, UINT64_C(1) << 48) == 0, "%s: expected: 2^48 is taken", *e);
        struct cm_request r = {.size = UINT32_MAX, .next = CM_NEVER};
        for (r.key = 0; r.key < 1000; r.key++)
            if (cache_ask(&run, &r) != CM_MISS || run.evicted.n)
                cr_assert(false, "%s: expected: room for object %lu", *e, r.key);
        for (r.key = 0; r.key < 1000; r.key++)
            if (cache_ask(&run, &r) != CM_HIT)
                cr_assert(false, "%s: expected: object %lu is here", *e, r.key);
        cache_stop(&run);
    }
}

Test(contract, an_object_expires_at_its_very_nanosecond)
{
    for (const char *const *e = cache_entries; *e; e++) {
        static const struct {
            uint64_t fetched, time;
            uint32_t ttl_ms;
            enum cm_answer answer;
        } row[] = {
            {5, 5, 1, CM_HIT},
            {5, 1000004, 1, CM_HIT},
            {5, 1000005, 1, CM_MISS},
            {5, UINT64_MAX, 0, CM_HIT},
            {UINT64_MAX, UINT64_MAX, 1, CM_HIT},
            {UINT64_MAX - 1000000, UINT64_MAX, 1, CM_MISS},
            {UINT64_MAX - 999999, UINT64_MAX, 1, CM_HIT},
            {1, UINT64_C(4294967295000000), UINT32_MAX, CM_HIT},
            {1, UINT64_C(4294967295000001), UINT32_MAX, CM_MISS},
        };
        for (uint32_t i = 0; i < sizeof row / sizeof *row; i++) {
            struct cache_run run;
            cr_assert(cache_start(&run, *e, 10) == 0, "%s: created", *e);
            struct cm_request r = {.key = 7, .time = row[i].fetched, .size = 1, .ttl_ms = row[i].ttl_ms, .next = 1};
            cr_assert(cache_ask(&run, &r) == CM_MISS, "%s: expected: the first is a miss", *e);
            r.time = row[i].time;
            r.next = 2;
            enum cm_answer answer = cache_ask(&run, &r);
            cr_assert(answer == row[i].answer, "%s, ttl %u, fetched at %lu, asked at %lu: expected: %d; actual: %d", *e,
                      row[i].ttl_ms, row[i].fetched, row[i].time, (int)row[i].answer, (int)answer);
            cr_assert(run.evicted.n == 0, "%s: expected: the old copy goes unnamed", *e);
            cache_stop(&run);
        }
    }
}

/* A hit with another size, cost and ttl; then a miss with them. */
Test(contract, an_object_keeps_what_it_was_fetched_with)
{
    for (const char *const *e = cache_entries; *e; e++) {
        struct cache_run run;
        struct cm_request r = {.key = 1, .size = 4, .ttl_ms = 2, .next = 1};
        cr_assert(cache_start(&run, *e, 10) == 0, "%s: created", *e);
        cr_assert(cache_ask(&run, &r) == CM_MISS, "%s: expected: a miss", *e);
        r = (struct cm_request){.key = 1, .time = 1000000, .size = 11, .cost_us = 7, .next = 3};
        cr_assert(cache_ask(&run, &r) == CM_HIT && run.evicted.n == 0, "%s: expected: a hit, whatever the size", *e);
        r = (struct cm_request){.key = 2, .time = 1000000, .size = 6, .next = 4};
        cr_assert(cache_ask(&run, &r) == CM_MISS && run.evicted.n == 0, "%s: expected: room for 6 beside the 4", *e);
        r = (struct cm_request){.key = 1, .time = 2000000, .size = 11, .next = 5};
        cr_assert(cache_ask(&run, &r) == CM_BYPASS && run.evicted.n == 0,
                  "%s: expected: its ttl is that of the fetch, and 11 is too large", *e);
        r = (struct cm_request){.key = 3, .time = 2000000, .size = 4, .next = 6};
        cr_assert(cache_ask(&run, &r) == CM_MISS && run.evicted.n == 0, "%s: expected: the old copy made room", *e);
        cache_stop(&run);
    }
}

Test(contract, what_expired_can_be_fetched_larger)
{
    for (const char *const *e = cache_entries; *e; e++) {
        struct cache_run run;
        struct cm_request r = {.key = 1, .size = 5, .ttl_ms = 1, .next = 2};
        cr_assert(cache_start(&run, *e, 10) == 0, "%s: created", *e);
        cache_ask(&run, &r);
        r.key = 2;
        r.size = 4;
        r.ttl_ms = 0;
        r.next = 3;
        cache_ask(&run, &r);
        r = (struct cm_request){.key = 1, .time = 5000000, .size = 10, .next = 4};
        enum cm_answer answer = cache_ask(&run, &r);
        cr_assert(answer == CM_MISS || run.ops->can & CM_ADMITS, "%s: expected: a miss", *e);
        if (answer == CM_MISS)
            cr_assert(run.evicted.n == 1 && run.evicted.key[0] == 2, "%s: expected: 2 is evicted, and only 2", *e);
        cache_stop(&run);
    }
}

struct answers {
    uint32_t n;
    uint64_t sum; /* of all that was said, in order */
};

static void note(struct answers *a, const struct cache_run *run, enum cm_answer answer)
{
    a->sum = a->sum * 31 + answer;
    for (uint32_t k = 0; k < run->evicted.n; k++)
        a->sum = a->sum * 31 + run->evicted.key[k] + 7;
    a->n++;
}

Test(contract, two_side_by_side_are_as_one_alone)
{
    for (const char *const *e = cache_entries; *e; e++) {
        struct cache_run alone, one, other;
        struct answers a = {0}, b = {0};
        struct rng r;
        rng_seed(&r, 9, 9);
        requests_draw(&r, &(struct workload){.keys = 40, .sizes = 5, .costs = 9, .ttl_shares = 4}, request, REQUESTS);
        cr_assert(cache_start(&alone, *e, 37) == 0, "%s: created", *e);
        for (uint32_t i = 0; i < REQUESTS; i++)
            note(&a, &alone, cache_ask(&alone, &request[i]));
        cache_stop(&alone);
        cr_assert(cache_start(&one, *e, 37) == 0 && cache_start(&other, *e, 11) == 0, "%s: created", *e);
        for (uint32_t i = 0; i < REQUESTS; i++) {
            note(&b, &one, cache_ask(&one, &request[i]));
            cache_ask(&other, &request[REQUESTS - 1 - i]);
        }
        cr_assert(a.n == b.n && a.sum == b.sum, "%s: expected: the same answers and evictions", *e);
        cache_stop(&one);
        cache_stop(&other);
    }
}

Test(contract, memory_follows_the_number_of_objects)
{
    for (const char *const *e = cache_entries; *e; e++) {
        struct cache_run few, many;
        struct cm_request r = {.size = 1, .next = CM_NEVER};
        cr_assert(cache_start(&few, *e, UINT64_C(1) << 40) == 0 && cache_start(&many, *e, 20000) == 0, "%s: created",
                  *e);
        const size_t empty = few.ops->bytes(few.cache);
        cr_assert(empty > 0 && empty < 65536, "%s, empty: expected: less than 64 KiB; actual: %zu", *e, empty);
        for (r.key = 0; r.key < 100000; r.key++)
            cache_ask(&many, &r);
        const size_t bytes = many.ops->bytes(many.cache);
        cr_assert(bytes >= 20000 * 16 && bytes < 20000 * 400,
                  "%s, 20000 objects: expected: 16 … 400 bytes each; actual: %zu", *e, bytes / 20000);
        cache_stop(&few);
        cache_stop(&many);
    }
}

/* Keys that differ in few bits, high or low. */
Test(contract, no_pattern_of_keys_is_slow_or_lost)
{
    for (const char *const *e = cache_entries; *e; e++)
        for (uint32_t shift = 0; shift < 64; shift += 9) {
            struct cache_run run;
            struct cm_request r = {.size = 1, .next = CM_NEVER};
            uint32_t hits = 0, n = 0;
            cr_assert(cache_start(&run, *e, 5000) == 0, "%s: created", *e);
            for (uint32_t round = 0; round < 2; round++)
                for (uint64_t i = 0; i < 4000 && (i == 0 || i << shift >> shift == i); i++) {
                    r.key = i << shift;
                    hits += cache_ask(&run, &r) == CM_HIT;
                    n++;
                }
            cr_assert(2 * hits == n, "%s, keys << %u: expected: %u hits; actual: %u", *e, shift, n / 2, hits);
            cache_stop(&run);
        }
}
