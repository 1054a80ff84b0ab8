/* claims_article.c: what a hit ratio does not say: how long requests take, and how much the origin has to do. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"
#include "sim/real.h"

#include <math.h>
#include <stdlib.h>

#define REQUESTS 100000u
#define S        UINT64_C(1000000000)

/* ---- two caches ---- */

/* 1,000 requests of which so many ask for something new; a hit takes 1 ms, a miss miss_ms. Mean time in ms. */
static double mean_time(uint32_t misses, double miss_ms, uint64_t seed)
{
    struct cm_request *r = xcalloc(1000, sizeof *r);
    for (uint32_t i = 0; i < 1000; i++)
        r[i] = (struct cm_request){
            .key = i / (1000 / misses), .time = i, .size = 1, .cost_us = (uint32_t)(1000 * (miss_ms - 1))};
    const struct account_params params = {.hit_ns = 1000000};
    const struct account_figures f = runs_account("lru", 1000, r, 1000, &params, seed);
    free(r);
    return f.all.mean_ns * 1e-6;
}

static double predict_slower(const struct claim_run *run)
{
    (void)run;
    return theory_mean_time(0.99, 1, 500) / theory_mean_time(0.90, 1, 10);
}

static double slower(const struct claim_run *run)
{
    return mean_time(run->n, run->x, run->seed) / mean_time(100, 10, run->seed);
}

/* ---- the origin ---- */

/* Requests at a rate, by Poisson's law; a share of 1 - h is for something new. */
static struct cm_request *stream(double h, double rate, uint32_t cost_us, uint64_t seed)
{
    struct cm_request *r = xcalloc(REQUESTS, sizeof *r);
    struct rng chance;
    double now = 0;
    rng_seed(&chance, seed, 4);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        now += -real_log(rng_open(&chance)) / rate;
        const bool fresh = i == 0 || rng_double(&chance) >= h;
        r[i] = (struct cm_request){.key = fresh ? i : 0, .time = (uint64_t)(now * 1e9), .size = 1, .cost_us = cost_us};
    }
    return r;
}

static double misses_of(double h, uint64_t seed)
{
    struct cm_request *r = stream(h, 1000, 1, seed);
    const double misses = (double)runs_misses("lru", 1000, r, REQUESTS, 1, seed);
    free(r);
    return misses;
}

static double predict_load(const struct claim_run *run)
{
    (void)run;
    return theory_origin_load(0.992, 0.98);
}

static double load(const struct claim_run *run)
{
    return misses_of(run->x, run->seed) / misses_of(0.992, run->seed + 1);
}

static double predict_connections(const struct claim_run *run)
{
    (void)run;
    return theory_connections(10000, 0.98, 0.5);
}

/* x requests a second, of which n in a thousand miss, each half a second of work. */
static double connections(const struct claim_run *run)
{
    struct cm_request *r = stream(1 - run->n / 1000.0, run->x, 500000, run->seed);
    const struct account_params params = {.hit_ns = 1000};
    const struct account_figures f = runs_account("lru", 1000, r, REQUESTS, &params, run->seed);
    free(r);
    return f.load;
}

#define POOL 40u

static double predict_queue(const struct claim_run *run)
{
    (void)run;
    return 10000 * 0.02 - POOL / 0.5;
}

/* The same misses before a pool: each takes the connection that is free first. By how many the queue grows a second. */
static double queue_grows(const struct claim_run *run)
{
    struct cm_request *r = stream(1 - run->n / 1000.0, run->x, 500000, run->seed);
    uint64_t free_at[POOL] = {0}, waiting = 0;
    const uint64_t end = r[REQUESTS - 1].time;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        if (r[i].key == 0 && i > 0)
            continue; /* a hit */
        uint32_t first = 0;
        for (uint32_t k = 1; k < POOL; k++)
            first = free_at[k] < free_at[first] ? k : first;
        const uint64_t begins = free_at[first] > r[i].time ? free_at[first] : r[i].time;
        free_at[first] = begins + S / 2;
        waiting += begins > end;
    }
    free(r);
    return (double)waiting / ((double)end * 1e-9);
}

/* ---- work ---- */

static struct cm_request *traffic(uint32_t n, uint64_t seed)
{
    const struct traffic t = {.seed = seed,
                              .requests = n,
                              .keys = 4000,
                              .skew = 0.9,
                              .shift_every = 7000,
                              .scan_every = 2500,
                              .scan_length = 500,
                              .dearest_us = 1000000};
    struct cm_request *r = xcalloc(n, sizeof *r);
    if (traffic_make(&t, r) != 0)
        abort();
    return r;
}

/* How much more work the entry spares than LRU does, in points, where it has fewer hits; else none. */
static double spares_with_fewer_hits(const struct claim_run *run)
{
    const uint32_t n = 60000;
    struct cm_request *r = traffic(n, run->seed);
    const struct account_params params = {.hit_ns = 1000, .from_request = 5000};
    const struct account_figures lru = runs_account("lru", 300, r, n, &params, run->seed),
                                 own = runs_account(run->entry, 300, r, n, &params, run->seed);
    free(r);
    return own.all.hit_ratio < lru.all.hit_ratio ? 100 * (own.all.work_ratio - lru.all.work_ratio) : 0;
}

static const struct claim claims[] = {
    {.id = "slower-at-99",
     .statement =
         "A cache with 99 % hits takes three times as long as one with 90 %, when its misses are the expensive ones.",
     .formula = "(0.99 x 1 ms + 0.01 x 500 ms) / (0.90 x 1 ms + 0.10 x 10 ms)",
     .unit = "times",
     .source = "counted",
     .broken = "misses of 10 ms, 100 of them, in place of 10 of 500 ms",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.n = 10, .x = 500},
     .instead = {.n = 100, .x = 10},
     .predict = predict_slower,
     .measure = slower},
    {.id = "origin-load",
     .statement =
         "From 99.2 to 98 % hits, which looks like nothing, the origin gets two and a half times as many requests.",
     .formula = "(1 - 0.98) / (1 - 0.992)",
     .unit = "times",
     .source = "simulated",
     .broken = "99.2 % in place of 98 %",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.x = 0.98},
     .instead = {.x = 0.992},
     .predict = predict_load,
     .measure = load},
    {.id = "sale-connections",
     .statement = "In the flash sale, ten times the requests at 98 % hits, the misses would keep 100 connections busy.",
     .formula = "rate x (1 - h) x 0.5 s = 10,000 x 0.02 x 0.5",
     .unit = "connections",
     .source = "simulated",
     .broken = "an everyday load (1,000/s, 99.2 %) in place of the sale",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.x = 10000, .n = 20},
     .instead = {.x = 1000, .n = 8},
     .predict = predict_connections,
     .measure = connections},
    {.id = "sale-queue",
     .statement = "The pool has 40: so the queue before the database grows by 120 queries a second, and never ends.",
     .formula = "rate x (1 - h) - 40 / 0.5 s = 200 - 80",
     .unit = "queries/s",
     .source = "simulated",
     .broken = "an everyday load in place of the sale",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.x = 10000, .n = 20},
     .instead = {.x = 1000, .n = 8},
     .predict = predict_queue,
     .measure = queue_grows,
     .slack = 4,
     .slack_why = "the pool fills in the first half second"},
    {.id = "fewer-hits-less-work",
     .statement =
         "Where costs differ, a policy that looks at costs spares the origin at least 2 points more of its work than "
         "LRU, with fewer hits.",
     .formula = "work avoided by GDSF - by LRU >= 2, hits of GDSF < of LRU",
     .unit = "points",
     .source = "simulated",
     .broken = "LRU in place of GDSF",
     .relation = CLAIM_AT_LEAST,
     .seeds = 32,
     .of = {.entry = "gdsf"},
     .instead = {.entry = "lru"},
     .predicted = 2,
     .measure = spares_with_fewer_hits},
};

/* ---- plots ---- */

static double y_load_line(const struct claim_run *run)
{
    return theory_origin_load(0.999, run->x / 100);
}

static double y_load(const struct claim_run *run)
{
    return misses_of(run->x / 100, run->seed) / (0.001 * REQUESTS);
}

static const double ratios[] = {99.9, 99.8, 99.5, 99.2, 99, 98, 97, 95, 92, 90};

static const struct claim_series load_series[] = {
    {.name = "theory", .line = true, .points = COUNT(ratios), .at = ratios, .y = y_load_line},
    {.name = "measured", .points = COUNT(ratios), .at = ratios, .y = y_load},
    {0}};

static double x_entry(uint32_t i)
{
    return i + 1;
}

static const char *const shown[] = {"fifo", "lru", "sieve", "s3-fifo", "w-tinylfu", "gdsf", "own-policy", "belady"};

static double y_ratio(const struct claim_run *run)
{
    const uint32_t n = 60000;
    struct cm_request *r = traffic(n, run->seed);
    const struct account_params params = {.hit_ns = 1000, .from_request = 5000};
    const struct account_figures f = runs_account(shown[(uint32_t)run->x - 1], 300, r, n, &params, run->seed),
                                 lru = runs_account("lru", 300, r, n, &params, run->seed);
    free(r);
    return 100 * (run->n ? f.all.work_ratio / lru.all.work_ratio : f.all.hit_ratio / lru.all.hit_ratio);
}

static const struct claim_series ratio_series[] = {
    {.name = "hits", .points = COUNT(shown), .x = x_entry, .of = {.n = 0}, .y = y_ratio},
    {.name = "work avoided", .points = COUNT(shown), .x = x_entry, .of = {.n = 1}, .y = y_ratio},
    {0}};

static const struct claim_plot plots[] = {
    {.id = "origin-load",
     .title = "What a hit ratio does to the origin",
     .reading =
         "From 99.9 % on each tenth of a percent adds as much load as all that was there. A dashboard from 0 to 100 % "
         "shows a flat line meanwhile.",
     .x = "hit ratio",
     .x_unit = "%",
     .y = "load of the origin, against 99.9 %",
     .y_unit = "times",
     .log_y = true,
     .seeds = 8,
     .series = load_series},
    {.id = "hits-and-work",
     .title = "Hits and work avoided: 1 FIFO, 2 LRU, 3 SIEVE, 4 S3-FIFO, 5 W-TinyLFU, 6 GDSF, 7 GDSF that remembers, 8 "
              "Belady",
     .reading =
         "By hits GDSF (6) is worse than any that never looks at costs. By the work that it spares it is better than "
         "all "
         "of them, and than Belady (8), who knows the future and not the costs, only the one that remembers (7) is.",
     .x = "policy",
     .x_unit = "number",
     .y = "against LRU",
     .y_unit = "%",
     .seeds = 16,
     .series = ratio_series},
};

const struct claim_part part_article = {.claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
