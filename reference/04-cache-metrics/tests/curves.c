/* curves.c: Mattson's curve against LRU at each size, and SHARDS against Mattson's. */
#include "caches.h"

#include <math.h>

TestSuite(curves, .timeout = 120);

enum { SIZES = 80, KEYS = 200000 };

static void curve(const char *name, uint32_t most_sampled, const uint64_t *key, size_t n, const uint64_t *capacity,
                  uint32_t capacities, double *misses)
{
    const struct cm_curve_config config = {.most_sampled = most_sampled};
    const struct cm_curve_ops *ops = entry_ops(name)->curve;
    cr_assert(ops && ops->misses(&config, key, n, capacity, capacities, misses) == 0, "%s: expected: a curve", name);
}

static void every_size(uint64_t *capacity, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        capacity[k] = k + 1;
}

/* Where all keys are watched, SHARDS has nothing to estimate. */
static void expect_lru(const uint64_t *key, uint32_t n)
{
    uint64_t capacity[SIZES];
    double exact[SIZES], sampled[SIZES];
    every_size(capacity, SIZES);
    curve("mattson", 1, key, n, capacity, SIZES, exact);
    curve("shards", 1000000, key, n, capacity, SIZES, sampled);
    for (uint32_t k = 0; k < SIZES; k++) {
        const double expected = (double)cache_misses("lru", capacity[k], key, n);
        if (exact[k] != expected || sampled[k] != expected)
            cr_assert(false, "capacity %lu of %u requests: expected: %g misses; actual: mattson %g, shards %g",
                      capacity[k], n, expected, exact[k], sampled[k]);
    }
}

Test(curves, mattson_is_lru_at_every_size)
{
    static uint64_t key[20000];
    struct rng r;
    for (uint32_t keys = 1; keys < 200; keys = 2 * keys + 1) {
        rng_seed(&r, keys, 1);
        for (uint32_t i = 0; i < 3000; i++)
            key[i] = rng_below(&r, 1 + rng_below(&r, keys)) - UINT64_C(3); /* 0 and UINT64_MAX among them */
        expect_lru(key, 3000);
    }
    keys_zipf(1, 1000, 0.8, key, 20000);
    expect_lru(key, 20000);
    for (uint32_t i = 0; i < 20000; i++)
        key[i] = i % 61;
    expect_lru(key, 20000);
    cr_assert(true, "all the same");
}

Test(curves, of_nothing_of_one_and_of_all_different)
{
    static const char *const name[] = {"mattson", "shards"};
    uint64_t key[3000], capacity[] = {1, 2, 2, 2999, 3000, UINT64_C(1) << 48};
    double misses[6];
    for (uint32_t e = 0; e < 2; e++) {
        curve(name[e], 5000, key, 0, capacity, 6, misses);
        for (uint32_t k = 0; k < 6; k++)
            cr_assert(misses[k] == 0, "%s: expected: of no requests none is missed", name[e]);
        for (uint32_t i = 0; i < 3000; i++)
            key[i] = UINT64_MAX;
        curve(name[e], 1, key, 3000, capacity, 6, misses);
        for (uint32_t k = 0; k < 6; k++)
            cr_assert(misses[k] == 1, "%s, one key: expected: 1 miss; actual: %g", name[e], misses[k]);
        for (uint32_t i = 0; i < 3000; i++)
            key[i] = i % 1500;
        curve(name[e], 5000, key, 3000, capacity, 6, misses);
        cr_assert(misses[0] == 3000 && misses[1] == 3000 && misses[2] == 3000, "%s, loop: expected: no hit", name[e]);
        cr_assert(misses[3] == 1500 && misses[5] == 1500, "%s, loop: expected: the second round hits", name[e]);
    }
}

/* More positions than the first arrays have, with few keys and with many. */
Test(curves, positions_are_used_up_and_keys_grow)
{
    static uint64_t key[KEYS];
    static const uint64_t capacity[] = {1, 100, 9999, 10000, 59999, 60000, 1000000};
    double misses[7];
    for (uint32_t i = 0; i < KEYS; i++)
        key[i] = i % 10000;
    curve("mattson", 1, key, KEYS, capacity, 7, misses);
    cr_assert(misses[1] == KEYS && misses[2] == KEYS && misses[3] == 10000, "expected: the loop hits from 10000 on");
    for (uint32_t i = 0; i < KEYS; i++)
        key[i] = i % 60000;
    curve("mattson", 1, key, KEYS, capacity, 7, misses);
    cr_assert(misses[3] == KEYS && misses[4] == KEYS && misses[5] == 60000 && misses[6] == 60000,
              "expected: the loop hits from 60000 on");
}

/* The same trace under eight names, so that each time other keys are watched. */
Test(curves, shards_is_near)
{
    enum { SOME = 2000, NAMES = 8 };
    static uint64_t key[KEYS];
    static const uint64_t capacity[] = {500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};
    double exact[8], sampled[8], again[8], sum = 0, bias = 0;
    for (uint32_t name = 0; name < NAMES; name++) {
        keys_zipf(3, 100000, 0.9, key, KEYS);
        for (uint32_t i = 0; i < KEYS; i++)
            key[i] += name << 20;
        curve("mattson", 1, key, KEYS, capacity, 8, exact);
        curve("shards", SOME, key, KEYS, capacity, 8, sampled);
        curve("shards", SOME, key, KEYS, capacity, 8, again);
        cr_assert(memcmp(sampled, again, sizeof sampled) == 0, "expected: the same twice");
        for (uint32_t k = 0; k < 8; k++) {
            sum += fabs(exact[k] - sampled[k]) / KEYS / 8 / NAMES;
            bias += (exact[k] - sampled[k]) / KEYS / 8 / NAMES;
            cr_assert(k == 0 || sampled[k] <= sampled[k - 1], "expected: more room, no more misses");
        }
    }
    cr_assert(sum < 0.025 && sum > 0, "expected: an error below 0.025 on average, and some; actual: %.4f", sum);
    cr_assert(fabs(bias) < 0.015, "expected: errors to both sides; actual: %.4f on average", bias);
    curve("shards", 1, key, KEYS, capacity, 8, sampled);
    for (uint32_t k = 0; k < 8; k++)
        cr_assert(sampled[k] >= 0 && sampled[k] <= KEYS, "one key watched: expected: a number of requests");
}

/* Two keys in turn, and only one may be watched: the other is not taken up again. */
Test(curves, who_was_dropped_stays_out)
{
    static uint64_t key[20000];
    static const uint64_t capacity = 1000000;
    double misses;
    for (uint32_t i = 0; i < 20000; i++)
        key[i] = i % 2;
    curve("shards", 1, key, 20000, &capacity, 1, &misses);
    cr_assert(misses <= 10, "expected: about two first requests; actual: %g", misses);
}

Test(curves, memory_is_given_back_and_runs_do_not_mix)
{
    uint64_t key[1000], capacity[4] = {1, 10, 100, 1000};
    double one[4], two[4], other[4];
    keys_zipf(5, 300, 1, key, 1000);
    curve("mattson", 1, key, 1000, capacity, 4, one);
    curve("mattson", 1, key, 500, capacity, 4, other);
    curve("mattson", 1, key, 1000, capacity, 4, two);
    cr_assert(memcmp(one, two, sizeof one) == 0 && other[3] < one[3], "expected: nothing is left from another run");
}
