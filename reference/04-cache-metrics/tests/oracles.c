/* oracles.c: caches against laws and published figures. */
#include "caches.h"
#include "models.h"

#include <math.h>

TestSuite(oracles, .timeout = 240);

enum { MANY = 1000000 };

static uint64_t key[2 * MANY];

static void expect_near(const char *what, double expected, double actual, double within)
{
    cr_assert(fabs(expected - actual) <= within, "%s: expected: %.4f; actual: %.4f", what, expected, actual);
}

/* Hits / requests of all but the first fifth. */
static double hit_ratio(const char *name, uint64_t capacity, uint32_t n)
{
    struct cache_run run;
    uint32_t hits = 0;
    const uint32_t from = n / 5;
    cr_assert(cache_start(&run, name, capacity) == 0, "%s: created", name);
    for (uint32_t i = 0; i < n; i++) {
        const struct cm_request r = {.key = key[i], .time = i, .size = 1, .cost_us = 1, .next = CM_NEVER};
        hits += cache_ask(&run, &r) == CM_HIT && i >= from;
    }
    cache_stop(&run);
    return (double)hits / (double)(n - from);
}

Test(oracles, beladys_anomaly)
{
    static const uint64_t trace[] = {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};
    cr_assert(cache_misses("fifo", 3, trace, 12) == 9, "expected: fifo misses 9 with room for 3");
    cr_assert(cache_misses("fifo", 4, trace, 12) == 10, "expected: fifo misses 10 with room for 4");
    cr_assert(cache_misses("lru", 3, trace, 12) == 10 && cache_misses("lru", 4, trace, 12) == 8, "expected: 10 and 8");
    cr_assert(cache_misses("belady", 3, trace, 12) == 7 && cache_misses("belady", 4, trace, 12) == 6,
              "expected: MIN misses 7 and 6");
}

Test(oracles, more_room_is_never_worse_for_lru)
{
    keys_zipf(1, 100, 0.7, key, 3000);
    uint64_t before = 3000;
    for (uint64_t capacity = 1; capacity <= 101; capacity++) {
        const uint64_t misses = cache_misses("lru", capacity, key, 3000);
        if (misses > before)
            cr_assert(false, "capacity %lu: expected: at most %lu misses; actual: %lu", capacity, before, misses);
        before = misses;
    }
    cr_assert(before <= 100, "expected: with room for all only first requests are missed");
}

/* The fewest misses of all ways to evict, by trying them all: sets of 6 keys are bits. */
static uint32_t fewest(const uint64_t *trace, uint32_t n, uint32_t capacity, bool may_pass)
{
    uint32_t best[64], next[64];
    memset(best, 0xff, sizeof best);
    best[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t bit = 1u << trace[i];
        memset(next, 0xff, sizeof next);
        for (uint32_t set = 0; set < 64; set++) {
            const uint32_t misses = best[set] + !(set & bit);
            if (best[set] == UINT32_MAX)
                continue;
            if ((set & bit || may_pass) && misses < next[set])
                next[set] = misses;
            if ((uint32_t)__builtin_popcount(set) < capacity && misses < next[set | bit])
                next[set | bit] = misses;
            for (uint32_t out = set; !(set & bit) && out; out &= out - 1) {
                const uint32_t with = (set & ~(out & -out)) | bit;
                next[with] = misses < next[with] ? misses : next[with];
            }
        }
        memcpy(best, next, sizeof best);
    }
    uint32_t min = UINT32_MAX;
    for (uint32_t set = 0; set < 64; set++)
        min = best[set] < min ? best[set] : min;
    return min;
}

Test(oracles, belady_is_the_best_there_is)
{
    struct rng r;
    rng_seed(&r, 1, 1);
    for (uint32_t round = 0; round < 3000; round++) {
        const uint32_t n = 4 + rng_below(&r, 20), capacity = 1 + rng_below(&r, 5);
        for (uint32_t i = 0; i < n; i++)
            key[i] = rng_below(&r, 6);
        const uint64_t kept = cache_misses("belady", capacity, key, n),
                       passed = cache_misses("belady-size", capacity, key, n);
        if (kept != fewest(key, n, capacity, false) || passed != fewest(key, n, capacity, true))
            cr_assert(false,
                      "%u requests, capacity %u: expected: %u and, where objects may pass, %u misses; actual: "
                      "%lu, %lu",
                      n, capacity, fewest(key, n, capacity, false), fewest(key, n, capacity, true), kept, passed);
    }
    cr_assert(true, "no way of evicting is better");
}

Test(oracles, nobody_beats_belady)
{
    for (uint32_t trace = 0; trace < 3; trace++) {
        keys_zipf(trace, 500, 0.4 + 0.4 * trace, key, 6000);
        for (uint32_t i = 0; i < 6000; i += 2)
            key[i] = trace == 1 ? i % 300 : key[i];
        for (uint64_t capacity = 1; capacity < 400; capacity *= 4) {
            const uint64_t least = cache_misses("belady", capacity, key, 6000),
                           passing = cache_misses("belady-size", capacity, key, 6000);
            for (const char *const *e = cache_entries; *e; e++) {
                const uint64_t misses = cache_misses(*e, capacity, key, 6000);
                cr_assert(misses >= (entry_ops(*e)->cache->can & CM_ADMITS ? passing : least),
                          "%s, capacity %lu: expected: at least MIN's %lu misses; actual: %lu", *e, capacity, least,
                          misses);
            }
        }
    }
}

Test(oracles, sieve_is_lfu_until_its_hand_first_wraps)
{
    static struct model model = {.capacity = 200};
    const struct model_policy *sieve = model_policies;
    struct cache_run one, other;
    uint32_t i = 0, behind = 0, different = 0;
    while (strcmp(sieve->name, "sieve") != 0)
        sieve++;
    keys_zipf(5, 100000, 0.9, key, 400000);
    cr_assert(cache_start(&one, "sieve", 200) == 0 && cache_start(&other, "lfu", 200) == 0, "created");
    for (bool wrapped = false; i < 400000 && !different; i++) {
        const struct cm_request r = {.key = key[i], .time = i, .size = 1, .next = CM_NEVER};
        const uint32_t hand = model.hand;
        model.evicted.n = 0;
        sieve->request(&model, &r);
        wrapped = wrapped || model.hand < hand;
        const enum cm_answer a = cache_ask(&one, &r), b = cache_ask(&other, &r);
        const bool same = a == b && one.evicted.n == other.evicted.n &&
                          (a == CM_HIT || one.evicted.n == 0 || one.evicted.key[0] == other.evicted.key[0]);
        cr_assert(same || wrapped, "request %u: expected: the same until the hand wraps", i);
        different += !same;
        behind += wrapped;
    }
    cr_assert(i > 1000 && behind && different, "expected: the same for long, and a difference later; %u requests", i);
    cache_stop(&one);
    cache_stop(&other);
    free(model.evicted.key);
}

/* Che's approximation: an object of rate p is here with probability 1 - exp(-p T), and T is such that these add up to
 * the capacity. */
static double che(uint32_t objects, double exponent, double capacity)
{
    double low = 0, high = 1e9, all = 0, hits = 0;
    for (uint32_t i = 1; i <= objects; i++)
        all += pow(i, -exponent);
    for (uint32_t step = 0; step < 60; step++) {
        const double middle = (low + high) / 2;
        double here = 0;
        for (uint32_t i = 1; i <= objects; i++)
            here += 1 - exp(-pow(i, -exponent) / all * middle);
        *(here < capacity ? &low : &high) = middle;
    }
    for (uint32_t i = 1; i <= objects; i++)
        hits += pow(i, -exponent) / all * (1 - exp(-pow(i, -exponent) / all * low));
    return hits;
}

Test(oracles, lru_by_ches_approximation)
{
    static const struct {
        double exponent, capacity, published;
    } row[] = {{0.8, 100, 0.159}, {0.8, 1000, 0.436}, {1, 100, 0.391}, {1, 1000, 0.677}, {1.2, 1000, 0.863}};
    for (uint32_t i = 0; i < 5; i++) {
        keys_zipf(i, 10000, row[i].exponent, key, MANY);
        const double actual = hit_ratio("lru", (uint64_t)row[i].capacity, MANY);
        expect_near("hit ratio of lru, Che", che(10000, row[i].exponent, row[i].capacity), actual, 0.004);
        expect_near("hit ratio of lru, the table of A7", row[i].published, actual, 0.004);
    }
}

Test(oracles, a_loop_that_is_one_too_long)
{
    for (uint32_t i = 0; i < 100000; i++)
        key[i] = i % 1001;
    cr_assert(cache_misses("lru", 1000, key, 100000) == 100000 && cache_misses("fifo", 1000, key, 100000) == 100000,
              "expected: no hit with room for 1000 of 1001");
    cr_assert(cache_misses("lru", 1001, key, 100000) == 1001, "expected: all hits with room for 1001");
    cr_assert(hit_ratio("lirs", 1000, 100000) > 0.97, "expected: lirs hits what it holds");
}

Test(oracles, random_on_a_loop)
{
    static const double expected[] = {0.629, 0.203};
    for (uint32_t k = 0; k < 2; k++) {
        for (uint32_t i = 0; i < MANY; i++)
            key[i] = i % (k ? 2000 : 1250);
        expect_near("h = exp(-n (1 - h) / c)", expected[k], hit_ratio("random", 1000, MANY), 0.005);
        cr_assert(hit_ratio("lru", 1000, 20000) == 0, "expected: lru hits nothing");
    }
}

Test(oracles, random_misses_as_often_as_fifo)
{
    keys_zipf(7, 10000, 1, key, MANY);
    expect_near("random", hit_ratio("fifo", 1000, MANY), hit_ratio("random", 1000, MANY), 0.002);
}

/* Miss ratios of libCacheSim, warm-up included: Zipf 1.0, 10,000 objects, 1,000 of them kept, 20 M requests. Here
 * are fewer, and SIEVE is not at its end after these: its hand has gone round less often. */
Test(oracles, miss_ratios_of_a_peer)
{
    static const struct {
        const char *name;
        double published, within;
    } row[] = {{"fifo", 0.3693, 0.002},  {"lru", 0.3246, 0.002}, {"clock", 0.3142, 0.002},
               {"sieve", 0.2460, 0.008}, {"arc", 0.2717, 0.004}, {"s3-fifo", 0.2623, 0.004}};
    keys_zipf(11, 10000, 1, key, 2 * MANY);
    for (uint32_t i = 0; i < sizeof row / sizeof *row; i++)
        expect_near(row[i].name, row[i].published, (double)cache_misses(row[i].name, 1000, key, 2 * MANY) / (2 * MANY),
                    row[i].within);
}

/* A hot set, and after each request for it one that is never asked for again. */
Test(oracles, who_resists_a_scan)
{
    static const char *const resists[] = {"slru", "2q", "arc", "lirs", "w-tinylfu", "s3-fifo", "sieve", "lfu"};
    keys_zipf(3, 2000, 0.8, key, 200000);
    for (uint32_t i = 0; i < 200000; i += 2)
        key[i] = MANY + i;
    const double lru = hit_ratio("lru", 500, 200000);
    for (uint32_t i = 0; i < sizeof resists / sizeof *resists; i++) {
        const double better = hit_ratio(resists[i], 500, 200000);
        cr_assert(better > lru + 0.05, "%s: expected: clearly more than lru's %.3f; actual: %.3f", resists[i], lru,
                  better);
    }
}

/* Work that the origin is spared, of all work, when one object in ten is dear. */
static double work_avoided(const char *name, uint32_t n)
{
    struct cache_run run;
    uint64_t all = 0, avoided = 0;
    cr_assert(cache_start(&run, name, 300) == 0, "%s: created", name);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t cost = key[i] % 10 == 0 ? 500000 : 1000;
        const struct cm_request r = {.key = key[i], .time = i, .size = 1, .cost_us = cost, .next = CM_NEVER};
        all += cost;
        avoided += cache_ask(&run, &r) == CM_HIT ? cost : 0;
    }
    cache_stop(&run);
    return (double)avoided / (double)all;
}

Test(oracles, gdsf_hits_less_often_and_spares_more_work)
{
    struct cache_run run;
    keys_zipf(9, 5000, 0.8, key, 200000);
    cr_assert(work_avoided("gdsf", 200000) > work_avoided("lru", 200000) + 0.1, "expected: clearly more work avoided");
    cr_assert(cache_start(&run, "gdsf", 10) == 0, "created");
    static const struct cm_request r[] = {{.key = 1, .size = 5, .cost_us = 10},
                                          {.key = 2, .size = 5, .cost_us = 5},
                                          {.key = 3, .size = 1, .cost_us = 1},
                                          {.key = 4, .size = 10, .cost_us = 1},
                                          {.key = 3, .size = 1, .cost_us = 1}};
    static const uint32_t evicted[] = {0, 0, 1, 2, 1};
    for (uint32_t i = 0; i < 5; i++) {
        cache_ask(&run, &r[i]);
        cr_assert(run.evicted.n == evicted[i], "request %u: expected: %u evicted; actual: %u", i, evicted[i],
                  run.evicted.n);
    }
    cache_stop(&run);
}
