/* entries_load.c: entries that look at the load: whom they may pick, by the account of the driver. */
#include "entries.h"

#include <criterion/criterion.h>

TestSuite(entries_load, .timeout = 60);

static bool eligible(const struct driver *d, uint32_t i)
{
    return d->member[i] && d->weight[i] > 0;
}

static void drive(const char *name, void (*picked)(const struct driver *d, uint32_t backend))
{
    static const uint32_t sizes[] = {1, 2, 7, 64};
    for (uint32_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct driver d;
            driver_start(&d, name, sizes[s], seed);
            d.picked = picked;
            for (uint32_t k = 0; k < 6000; k++)
                driver_step(&d, true);
            driver_stop(&d);
        }
}

/* How many others have a lower load. */
static uint32_t count_below(const struct driver *d, const uint32_t *load, uint32_t backend)
{
    uint32_t below = 0;
    for (uint32_t i = 0; i < d->config.max_backends; i++)
        below += i != backend && eligible(d, i) && load[i] < load[backend];
    return below;
}

static void has_the_fewest(const struct driver *d, uint32_t backend)
{
    uint32_t below = count_below(d, d->in_flight, backend);
    cr_assert(below == 0,
              "%s: expected: a member with the fewest in flight; actual: backend %u with %u, and %u have fewer",
              d->name, backend, d->in_flight[backend], below);
}

static void reported_the_fewest(const struct driver *d, uint32_t backend)
{
    uint32_t below = count_below(d, d->reported, backend);
    cr_assert(below == 0,
              "%s: expected: a member that reported the least; actual: backend %u with %u, and %u have less", d->name,
              backend, d->reported[backend], below);
}

static void is_the_least_loaded(const struct driver *d, uint32_t backend)
{
    uint64_t mine = d->in_flight[backend] + 1ull, weight = d->weight[backend];
    for (uint32_t i = 0; i < d->config.max_backends; i++)
        cr_assert(!eligible(d, i) || mine * d->weight[i] <= (d->in_flight[i] + 1ull) * weight,
                  "%s: expected: the least (in flight + 1) / weight; actual: backend %u with (%u + 1) / %u, and %u has "
                  "(%u + 1) / %u",
                  d->name, backend, d->in_flight[backend], d->weight[backend], i, d->in_flight[i], d->weight[i]);
}

Test(entries_load, scans_and_their_fast_forms_take_the_least)
{
    drive("least-connections", has_the_fewest);
    drive("least-connections-buckets", has_the_fewest);
    drive("weighted-least-connections", is_the_least_loaded);
    drive("weighted-least-connections-heap", is_the_least_loaded);
    drive("join-shortest-queue", reported_the_fewest);
}

/* Of `choices` different ones that were drawn the picked one is the best, so there are that many less one no better. */
static void beats(const struct driver *d, const uint32_t *load, uint32_t backend, uint32_t choices)
{
    uint32_t others = d->members - 1, wanted = others < choices - 1 ? others : choices - 1, worse = 0;
    for (uint32_t i = 0; i < d->config.max_backends; i++)
        worse += i != backend && eligible(d, i) && load[i] >= load[backend];
    cr_assert(worse >= wanted, "%s: expected: at least %u of %u others as loaded as backend %u with %u; actual: %u",
              d->name, wanted, others, backend, load[backend], worse);
}

static void beats_one(const struct driver *d, uint32_t backend)
{
    beats(d, d->in_flight, backend, 2);
}

static void beats_two(const struct driver *d, uint32_t backend)
{
    beats(d, d->in_flight, backend, 3);
}

static void beats_one_reported(const struct driver *d, uint32_t backend)
{
    beats(d, d->reported, backend, 2);
}

Test(entries_load, the_worst_never_wins_a_choice)
{
    drive("two-choices", beats_one);
    drive("three-choices", beats_two);
    drive("two-choices-reported", beats_one_reported);
}

/* An idle fleet of equals is all ties. */
Test(entries_load, equals_take_turns)
{
    static const char *const names[] = {"least-connections", "least-connections-buckets", "weighted-least-connections",
                                        "weighted-least-connections-heap", "join-shortest-queue"};
    for (uint32_t e = 0; e < sizeof names / sizeof *names; e++)
        for (uint32_t n = 1; n <= MOST; n += 9) {
            struct driver d;
            uint32_t got[MOST] = {0};
            driver_start(&d, names[e], n, 1);
            for (uint32_t i = 0; i < n; i++)
                driver_add(&d, i, 3);
            for (uint32_t k = 0; k < 10 * n; k++) {
                got[driver_pick(&d)]++;
                driver_end(&d, 0, LB_OK, 1000);
            }
            for (uint32_t i = 0; i < n; i++)
                cr_assert(got[i] == 10, "%s, %u idle equals: expected: 10 picks for each; actual: backend %u got %u",
                          names[e], n, i, got[i]);
            driver_stop(&d);
        }
}

/* A scan and its fast form give equal shares of an uneven, busy fleet as well; only who comes first among equals
 * differs. */
Test(entries_load, fast_forms_share_as_the_scans_do)
{
    static const char *const pairs[][2] = {{"least-connections", "least-connections-buckets"},
                                           {"weighted-least-connections", "weighted-least-connections-heap"}};
    for (uint32_t p = 0; p < 2; p++) {
        uint32_t got[2][7] = {{0}};
        for (uint32_t form = 0; form < 2; form++) {
            struct driver d;
            driver_start(&d, pairs[p][form], 7, 4);
            for (uint32_t i = 0; i < 7; i++)
                driver_add(&d, i, 1 + i);
            for (uint32_t k = 0; k < 28000; k++) {
                got[form][driver_pick(&d)]++;
                if (d.flights > 60)
                    driver_end(&d, rng_below(&d.random, d.flights), LB_OK, 1000);
            }
            driver_stop(&d);
        }
        for (uint32_t i = 0; i < 7; i++) {
            double ratio = (double)got[1][i] / (double)got[0][i];
            cr_assert(ratio > 0.9 && ratio < 1.1, "%s: expected: backend %u gets about %u as by %s; actual: %u",
                      pairs[p][1], i, got[0][i], pairs[p][0], got[1][i]);
        }
    }
}

Test(entries_load, the_idle_queue_is_served_in_its_order)
{
    struct driver d;
    uint32_t got[8] = {0};
    driver_start(&d, "join-idle-queue", 8, 1);
    for (uint32_t i = 0; i < 8; i++)
        driver_add(&d, i, 1);
    static const uint32_t idle[] = {5, 2, 7, 2, 5, 0, 3}; /* who says it twice is queued once */
    static const uint32_t expected[] = {5, 2, 7, 0};
    for (uint32_t k = 0; k < sizeof idle / sizeof *idle; k++)
        driver_idle(&d, idle[k]);
    driver_remove(&d, 3); /* waits, but has left */
    for (uint32_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        uint32_t b = driver_pick(&d);
        cr_assert(b == expected[k], "pick %u of those that said they are idle: expected: %u; actual: %u", k + 1,
                  expected[k], b);
    }
    /* Nobody is left in the queue: any of the 7 members. */
    for (uint32_t k = 0; k < 400; k++)
        got[driver_pick(&d)]++;
    for (uint32_t i = 0; i < 8; i++)
        cr_assert(i == 3 ? got[i] == 0 : got[i] > 20,
                  "expected: about 57 of 400 random picks; actual: backend %u got %u", i, got[i]);
    for (uint32_t round = 0; round < 100; round++) { /* round the ring many times */
        uint32_t who = round * 5 % 8 == 3 ? 4 : round * 5 % 8;
        driver_idle(&d, who);
        uint32_t b = driver_pick(&d);
        cr_assert(b == who, "round %u: expected: %u, which is idle; actual: %u", round, who, b);
        driver_end(&d, 0, LB_OK, 1);
        driver_end(&d, 0, LB_OK, 1);
    }
    driver_stop(&d);
}

/* Peak EWMA with two members: both are drawn, so there is no chance in it. */
Test(entries_load, peak_ewma_takes_the_sooner)
{
    struct driver d;
    driver_start(&d, "peak-ewma", 2, 1);
    driver_add(&d, 0, 1);
    driver_add(&d, 1, 1);
    uint32_t first = driver_pick(&d), second = driver_pick(&d);
    cr_assert(first != second, "expected: the one never measured that is idle; actual: %u twice", first);
    d.now = 1000000;
    driver_end(&d, 0, LB_OK, 10000000); /* `first` takes 10 ms, `second` 25 */
    driver_end(&d, 0, LB_OK, 25000000);
    uint32_t expected[] = {first, first, second, first}; /* 10, 20, 25 < 30, 30 < 50 */
    for (uint32_t k = 0; k < 4; k++) {
        uint32_t b = driver_pick(&d);
        cr_assert(b == expected[k], "pick %u: expected: backend %u; actual: %u", k + 1, expected[k], b);
    }
    while (d.flights > 0)
        driver_end(&d, 0, LB_OK, d.flying[0] == first ? 300000000 : 25000000); /* one peak counts at once */
    uint32_t b = driver_pick(&d);
    cr_assert(b == second, "after a peak of %u: expected: backend %u; actual: %u", first, second, b);
    driver_end(&d, 0, LB_OK, 25000000);
    d.now += 1000000000; /* tau: 300 ms are 110.4 now */
    for (uint32_t k = 0; k < 20; k++) {
        b = driver_pick(&d);
        cr_assert(b == second, "expected: backend %u, 25 ms against 110; actual: %u", second, b);
        driver_end(&d, 0, LB_OK, 25000000);
    }
    d.now += 1600000000; /* 300 ms x e^-2.6 are 22.3, 25 ms x e^-1.6 are 5.0 */
    b = driver_pick(&d);
    cr_assert(b == second, "expected: backend %u, which fades too; actual: %u", second, b);
    driver_end(&d, 0, LB_OK, 25000000); /* measured anew: 25 against 22.3 */
    b = driver_pick(&d);
    cr_assert(b == first, "expected: backend %u, whose peak has faded to 22.3 ms; actual: %u", first, b);
    driver_stop(&d);
}
