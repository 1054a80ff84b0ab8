/* entries_turns.c: entries that take turns: the shares, and how far from them anybody ever is. */
#include "entries.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

TestSuite(entries_turns, .timeout = 60);

/* Adds n members with weights of 1 ... most; the sum. */
static uint32_t add_members(struct driver *d, uint32_t n, uint32_t most)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t weight = 1 + rng_below(&d->random, most);
        driver_add(d, i, weight);
        total += weight;
    }
    return total;
}

static uint32_t pick_and_end(struct driver *d)
{
    uint32_t backend = driver_pick(d);
    driver_end(d, d->flights - 1, LB_OK, 1000000);
    return backend;
}

static void give_exact_shares(const char *name, uint32_t most)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct driver d;
        uint32_t n = 1 + (uint32_t)(seed * 7 % MOST), got[MOST] = {0};
        driver_start(&d, name, n, seed);
        uint32_t total = add_members(&d, n, most);
        for (uint32_t cycle = 1; cycle <= 4; cycle++) {
            for (uint32_t k = 0; k < total; k++)
                got[pick_and_end(&d)]++;
            for (uint32_t i = 0; i < n; i++)
                cr_assert(got[i] == cycle * d.weight[i],
                          "%s, %u cycles of %u picks: expected: backend %u of weight %u got %u; actual: %u", name,
                          cycle, total, i, d.weight[i], cycle * d.weight[i], got[i]);
        }
        driver_stop(&d);
    }
}

Test(entries_turns, shares_of_a_cycle_are_exact)
{
    give_exact_shares("round-robin", 1);
    give_exact_shares("weighted-round-robin", 30);
    give_exact_shares("smooth-weighted", 30);
    give_exact_shares("smooth-weighted-expanded", 30);
}

Test(entries_turns, smooth_is_never_a_request_ahead)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct driver d;
        uint32_t n = 1 + (uint32_t)(seed * 5 % MOST);
        uint64_t got[MOST] = {0};
        driver_start(&d, "smooth-weighted", n, seed);
        uint64_t total = add_members(&d, n, 50);
        for (uint64_t k = 1; k <= 3 * total; k++) {
            uint32_t b = pick_and_end(&d);
            got[b]++;
            cr_assert(got[b] * total < k * d.weight[b] + total,
                      "expected: of %lu picks fewer than %.2f for backend %u (weight %u of %lu); actual: %lu", k,
                      (double)(k * d.weight[b]) / (double)total + 1, b, d.weight[b], total, got[b]);
        }
        driver_stop(&d);
    }
}

/* Nobody's turn is lost or doubled by a change: who is picked again, all that were members all that time had their turn
 * in between. */
Test(entries_turns, round_robin_skips_nobody)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct driver d;
        uint32_t n = 2 + (uint32_t)seed % 9, step = 0, joined[MOST] = {0}, last[MOST] = {0};
        driver_start(&d, "round-robin", n, seed);
        for (uint32_t k = 0; k < 5000; k++) {
            uint32_t b = rng_below(&d.random, n);
            step++;
            if (rng_below(&d.random, 5) == 0 && d.member[b]) {
                driver_remove(&d, b);
            } else if (rng_below(&d.random, 5) == 0 && !d.member[b]) {
                driver_add(&d, b, 1);
                joined[b] = last[b] = step;
            } else if (d.members > 0) {
                b = pick_and_end(&d);
                for (uint32_t i = 0; i < n; i++)
                    cr_assert(i == b || !d.member[i] || last[b] == joined[b] || joined[i] > last[b] ||
                                  last[i] > last[b],
                              "seed %lu, step %u: expected: %u has its turn before %u has its next; actual: not since "
                              "step %u",
                              seed, step, i, b, last[i]);
                last[b] = step;
            }
        }
        driver_stop(&d);
    }
}

/* The plain form is what the smooth one is not: all of a member's turns come in a row. */
Test(entries_turns, plain_comes_in_bursts)
{
    static const uint32_t expected[] = {0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1, 2};
    struct driver d;
    driver_start(&d, "weighted-round-robin", 3, 1);
    driver_add(&d, 0, 5);
    driver_add(&d, 1, 1);
    driver_add(&d, 2, 1);
    for (uint32_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        uint32_t b = pick_and_end(&d);
        cr_assert(b == expected[k], "pick %u: expected: %u; actual: %u", k + 1, expected[k], b);
    }
    driver_stop(&d);
}

/* Makes the same change to both. */
static void change_both(struct driver *a, struct driver *b)
{
    uint32_t backend = rng_below(&a->random, a->config.max_backends), what = rng_below(&a->random, 4);
    uint32_t weight = rng_below(&a->random, 40) * (1 + rng_below(&a->random, 5));
    if (!a->member[backend]) {
        driver_add(a, backend, weight);
        driver_add(b, backend, weight);
    } else if (what == 0) {
        driver_remove(a, backend);
        driver_remove(b, backend);
    } else {
        driver_weight(a, backend, weight);
        driver_weight(b, backend, weight);
    }
}

Test(entries_turns, expanded_is_smooth_pick_for_pick)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct driver a, b;
        uint32_t n = 1 + (uint32_t)(seed * 11 % 20), picks = 0;
        driver_start(&a, "smooth-weighted", n, seed);
        driver_start(&b, "smooth-weighted-expanded", n, seed);
        for (uint32_t change = 0; change < 60; change++) {
            change_both(&a, &b);
            for (uint32_t k = rng_below(&a.random, 600); a.members > 0 && k > 0; k--, picks++) {
                uint32_t left = pick_and_end(&a), right = pick_and_end(&b);
                cr_assert(left == right, "seed %lu, change %u, pick %u: expected: %u as smooth-weighted; actual: %u",
                          seed, change, picks, left, right);
            }
        }
        cr_assert(picks > 1000, "expected: some thousand picks compared; actual: %u", picks);
        driver_stop(&a);
        driver_stop(&b);
    }
}

/* Beyond the length that it writes down, the expanded form scans; the largest weights must not overflow either. */
Test(entries_turns, expanded_is_smooth_with_the_largest_weights)
{
    struct driver a, b;
    driver_start(&a, "smooth-weighted", MOST, 3);
    driver_start(&b, "smooth-weighted-expanded", MOST, 3);
    for (uint32_t i = 0; i < MOST; i++) {
        driver_add(&a, i, LB_MAX_WEIGHT - i);
        driver_add(&b, i, LB_MAX_WEIGHT - i);
    }
    for (uint32_t k = 0; k < 20000; k++) {
        uint32_t left = pick_and_end(&a), right = pick_and_end(&b);
        cr_assert(left == right, "pick %u: expected: %u as smooth-weighted; actual: %u", k, left, right);
    }
    driver_stop(&a);
    driver_stop(&b);
}

/* Earliest deadline first: at virtual time t member i has had t w turns, rounded down, or one fewer where several are
 * due at t. So turns / weight of any two differ by no more than the longer of the two intervals 1 / weight; and when
 * each has had its cycle, the shares are exact. (Its lead over its share of ALL picks can be many requests: one of
 * weight 100 comes up 99 times before any of those of weight 1.) */
Test(entries_turns, deadlines_keep_any_two_in_step)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct driver d;
        uint32_t n = 2 + (uint32_t)(seed * 3 % 20), got[MOST] = {0};
        driver_start(&d, "earliest-deadline-first", n, seed);
        uint32_t total = add_members(&d, n, 30);
        for (uint32_t k = 1; k <= 20 * total; k++) {
            uint32_t b = pick_and_end(&d);
            got[b]++;
            for (uint32_t i = 0; i < n; i++) {
                double ahead = (double)got[b] / d.weight[b] - (double)got[i] / d.weight[i];
                double allowed = fmax(1.0 / d.weight[b], 1.0 / d.weight[i]) + 1e-9;
                cr_assert(
                    ahead <= allowed,
                    "pick %u: expected: backend %u (weight %u) at most %.4f ahead of %u (weight %u); actual: %.4f", k,
                    b, d.weight[b], allowed, i, d.weight[i], ahead);
            }
        }
        for (uint32_t i = 0; i < n; i++) /* deadlines are doubles: two that are due together may come in either order */
            cr_assert(abs((int)got[i] - (int)(20 * d.weight[i])) <= 1,
                      "20 cycles: expected: backend %u of weight %u got %u, or one more or fewer; actual: %u", i,
                      d.weight[i], 20 * d.weight[i], got[i]);
        driver_stop(&d);
    }
}

/* The heap against a scan of the deadlines, through changes. */
Test(entries_turns, deadlines_are_met_in_their_order)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct driver d;
        uint32_t n = 2 + (uint32_t)(seed * 13 % (MOST - 1));
        double deadline[MOST] = {0}, time = 0;
        driver_start(&d, "earliest-deadline-first", n, seed);
        for (uint32_t k = 0; k < 10000; k++) {
            uint32_t b = rng_below(&d.random, n), weight = rng_below(&d.random, 20), what = rng_below(&d.random, 40);
            if (what == 0 && d.member[b]) {
                driver_remove(&d, b);
            } else if (what <= 1) {
                if (d.member[b])
                    driver_weight(&d, b, weight);
                else
                    driver_add(&d, b, weight);
                deadline[b] = time + 1.0 / weight;
            } else if (d.members > 0) {
                uint32_t first = LB_NONE;
                for (uint32_t i = 0; i < n; i++)
                    if (d.member[i] && d.weight[i] > 0 && (first == LB_NONE || deadline[i] < deadline[first]))
                        first = i;
                b = pick_and_end(&d);
                cr_assert(b == first, "seed %lu, step %u: expected: %u, due at %.6f; actual: %u, due at %.6f", seed, k,
                          first, deadline[first], b, deadline[b]);
                time = deadline[b];
                deadline[b] += 1.0 / d.weight[b];
            }
        }
        driver_stop(&d);
    }
}

/* Weights that are powers of two make exact deadlines, so cycles are exact too. */
Test(entries_turns, deadlines_give_exact_shares)
{
    struct driver d;
    uint32_t got[6] = {0}, total = 0;
    driver_start(&d, "earliest-deadline-first", 6, 1);
    for (uint32_t i = 0; i < 6; i++) {
        driver_add(&d, i, 1u << i);
        total += 1u << i;
    }
    for (uint32_t cycle = 1; cycle <= 50; cycle++) {
        for (uint32_t k = 0; k < total; k++)
            got[pick_and_end(&d)]++;
        for (uint32_t i = 0; i < 6; i++)
            cr_assert(got[i] == cycle << i, "cycle %u: expected: backend %u got %u; actual: %u", cycle, i, cycle << i,
                      got[i]);
    }
    driver_stop(&d);
}

/* Whoever joins late does not catch up on what it missed. */
Test(entries_turns, a_late_member_gets_its_share_and_no_more)
{
    static const char *const names[] = {"round-robin", "weighted-round-robin", "smooth-weighted",
                                        "smooth-weighted-expanded", "earliest-deadline-first"};
    for (uint32_t e = 0; e < sizeof names / sizeof *names; e++) {
        struct driver d;
        uint32_t got[3] = {0};
        driver_start(&d, names[e], 3, 1);
        driver_add(&d, 0, 2);
        driver_add(&d, 1, 2);
        for (uint32_t k = 0; k < 10000; k++)
            pick_and_end(&d);
        driver_add(&d, 2, 2);
        for (uint32_t k = 0; k < 60; k++)
            got[pick_and_end(&d)]++;
        for (uint32_t i = 0; i < 3; i++)
            cr_assert(got[i] >= 18 && got[i] <= 22, "%s: expected: backend %u gets about 20 of 60; actual: %u",
                      names[e], i, got[i]);
        driver_stop(&d);
    }
}
