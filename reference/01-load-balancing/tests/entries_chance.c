/* entries_chance.c: entries that draw: are the chances those that the algorithm says? Chi-square, at one in a million.
 */
#include "entries.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(entries_chance, .timeout = 60);

#define PICKS 100000u

static const uint32_t weights[] = {1, 2, 3, 5, 8, 13, 21, 34};
#define N (uint32_t)(sizeof weights / sizeof *weights)

/* Picks from an idle fleet, each answered before the next; `equal`: all weights are 1. */
static void sample(const char *name, bool equal, uint32_t *got)
{
    struct driver d;
    driver_start(&d, name, N, 11);
    for (uint32_t i = 0; i < N; i++) {
        driver_add(&d, i, equal ? 1 : weights[i]);
        got[i] = 0;
    }
    for (uint32_t k = 0; k < PICKS; k++) {
        got[driver_pick(&d)]++;
        driver_end(&d, 0, LB_OK, 1000000);
    }
    driver_stop(&d);
}

static void expect(const char *name, const uint32_t *got, const double *chance)
{
    double chi2 = 0, sum = 0;
    for (uint32_t i = 0; i < N; i++) {
        double wanted = chance[i] * PICKS;
        chi2 += (got[i] - wanted) * (got[i] - wanted) / wanted;
        sum += chance[i];
    }
    cr_assert(fabs(sum - 1) < 1e-9, "%s: expected: chances with the sum 1; actual: %.12f", name, sum);
    for (uint32_t i = 0; i < N; i++)
        cr_assert(chi_square_fits(chi2, N - 1),
                  "%s, %u picks: expected: about %.0f for backend %u; actual: %u (chi-square of all: %.1f)", name,
                  PICKS, chance[i] * PICKS, i, got[i], chi2);
}

Test(entries_chance, draws_are_even)
{
    static const char *const names[] = {
        "random",          "two-choices",     "three-choices",       "two-choices-reported",
        "join-idle-queue", "weighted-random", "weighted-two-choices"};
    double chance[N];
    uint32_t got[N];
    for (uint32_t i = 0; i < N; i++)
        chance[i] = 1.0 / N;
    for (uint32_t e = 0; e < sizeof names / sizeof *names; e++) {
        sample(names[e], true, got);
        expect(names[e], got, chance);
    }
}

Test(entries_chance, weighted_random_draws_by_weight)
{
    double chance[N], total = 0;
    uint32_t got[N];
    for (uint32_t i = 0; i < N; i++)
        total += weights[i];
    for (uint32_t i = 0; i < N; i++)
        chance[i] = weights[i] / total;
    sample("weighted-random", false, got);
    expect("weighted-random", got, chance);
}

/* Two are drawn by weight, the second up to five times until it is another one; of two idle ones the heavier wins. With
 * p for the chances by weight: first i, then j, is p_i p_j (1 - p_i^5) / (1 - p_i); first i and no other, p_i^6. */
Test(entries_chance, weighted_two_choices_draws_by_weight)
{
    double p[N], chance[N], total = 0;
    uint32_t got[N];
    for (uint32_t i = 0; i < N; i++)
        total += weights[i];
    for (uint32_t i = 0; i < N; i++)
        p[i] = weights[i] / total;
    for (uint32_t i = 0; i < N; i++) {
        chance[i] = pow(p[i], 6);
        for (uint32_t j = 0; j < i; j++) /* j is the lighter one of the pair */
            chance[i] += p[i] * p[j] * ((1 - pow(p[i], 5)) / (1 - p[i]) + (1 - pow(p[j], 5)) / (1 - p[j]));
    }
    sample("weighted-two-choices", false, got);
    expect("weighted-two-choices", got, chance);
}

/* Backend i has always i requests in flight (or reports so), so the k-th best of n wins the draws of `choices`
 * different ones in which none of the better ones is: C(n - k, choices - 1) / C(n, choices). */
static double choose(uint32_t n, uint32_t k)
{
    double ways = 1;
    for (uint32_t i = 0; i < k; i++)
        ways *= (double)(n - i) / (i + 1);
    return n < k ? 0 : ways;
}

static void best_of(const char *name, uint32_t choices)
{
    struct driver d;
    uint32_t got[N] = {0};
    driver_start(&d, name, N, 12);
    /* Each was the only member for a while, and what it was sent then is never answered. */
    for (uint32_t i = 0; i < N; i++) {
        driver_add(&d, i, 1);
        for (uint32_t k = 0; k < i; k++)
            driver_pick(&d);
        driver_remove(&d, i);
    }
    for (uint32_t i = 0; i < N; i++)
        driver_add(&d, i, 1);
    for (uint32_t i = 0; i < N; i++)
        driver_report(&d, i, i);
    for (uint32_t k = 0; k < PICKS; k++) {
        got[driver_pick(&d)]++;
        driver_end(&d, d.flights - 1, LB_OK, 1000000);
    }
    driver_stop(&d);
    double chi2 = 0;
    uint32_t winners = N - (choices - 1);
    for (uint32_t i = 0; i < winners; i++) {
        double wanted = PICKS * choose(N - 1 - i, choices - 1) / choose(N, choices);
        chi2 += (got[i] - wanted) * (got[i] - wanted) / wanted;
    }
    for (uint32_t i = 0; i < N; i++) {
        double wanted = PICKS * choose(N - 1 - i, choices - 1) / choose(N, choices);
        cr_assert(i < winners || got[i] == 0, "%s: expected: 0 picks of backend %u, there are no %u worse; actual: %u",
                  name, i, choices - 1, got[i]);
        cr_assert(chi_square_fits(chi2, winners - 1),
                  "%s, %u picks: expected: about %.0f for backend %u; actual: %u (chi-square of all: %.1f)", name,
                  PICKS, wanted, i, got[i], chi2);
    }
}

Test(entries_chance, choices_are_different_and_all_sets_alike)
{
    best_of("two-choices", 2);
    best_of("three-choices", 3);
    best_of("two-choices-reported", 2);
}
