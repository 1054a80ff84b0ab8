/* claims_ratio.c: what a hit ratio says of the time that requests take, and of the work that the origin does. */
#include "origin.h"
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

/* ---- time ---- */

static double predict_slower(const struct claim_run *run)
{
    (void)run;
    return theory_mean_time(0.99, 1, 500) / theory_mean_time(0.9, 1, 10);
}

/* Mean latency of a shop where each one_in-th request misses, and takes miss_ms; a hit takes 1 ms. */
static double mean_time(double one_in, uint32_t miss_ms, uint64_t seed)
{
    const struct shop shop = {.rate = 100, .one_in = one_in, .miss_us = 1000 * (miss_ms - 1), .regular = true};
    struct trace t = trace_shop(seed, &shop, SHOP_WARM + 10000);
    const double mean = run_trace("lru", SHOP_CAPACITY, &t, SHOP_WARM, MS, seed).all.mean_ns;
    trace_free(&t);
    return mean;
}

static double slower(const struct claim_run *run)
{
    return mean_time(100, (uint32_t)run->x, run->seed) / mean_time(10, 10, run->seed);
}

/* ---- load of the origin ---- */

/* Everyday a thousand come each second, at the sale ten times as many. */
static const struct shop everyday = {.rate = 1000, .one_in = 125, .miss_us = 500000},
                         sale = {.rate = 10000, .one_in = 50, .miss_us = 500000};

static double predict_load(const struct claim_run *run)
{
    (void)run;
    return theory_origin_load(0.992, 0.98);
}

static double misses_of(double one_in, uint64_t seed)
{
    const struct shop shop = {.rate = 1000, .one_in = one_in, .miss_us = 500000};
    struct trace t = trace_shop(seed, &shop, SHOP_WARM + 400000);
    const struct account_part all = run_trace("lru", SHOP_CAPACITY, &t, SHOP_WARM, MS, seed).all;
    trace_free(&t);
    return (double)all.fetched;
}

/* The hit ratio falls by 1.2 points from x %. */
static double load(const struct claim_run *run)
{
    return misses_of(100 / (101.2 - run->x), run->seed) / misses_of(100 / (100 - run->x), run->seed);
}

/* ---- connections ---- */

/* The misses of a shop behind an LRU cache, at a pool of connections. Warm-up comes at the same rate, and all of its
 * queries are left out. */
static struct origin *queries(const struct shop *shop, uint32_t n, uint32_t pool, uint64_t seed, uint64_t *begins)
{
    struct trace t = trace_shop(seed, shop, SHOP_WARM + n);
    struct cache c = cache_create("lru", SHOP_CAPACITY, seed);
    struct origin *o = origin_create(pool);
    for (uint32_t i = 0; i < t.n; i++)
        if (cache_ask(&c, &t.request[i]) != CM_HIT && i >= SHOP_WARM)
            origin_ask(o, t.request[i].time, t.request[i].cost_us * UINT64_C(1000));
    *begins = t.request[SHOP_WARM].time;
    cache_destroy(&c);
    trace_free(&t);
    return o;
}

static double predict_connections(const struct claim_run *run)
{
    (void)run;
    return theory_busy(10000, 0.98, 0.5);
}

/* From two service times on it is in its steady state. */
static double connections(const struct claim_run *run)
{
    uint64_t begins;
    const struct shop *shop = run->broken ? &everyday : &sale;
    struct origin *o = queries(shop, (uint32_t)(20 * shop->rate), 0, run->seed, &begins);
    const double busy = origin_busy(o, begins + 1 * S, begins + 20 * S);
    origin_destroy(o);
    return busy;
}

static double predict_growth(const struct claim_run *run)
{
    return theory_queue_growth(10000, 0.98, 0.5, run->n);
}

static double growth(const struct claim_run *run)
{
    uint64_t begins;
    struct origin *o = queries(&sale, 100000, run->n, run->seed, &begins);
    const double grown = origin_waiting(o, begins + 9 * S) - (double)origin_waiting(o, begins + 1 * S);
    origin_destroy(o);
    return grown / 8;
}

static double predict_everyday(const struct claim_run *run)
{
    (void)run;
    return 100 * theory_busy(1000, 0.992, 0.5) / 40;
}

static double pool_in_use(const struct claim_run *run)
{
    uint64_t begins;
    const struct shop *shop = run->broken ? &sale : &everyday;
    struct origin *o = queries(shop, (uint32_t)(60 * shop->rate), 40, run->seed, &begins);
    const double busy = origin_busy(o, begins + 1 * S, begins + 60 * S);
    origin_destroy(o);
    return 100 * busy / 40;
}

static const struct claim claims[] = {
    {.id = "slower-at-99",
     .statement = "With 99 % hits and misses of 500 ms requests take longer than with 90 % and misses of 10 ms.",
     .formula = "(0.99 x 1 ms + 0.01 x 500 ms) / (0.9 x 1 ms + 0.1 x 10 ms)",
     .unit = "times",
     .source = "simulated",
     .broken = "misses of 10 ms for both",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.x = 500},
     .instead = {.x = 10},
     .predict = predict_slower,
     .measure = slower},
    {.id = "origin-load",
     .statement = "When the hit ratio falls from 99.2 to 98 %, the origin gets two and a half times the requests.",
     .formula = "(1 - 0.98) / (1 - 0.992)",
     .unit = "times",
     .source = "simulated",
     .broken = "from 80 to 78.8 %: as many points, and hardly more requests",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.x = 99.2},
     .instead = {.x = 80},
     .predict = predict_load,
     .measure = load},
    {.id = "sale-connections",
     .statement = "At the sale 100 connections would be busy on average, if the database could serve them all.",
     .formula = "requests/s x (1 - hit ratio) x seconds a query (Little's law)",
     .unit = "connections",
     .source = "simulated",
     .broken = "everyday's requests: a tenth of them, and 99.2 % hits",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .predict = predict_connections,
     .measure = connections},
    {.id = "sale-queue",
     .statement = "A pool of 40 is asked for 250 % of what it can do, and its queue grows without end.",
     .formula = "requests/s x (1 - hit ratio) - pool / seconds a query",
     .unit = "queries/s",
     .source = "simulated",
     .broken = "a pool of 120 connections",
     .relation = CLAIM_EQUALS,
     .seeds = 24,
     .of = {.n = 40},
     .instead = {.n = 120},
     .predict = predict_growth,
     .measure = growth},
    {.id = "everyday-pool",
     .statement = "Everyday the same pool looks generous: a tenth of it is in use.",
     .formula = "requests/s x (1 - hit ratio) x seconds a query / pool",
     .unit = "% of the pool",
     .source = "simulated",
     .broken = "the sale's requests",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .predict = predict_everyday,
     .measure = pool_in_use},
};

/* ---- the plot ---- */

static const double ratios[] = {90, 95, 98, 98.5, 99, 99.2, 99.5, 99.9};

/* Close together where the curve bends. */
static double ratio_at(uint32_t i)
{
    return i < 18 ? 90 + 0.5 * i : 99 + 0.1 * (i - 18);
}

static double busy_line(const struct claim_run *run)
{
    return theory_busy(run->n, run->x / 100, 0.5);
}

static double busy_point(const struct claim_run *run)
{
    const struct shop shop = {.rate = run->n, .one_in = 100 / (100 - run->x), .miss_us = 500000};
    uint64_t begins;
    struct origin *o = queries(&shop, 10 * run->n, 0, run->seed, &begins);
    const double busy = origin_busy(o, begins + 1 * S, begins + 10 * S);
    origin_destroy(o);
    return busy;
}

static double pool_of_40(const struct claim_run *run)
{
    (void)run;
    return 40;
}

static const struct claim_series series[] = {
    {.name = "the sale, 10,000/s, theory",
     .line = true,
     .points = 28,
     .x = ratio_at,
     .of = {.n = 10000},
     .y = busy_line},
    {.name = "the sale, 10,000/s", .points = COUNT(ratios), .at = ratios, .of = {.n = 10000}, .y = busy_point},
    {.name = "everyday, 1,000/s, theory", .line = true, .points = 28, .x = ratio_at, .of = {.n = 1000}, .y = busy_line},
    {.name = "everyday, 1,000/s", .points = COUNT(ratios), .at = ratios, .of = {.n = 1000}, .y = busy_point},
    {.name = "the pool of 40", .line = true, .points = COUNT(ratios), .at = ratios, .y = pool_of_40},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "connections",
     .title = "Connections that a hit ratio needs, with half a second a miss",
     .reading = "What the database feels is misses. On a dashboard 99.2 and 98 % look alike; with ten times the "
                "customers the one needs all of the pool of 40, and the other two and a half pools.",
     .x = "hit ratio",
     .x_unit = "%",
     .y = "busy connections",
     .y_unit = "connections",
     .log_y = true,
     .seeds = 16,
     .series = series},
};

const struct claim_part part_ratio = {.claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
