/* claims_cost.c: misses differ, and a cache that knows what they cost spares the origin more work with fewer hits. */
#include "parts.h"
#include "runs.h"
#include "traffic.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* ---- the same ratio, another database ---- */

enum { KEYS = 1000, KEPT = 100, REQUESTS = 100000, MISSES = REQUESTS / 100 };

/* One key in a hundred costs half a second, the others a millisecond. */
static uint32_t cost_of(uint64_t key)
{
    return key % 100 == 0 ? 500000 : 1000;
}

/* Of all the work that so many misses can make, the share that an LRU cache's misses made: for the reference's sequence
 * `break-it`; or, broken, for a miss in every hundred requests whose key is anyone's. */
static double harm(const struct claim_run *run)
{
    uint32_t cost[KEYS], key[REQUESTS];
    const struct cm_bounds bounds = {
        .capacity = KEPT, .keys = KEYS, .requests = REQUESTS, .most_misses = MISSES, .cost_us = cost};
    struct trace t = trace_in_turn(KEPT - 1, REQUESTS);
    for (uint32_t i = 0; i < KEYS; i++)
        cost[i] = cost_of(i);
    if (!run->broken && runs_entry("break-it")->sequence->make(&bounds, key) != 0)
        error_exit(EXIT_CANNOT_TELL, "break-it failed");
    for (uint32_t i = 0; i < REQUESTS; i++) {
        if (!run->broken)
            t.request[i].key = key[i];
        else if (i >= KEPT && i % 111 == 0) /* the first 99 misses fill the cache */
            t.request[i].key = KEPT + i / 111 % (KEYS - KEPT);
        t.request[i].cost_us = cost_of(t.request[i].key);
    }
    const struct account_part all = run_trace("lru", KEPT, &t, 0, MS, run->seed).all;
    trace_free(&t);
    return all.hit_ratio < 0.99 ? (double)NAN : 100 * (double)(all.work_us - all.work_avoided_us) / (MISSES * 500e3);
}

static double predict_harm(const struct claim_run *run)
{
    (void)run;
    return 100 * (1 - (KEPT - 1.0) / MISSES);
}

/* ---- the ranking turns round ---- */

/* What the lab's own policy is tested with, and a cache of x keys in a hundred of the popular ones. */
static struct account_figures of_traffic(const char *entry, double percent, uint64_t seed)
{
    const struct traffic traffic = {.seed = seed,
                                    .requests = 60000,
                                    .keys = 4000,
                                    .skew = 0.9,
                                    .shift_every = 6000,
                                    .scan_every = 2500,
                                    .scan_length = 500,
                                    .dearest_us = 1000000};
    struct trace t = {xcalloc(traffic.requests, sizeof *t.request), traffic.requests};
    if (traffic_make(&traffic, t.request) != 0)
        error_exit(EXIT_CANNOT_TELL, "the traffic cannot be made");
    const uint64_t capacity = (uint64_t)(percent * traffic.keys / 100 + 0.5);
    const struct account_figures f = run_trace(entry, capacity, &t, 10000, MS, seed);
    trace_free(&t);
    return f;
}

/* By how many points it is ahead of LRU. */
static double work_ahead(const struct claim_run *run)
{
    return 100 * (of_traffic(run->entry, run->x, run->seed).all.work_ratio -
                  of_traffic("lru", run->x, run->seed).all.work_ratio);
}

static double hits_ahead(const struct claim_run *run)
{
    return 100 * (of_traffic(run->entry, run->x, run->seed).all.hit_ratio -
                  of_traffic("lru", run->x, run->seed).all.hit_ratio);
}

static const struct claim claims[] = {
    {.id = "same-ratio",
     .statement = "At 99 % hits the misses can be the dearest queries, all but those that fill the cache.",
     .formula = "1 - (places - 1) / misses, for the sequence of break-it behind LRU",
     .unit = "% of the most that so many misses can cost",
     .source = "simulated",
     .broken = "as many misses, of anyone's queries",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predict = predict_harm,
     .measure = harm,
     .slack = 1,
     .slack_why = "those that fill it cost a little too"},
    {.id = "cost-aware-spares-work",
     .statement = "GDSF, which knows what a miss costs, spares the origin more work than LRU does.",
     .formula = "work avoided, less LRU's: at least",
     .unit = "points",
     .source = "simulated",
     .broken = "FIFO in place of GDSF",
     .relation = CLAIM_AT_LEAST,
     .seeds = 16,
     .of = {.entry = "gdsf", .x = 8},
     .instead = {.entry = "fifo"},
     .predicted = 2,
     .measure = work_ahead},
    {.id = "cost-aware-hits-less",
     .statement = "And it hits less often than LRU on the same traffic: who ranks by hits takes the wrong one.",
     .formula = "hit ratio, less LRU's: at most",
     .unit = "points",
     .source = "simulated",
     .broken = "SIEVE, which hits more often",
     .relation = CLAIM_AT_MOST,
     .seeds = 16,
     .of = {.entry = "gdsf", .x = 8},
     .instead = {.entry = "sieve"},
     .predicted = -5,
     .measure = hits_ahead},
};

/* ---- the plot ---- */

static const double percents[] = {1, 2, 4, 8, 16, 32};

static double hits(const struct claim_run *run)
{
    return 100 * of_traffic(run->entry, run->x, run->seed).all.hit_ratio;
}

static double work(const struct claim_run *run)
{
    return 100 * of_traffic(run->entry, run->x, run->seed).all.work_ratio;
}

#define SERIES(label, cache, function)                                                                                 \
    {                                                                                                                  \
        .name = (label), .points = COUNT(percents), .at = percents, .of = {.entry = (cache)}, .y = (function)          \
    }

static const struct claim_series hit_series[] = {
    SERIES("LRU", "lru", hits),
    SERIES("SIEVE", "sieve", hits),
    SERIES("W-TinyLFU", "w-tinylfu", hits),
    SERIES("GDSF", "gdsf", hits),
    SERIES("GDSF that remembers", "own-policy", hits),
    SERIES("Belady, told the future", "belady", hits),
    {.name = NULL},
};

static const struct claim_series work_series[] = {
    SERIES("LRU", "lru", work),
    SERIES("SIEVE", "sieve", work),
    SERIES("W-TinyLFU", "w-tinylfu", work),
    SERIES("GDSF", "gdsf", work),
    SERIES("GDSF that remembers", "own-policy", work),
    SERIES("Belady, told the future", "belady", work),
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "hits",
     .title = "Hits, by policy and size of the cache",
     .reading = "Popular keys that change now and then, and scans of expensive queries that nobody repeats. Ranked by "
                "hits, Belady is best at every size, and nobody can do better.",
     .x = "cache, of the popular keys",
     .x_unit = "%",
     .y = "hit ratio",
     .y_unit = "%",
     .log_x = true,
     .seeds = 1,
     .series = hit_series},
    {.id = "work",
     .title = "Work avoided on the same traffic, by policy and size",
     .reading = "Ranked by the work that the origin is spared it is another order: who knows what a miss costs keeps "
                "what is expensive, and hits less often.",
     .x = "cache, of the popular keys",
     .x_unit = "%",
     .y = "work avoided",
     .y_unit = "%",
     .log_x = true,
     .seeds = 1,
     .series = work_series},
};

const struct claim_part part_cost = {.claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
