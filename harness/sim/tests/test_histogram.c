/* test_histogram.c: the histogram against the sorted values themselves. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/distribution.h"
#include "sim/histogram.h"

TestSuite(histogram, .timeout = 60);

static struct histogram *make(void)
{
    struct histogram *h;
    cr_assert(hist_create(&h) == 0, "no memory");
    return h;
}

static double off(uint64_t got, uint64_t exact)
{
    return exact ? fabs((double)got - (double)exact) / (double)exact : (double)got;
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

Test(histogram, buckets_cover_all_values_once)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        const uint64_t low = hist_low(i), high = hist_high(i);
        cr_assert(low == next && high >= low, "bucket %u: expected to start at %" PRIu64 ", is %" PRIu64 " .. %" PRIu64,
                  i, next, low, high);
        cr_assert(hist_bucket(low) == i && hist_bucket(high) == i, "bucket %u: its ends are in %u and %u", i,
                  hist_bucket(low), hist_bucket(high));
        cr_assert((double)(high - low) <= (double)low / 128, "bucket %u: %" PRIu64 " .. %" PRIu64 " is too wide", i,
                  low, high);
        next = high + 1;
    }
    cr_assert(next == 0, "the last bucket ends at %" PRIu64 ", expected 2^64 - 1", next - 1);
}

Test(histogram, percentiles_are_within_one_per_cent_of_the_sorted_values)
{
    enum { N = 100000 };
    const struct dist laws[] = {dist_exponential(1e6),     dist_exponential(3),    dist_bounded_pareto(1e5, 1.1, 1e8),
                                dist_lognormal(1e12, 3),   dist_exponential(1e18), dist_hyperexponential(1e9, 50),
                                dist_constant(123456789.0)};
    const double percentiles[] = {0, 0.001, 0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 99.999, 100};
    uint64_t *x = malloc(N * sizeof *x);
    cr_assert_not_null(x, "no memory");
    for (size_t l = 0; l < sizeof laws / sizeof *laws; l++) {
        struct rng r;
        rng_seed(&r, 6, l);
        struct histogram *h = make();
        double sum = 0;
        for (size_t i = 0; i < N; i++) {
            x[i] = (uint64_t)dist_draw(&laws[l], &r);
            hist_record(h, x[i]);
            sum += (double)x[i];
        }
        qsort(x, N, sizeof *x, compare);
        cr_assert(hist_min(h) == x[0] && hist_max(h) == x[N - 1] && hist_count(h) == N,
                  "law %zu: min, max, count: expected %" PRIu64 " %" PRIu64 " %d, got %" PRIu64 " %" PRIu64 " %" PRIu64,
                  l, x[0], x[N - 1], N, hist_min(h), hist_max(h), hist_count(h));
        cr_assert(fabs(hist_mean(h) / (sum / N) - 1) < 1e-12, "law %zu: expected a mean of %.17g, got %.17g", l,
                  sum / N, hist_mean(h));
        for (size_t p = 0; p < sizeof percentiles / sizeof *percentiles; p++) {
            /* In whole numbers: the smallest rank that is at least p % of N, where p is in thousandths. */
            const uint64_t thousandths = (uint64_t)llround(percentiles[p] * 1000);
            const uint64_t rank = thousandths ? (thousandths * N + 99999) / 100000 : 1;
            uint64_t got = 0;
            const int rc = hist_percentile(h, percentiles[p], &got);
            const int expected = (percentiles[p] >= 50 ? N - rank : rank - 1) < HIST_ENOUGH ? -ENODATA : 0;
            cr_assert(rc == expected, "law %zu, p%g: expected %d, got %d", l, percentiles[p], expected, rc);
            cr_assert(off(got, x[rank - 1]) < 0.004, "law %zu, p%g: expected %" PRIu64 ", got %" PRIu64, l,
                      percentiles[p], x[rank - 1], got);
            cr_assert(got >= x[0] && got <= x[N - 1], "law %zu, p%g: %" PRIu64 " is outside of what was recorded", l,
                      percentiles[p], got);
        }
        hist_destroy(h);
    }
    free(x);
}

Test(histogram, every_value_alone_is_within_one_per_cent)
{
    struct histogram *h = make();
    struct rng r;
    rng_seed(&r, 7, 0);
    for (int i = 0; i < 20000; i++) {
        /* The middle of a range of three values, so that neither min nor max gives it away. */
        const uint64_t v = rng_next(&r) >> rng_below(&r, 64);
        for (int k = 0; k < 3; k++)
            hist_record(h, v);
        hist_record(h, 0);
        hist_record(h, UINT64_MAX);
        uint64_t got;
        hist_percentile(h, 50, &got);
        cr_assert(off(got, v) < 0.004, "expected %" PRIu64 ", got %" PRIu64, v, got);
        h->bucket[hist_bucket(v)] = h->bucket[0] = h->bucket[HIST_BUCKETS - 1] = 0;
        h->count = 0;
    }
    hist_destroy(h);
}

Test(histogram, merging_equals_recording_all_in_one)
{
    struct histogram *parts[4], *all = make(), *merged = make();
    struct rng r;
    rng_seed(&r, 9, 0);
    for (int i = 0; i < 4; i++)
        parts[i] = make(); /* the last one stays empty */
    for (int i = 0; i < 50000; i++) {
        const uint64_t v = rng_next(&r) >> rng_below(&r, 64);
        hist_record(parts[rng_below(&r, 3)], v);
        hist_record(all, v);
    }
    for (int i = 3; i >= 0; i--)
        hist_merge(merged, parts[i]);
    cr_assert(!memcmp(merged, all, sizeof *all), "merged: count %" PRIu64 ", expected %" PRIu64 ", or buckets differ",
              merged->count, all->count);
    cr_assert(all->sum > UINT64_MAX, "the sum was to need more than 64 bits");
    const double mean = hist_mean(all);
    hist_merge(all, all);
    cr_assert(hist_count(all) == 100000 && hist_mean(all) == mean, "merged with itself: count %" PRIu64,
              hist_count(all));
    for (int i = 0; i < 4; i++)
        hist_destroy(parts[i]);
    hist_destroy(all);
    hist_destroy(merged);
}

Test(histogram, edges)
{
    struct histogram *h = make();
    uint64_t got = 5;
    int rc = hist_percentile(h, 50, &got);
    cr_assert(rc == -ENODATA && got == 0, "empty: expected -ENODATA and 0, got %d and %" PRIu64, rc, got);
    cr_assert(hist_min(h) == 0 && hist_max(h) == 0 && hist_mean(h) == 0 && hist_count(h) == 0,
              "an empty histogram is not all 0");
    const uint64_t values[] = {0, 1, UINT64_MAX};
    for (int i = 0; i < 3; i++) {
        hist_destroy(h);
        h = make();
        for (int k = 0; k < 40; k++)
            hist_record(h, values[i]);
        rc = hist_percentile(h, 50, &got);
        cr_assert(rc == 0 && got == values[i], "40 times %" PRIu64 ": got %d and %" PRIu64, values[i], rc, got);
        cr_assert(hist_mean(h) == (double)values[i], "40 times %" PRIu64 ": mean %.17g", values[i], hist_mean(h));
    }
    const double wrong[] = {-0.1, 100.1, NAN};
    for (int i = 0; i < 3; i++) {
        got = 77;
        rc = hist_percentile(h, wrong[i], &got);
        cr_assert(rc == -EINVAL && got == 77, "p = %g: expected -EINVAL and *value untouched, got %d and %" PRIu64,
                  wrong[i], rc, got);
    }
    hist_destroy(h);
    hist_destroy(NULL);
}

/* 0.07 % of 10,000 is 7, although 0.07 is a little more in binary. */
Test(histogram, ranks_are_not_rounded_up_by_a_hair)
{
    struct histogram *h = make();
    for (uint64_t v = 1; v <= 10000; v++)
        hist_record(h, v);
    const double per_cent[] = {0.07, 0.14, 0.28};
    for (int i = 0; i < 3; i++) {
        uint64_t got = 0;
        const uint64_t expected = (uint64_t)7 << i;
        hist_percentile(h, per_cent[i], &got);
        cr_assert(got == expected, "p%g: expected %" PRIu64 ", got %" PRIu64, per_cent[i], expected, got);
    }
    hist_destroy(h);
}

/* p99 of 1000 values leaves 10 beyond it and counts; p99.1 does not. */
Test(histogram, too_few_samples_beyond_a_percentile)
{
    struct histogram *h = make();
    for (uint64_t v = 1; v <= 1000; v++)
        hist_record(h, v);
    const struct {
        double p;
        int rc;
        uint64_t value;
    } cases[] = {{99, 0, 990}, {99.1, -ENODATA, 991}, {99.9, -ENODATA, 999}, {100, -ENODATA, 1000}, {50, 0, 500},
                 {1.1, 0, 11}, {1, -ENODATA, 10},     {0, -ENODATA, 1},      {0.1, -ENODATA, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t got;
        const int rc = hist_percentile(h, cases[i].p, &got);
        cr_assert(rc == cases[i].rc, "p%g: expected %d, got %d", cases[i].p, cases[i].rc, rc);
        cr_assert(hist_bucket(got) == hist_bucket(cases[i].value), "p%g: expected %" PRIu64 ", got %" PRIu64,
                  cases[i].p, cases[i].value, got);
    }
    hist_destroy(h);
}
