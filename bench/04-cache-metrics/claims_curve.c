/* claims_curve.c: hit ratios of all sizes from one pass, from a sample, and by formula. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Misses at each of the capacities, by an entry of CM_CURVE. */
static double *curve_of(const char *entry, uint32_t most_sampled, const struct trace *t, const uint64_t *capacity,
                        uint32_t capacities)
{
    const struct cm_curve_config config = {.most_sampled = most_sampled};
    uint64_t *key = xcalloc(t->n, sizeof *key);
    double *misses = xcalloc(capacities, sizeof *misses);
    for (uint32_t i = 0; i < t->n; i++)
        key[i] = t->request[i].key;
    if (runs_entry(entry)->curve->misses(&config, key, t->n, capacity, capacities, misses) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s failed", entry);
    free(key);
    return misses;
}

/* ---- Mattson ---- */

/* Requests by which Mattson's curve and a cache of each size, 1 ... 200, disagree, all together. */
static double disagree(const struct claim_run *run)
{
    enum { SIZES = 200 };
    uint64_t capacity[SIZES];
    double sum = 0;
    struct trace t = trace_zipf(run->seed, SIZES, 0.7, 5000);
    for (uint32_t i = 0; i < SIZES; i++)
        capacity[i] = i + 1;
    double *curve = curve_of("mattson", 1, &t, capacity, SIZES);
    for (uint32_t i = 0; i < SIZES; i++)
        sum += fabs(curve[i] - (double)run_misses(run->entry, capacity[i], &t, run->seed));
    free(curve);
    trace_free(&t);
    return sum;
}

/* ---- SHARDS ---- */

/* Mean distance of the miss ratio, in points, from the exact one at fifty sizes, with run->n keys watched at most. */
static double shards_error(const struct claim_run *run)
{
    enum { SIZES = 50, STEP = 1000 };
    uint64_t capacity[SIZES];
    double sum = 0;
    struct trace t = trace_zipf(run->seed, SIZES * STEP, 0.8, 200000);
    for (uint32_t i = 0; i < SIZES; i++)
        capacity[i] = (i + 1) * STEP;
    double *exact = curve_of("mattson", 1, &t, capacity, SIZES),
           *sampled = curve_of("shards", run->n, &t, capacity, SIZES);
    for (uint32_t i = 0; i < SIZES; i++)
        sum += fabs(exact[i] - sampled[i]) / t.n / SIZES;
    free(exact);
    free(sampled);
    trace_free(&t);
    return 100 * sum;
}

/* ---- Che ---- */

enum { OBJECTS = 10000, WARM = 30000, COUNTED = 100000 };

static double zipf_hits(const char *entry, double skew, uint64_t capacity, uint64_t seed)
{
    struct trace t = trace_zipf(seed, OBJECTS, skew, WARM + COUNTED);
    const double hits = run_trace(entry, capacity, &t, WARM, MS, seed).all.hit_ratio;
    trace_free(&t);
    return 100 * hits;
}

static double predict_che(const struct claim_run *run)
{
    return 100 * theory_che(OBJECTS, run->x, run->n);
}

static double hits_by_zipf(const struct claim_run *run)
{
    return zipf_hits(run->entry, run->x, run->n, run->seed);
}

/* How far LRU's hits are from published ones, on average over five caches. */
static double from_published(const struct claim_run *run)
{
    enum { CACHES = 5 };
    static const struct {
        double skew, hits;
        uint32_t capacity;
    } published[CACHES] = {{0.8, 15.9, 100}, {0.8, 43.6, 1000}, {1, 39.1, 100}, {1, 67.7, 1000}, {1.2, 86.3, 1000}};
    double sum = 0;
    for (size_t i = 0; i < CACHES; i++)
        sum += zipf_hits(run->entry, published[i].skew, published[i].capacity, run->seed) - published[i].hits;
    return sum / CACHES;
}

#define CHE(name, what, skew, capacity, error)                                                                         \
    {                                                                                                                  \
        .id = (name), .statement = (what),                                                                             \
        .formula = "Che's approximation: an object is kept for as long as it takes "                                   \
                   "until c different ones were asked for",                                                            \
        .unit = "% hits", .source = "simulated", .broken = "FIFO in place of LRU", .relation = CLAIM_EQUALS,           \
        .seeds = 16, .of = {.entry = "lru", .x = (skew), .n = (capacity)}, .instead = {.entry = "fifo"},               \
        .predict = predict_che, .measure = hits_by_zipf, .slack = (error),                                             \
        .slack_why = "that time is not quite the same for all objects"                                                 \
    }

static const struct claim claims[] = {
    {.id = "mattson-exact",
     .statement = "One pass of Mattson's gives the misses of LRU at every size, to the request.",
     .formula = "0: the sum of all differences at the sizes 1 to 200",
     .unit = "misses",
     .source = "simulated",
     .broken = "FIFO in place of LRU",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "lru"},
     .instead = {.entry = "fifo"},
     .predicted = 0,
     .measure = disagree},
    {.id = "shards-error",
     .statement = "SHARDS gives the same curve from 8,192 keys, within one point on average.",
     .formula = "at most 1: published (Waldspurger et al. 2015)",
     .unit = "points",
     .source = "simulated",
     .broken = "64 keys",
     .relation = CLAIM_AT_MOST,
     .seeds = 12,
     .of = {.n = 8192},
     .instead = {.n = 64},
     .predicted = 1,
     .measure = shards_error},
    CHE("che-approximation", "LRU's hits on Zipf traffic follow a formula: 1,000 of 10,000 objects, exponent 1.", 1,
        1000, 0.2),
    CHE("che-less-room", "The same with room for 100.", 1, 100, 0.3),
    CHE("che-flatter", "The same with exponent 0.8 ...", 0.8, 1000, 0.3),
    CHE("che-steeper", "... and with 1.2.", 1.2, 1000, 0.3),
    {.id = "zipf-published",
     .statement = "LRU hits on Zipf traffic as often as others found, on average over five caches.",
     .formula = "0: hits, less 15.9, 43.6 (exponent 0.8), 39.1, 67.7 (1) and 86.3 % (1.2), 100 or 1,000 of 10,000",
     .unit = "points",
     .source = "simulated",
     .broken = "FIFO in place of LRU",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "lru"},
     .instead = {.entry = "fifo"},
     .predicted = 0,
     .measure = from_published,
     .slack = 0.1,
     .slack_why = "they are rounded to a tenth of a point, and come from one run each"},
};

/* ---- plots ---- */

static const double rooms[] = {30, 100, 300, 1000, 3000};

static double che_line(const struct claim_run *run)
{
    return 100 * theory_che(OBJECTS, run->n / 10.0, (uint32_t)run->x);
}

static double che_point(const struct claim_run *run)
{
    return zipf_hits("lru", run->n / 10.0, (uint64_t)run->x, run->seed);
}

static const struct claim_series che_series[] = {
    {.name = "exponent 1.2, theory", .line = true, .points = COUNT(rooms), .at = rooms, .of = {.n = 12}, .y = che_line},
    {.name = "exponent 1.2", .points = COUNT(rooms), .at = rooms, .of = {.n = 12}, .y = che_point},
    {.name = "exponent 1, theory", .line = true, .points = COUNT(rooms), .at = rooms, .of = {.n = 10}, .y = che_line},
    {.name = "exponent 1", .points = COUNT(rooms), .at = rooms, .of = {.n = 10}, .y = che_point},
    {.name = "exponent 0.8, theory", .line = true, .points = COUNT(rooms), .at = rooms, .of = {.n = 8}, .y = che_line},
    {.name = "exponent 0.8", .points = COUNT(rooms), .at = rooms, .of = {.n = 8}, .y = che_point},
    {.name = NULL},
};

/* Every other request is for one of 1,000 objects in turn, the others are by Zipf's law. */
static struct trace with_a_loop(uint64_t seed)
{
    enum { LOOP = 1000 };
    struct trace t = trace_zipf(seed, 20000, 0.9, 100000);
    for (uint32_t i = 0; 2 * i < t.n; i++)
        t.request[2 * i].key = 100000 + i % LOOP;
    return t;
}

static const double sizes[] = {50, 100, 200, 400, 800, 1200, 1600, 1800, 2000, 2200, 2400, 2800, 3600, 5000, 10000};

static double loop_curve(const struct claim_run *run)
{
    const uint64_t capacity = (uint64_t)run->x;
    struct trace t = with_a_loop(run->seed);
    double *misses = curve_of(run->entry, run->n, &t, &capacity, 1);
    const double hits = 100 * (1 - *misses / t.n);
    free(misses);
    trace_free(&t);
    return hits;
}

static double loop_cache(const struct claim_run *run)
{
    struct trace t = with_a_loop(run->seed);
    const double hits = 100 * (1 - (double)run_misses(run->entry, (uint64_t)run->x, &t, run->seed) / t.n);
    trace_free(&t);
    return hits;
}

static const struct claim_series loop_series[] = {
    {.name = "Mattson, one pass",
     .line = true,
     .points = COUNT(sizes),
     .at = sizes,
     .of = {.entry = "mattson", .n = 1},
     .y = loop_curve},
    {.name = "LRU, size by size", .points = COUNT(sizes), .at = sizes, .of = {.entry = "lru"}, .y = loop_cache},
    {.name = "SHARDS, 8,192 keys",
     .points = COUNT(sizes),
     .at = sizes,
     .of = {.entry = "shards", .n = 8192},
     .y = loop_curve},
    {.name = "SIEVE, size by size", .points = COUNT(sizes), .at = sizes, .of = {.entry = "sieve"}, .y = loop_cache},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "curve",
     .title = "Hits by the size of the cache, half of the requests a loop over 1,000 objects",
     .reading = "LRU gets nothing of the loop until all of it fits, and then everything: a cliff, which a look at one "
                "size does not show. One pass over the requests gives the whole curve.",
     .x = "size of the cache",
     .x_unit = "objects",
     .y = "hit ratio",
     .y_unit = "%",
     .log_x = true,
     .seeds = 1,
     .series = loop_series},
    {.id = "che",
     .title = "LRU on Zipf traffic over 10,000 objects, and Che's approximation",
     .reading = "Who knows how popular objects are need not simulate LRU. The lines are Che's formula, the points are "
                "caches.",
     .x = "size of the cache",
     .x_unit = "objects",
     .y = "hit ratio",
     .y_unit = "%",
     .log_x = true,
     .seeds = 1,
     .series = che_series},
};

const struct claim_part part_curve = {.claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
