/* claims_curves.c: misses at every size: predicted, in one pass, and from a sample. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define KEYS 10000u

/* ---- Che's approximation ---- */

static double predict_che(const struct claim_run *run)
{
    return 100 * theory_che(KEYS, run->x, run->n);
}

static double hit_ratio(const struct claim_run *run)
{
    const uint32_t n = 300000, warm_up = 100000;
    struct cm_request *r = runs_zipf(n, KEYS, run->x, run->seed);
    const uint64_t misses = runs_misses(run->entry, run->n, r, n, warm_up, run->seed);
    free(r);
    return 100 * (1 - (double)misses / (n - warm_up));
}

/* ---- curves ---- */

#define SIZES 12u

static const uint64_t sizes[SIZES] = {1, 3, 10, 30, 100, 300, 600, 1000, 2000, 3500, 6000, 10000};

struct curve {
    double misses[SIZES];
    uint32_t n;
};

static struct curve curve_of(const char *entry, uint32_t sampled, const struct cm_request *r, uint32_t n)
{
    struct curve c = {.n = n};
    const struct cm_curve_ops *ops = runs_entry(entry)->curve;
    const struct cm_curve_config config = {.most_sampled = sampled};
    uint64_t *key = xcalloc(n, sizeof *key);
    for (uint32_t i = 0; i < n; i++)
        key[i] = r[i].key;
    if (ops->misses(&config, key, n, sizes, SIZES, c.misses) != 0)
        abort();
    free(key);
    return c;
}

static double off_by(const struct claim_run *run)
{
    const uint32_t n = 100000;
    struct cm_request *r = runs_zipf(n, KEYS, 0.9, run->seed);
    const struct curve c = curve_of(run->entry, run->n, r, n);
    double off = 0;
    for (uint32_t i = 0; i < SIZES; i++)
        off += fabs(c.misses[i] - (double)runs_misses("lru", sizes[i], r, n, 0, run->seed));
    free(r);
    return off;
}

/* Mean over the sizes of the error of the miss ratio. */
static double mean_error(const struct claim_run *run)
{
    const uint32_t n = 200000;
    struct cm_request *r = runs_zipf(n, KEYS, 0.7, run->seed);
    const struct curve exact = curve_of("mattson", 0, r, n), c = curve_of("shards", run->n, r, n);
    double sum = 0;
    for (uint32_t i = 0; i < SIZES; i++)
        sum += fabs(c.misses[i] - exact.misses[i]) / n;
    free(r);
    return sum / SIZES;
}

static const struct claim claims[] = {
    {.id = "che-flat",
     .statement = "Of 10,000 keys by Zipf's law with exponent 0.8, an LRU cache of 1,000 hits 44 %, as Che's "
                  "approximation says.",
     .formula = "sum of p (1 - e^(-p t)), with t so that sum of 1 - e^(-p t) = c (Che, Tung & Wang 2002)",
     .unit = "% hits",
     .source = "simulated",
     .broken = "FIFO in place of LRU",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "lru", .x = 0.8, .n = 1000},
     .instead = {.entry = "fifo"},
     .predict = predict_che,
     .measure = hit_ratio,
     .slack = 0.3,
     .slack_why = "the characteristic time is taken to be the same for all keys"},
    {.id = "che",
     .statement = "With exponent 1 it hits 68 %.",
     .formula = "as above",
     .unit = "% hits",
     .source = "simulated",
     .broken = "FIFO in place of LRU",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "lru", .x = 1, .n = 1000},
     .instead = {.entry = "fifo"},
     .predict = predict_che,
     .measure = hit_ratio,
     .slack = 0.3,
     .slack_why = "the characteristic time is taken to be the same for all keys"},
    {.id = "mattson-exact",
     .statement = "One pass over the keys tells the misses of LRU at every size, exactly.",
     .formula =
         "a request hits if fewer different keys than the capacity came since its last one (Mattson et al. 1970)",
     .unit = "misses off",
     .source = "counted",
     .broken = "a sample of 1,000 keys in place of all",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.entry = "mattson"},
     .instead = {.entry = "shards", .n = 1000},
     .predicted = 0,
     .measure = off_by,
     .slack = 0.5,
     .slack_why = "a count is a whole number"},
    {.id = "shards",
     .statement =
         "A sample of 2,000 of 10,000 keys tells the miss ratio at all sizes with a mean error of at most 0.03.",
     .formula = "SHARDS with a fixed size: an error of a few hundredths at thousands of keys (Waldspurger et al. 2015)",
     .unit = "miss ratio",
     .source = "simulated",
     .broken = "a sample of 10 keys",
     .relation = CLAIM_AT_MOST,
     .seeds = 8,
     .of = {.n = 2000},
     .instead = {.n = 10},
     .predicted = 0.03,
     .measure = mean_error},
};

/* ---- plots ---- */

static double x_size(uint32_t i)
{
    return (double)sizes[i];
}

static double y_exact(const struct claim_run *run)
{
    const uint32_t n = 100000;
    struct cm_request *r = runs_zipf(n, KEYS, 0.9, 1);
    const struct curve c = curve_of("mattson", 0, r, n);
    uint32_t i = 0;
    while (sizes[i] < (uint64_t)run->x)
        i++;
    free(r);
    return 100 * c.misses[i] / n;
}

static double y_one_size(const struct claim_run *run)
{
    const uint32_t n = 100000;
    struct cm_request *r = runs_zipf(n, KEYS, 0.9, 1);
    const uint64_t misses = runs_misses(run->entry, (uint64_t)run->x, r, n, 0, 1);
    free(r);
    return 100 * (double)misses / n;
}

static const struct claim_series series[] = {
    {.name = "LRU, in one pass", .line = true, .points = SIZES, .x = x_size, .y = y_exact},
    {.name = "LRU, size by size", .points = SIZES, .x = x_size, .of = {.entry = "lru"}, .y = y_one_size},
    {.name = "SIEVE", .points = SIZES, .x = x_size, .of = {.entry = "sieve"}, .y = y_one_size},
    {.name = "Belady", .points = SIZES, .x = x_size, .of = {.entry = "belady"}, .y = y_one_size},
    {0}};

static const struct claim_plot plots[] = {
    {.id = "sizes",
     .title = "Misses at every size (10,000 keys by Zipf's law, exponent 0.9)",
     .reading = "One pass over the requests gives LRU's whole curve. Nobody is below Belady, who knows the future; "
                "SIEVE comes a "
                "good part of the way without moving anything at a hit.",
     .x = "capacity",
     .x_unit = "objects",
     .y = "misses",
     .y_unit = "%",
     .log_x = true,
     .seeds = 1,
     .series = series},
};

const struct claim_part part_curves = {.claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
