/* claims_balance.c: under a causal mask some tokens have much to look at and some hardly anything. Who holds which?
 *
 * Counted: pairs that see each other are the work, the loop's clock says how long the ring takes when transfers take no
 * time. A rank waits for its neighbour's block, so one slow rank in a step is everybody's.
 */
#include "parts.h"
#include "runs.h"

#include <math.h>

#define EACH 16u /* tokens of a rank */

static double ring_time(uint32_t ranks, enum at_layout layout)
{
    struct ring_case c = {.entry = "ring",
                          .ranks = ranks,
                          .each = EACH,
                          .layout = layout,
                          .causal = true,
                          .loop = {.work_per_ns = 1e-3}}; /* so that rounding to whole ns counts for nothing */
    struct ring_result r = ring_case_run(&c);
    return r.met ? (double)r.record.total / 1000 : NAN;
}

static double all_pairs(uint32_t ranks)
{
    double n = ranks * EACH;
    return n * (n + 1) / 2;
}

/* ---- zigzag over contiguous ---- */

static double speed_up(uint32_t ranks)
{
    return 2 - 1.0 / ranks;
}

static double measured_speed_up(uint32_t ranks, bool broken)
{
    return ring_time(ranks, AT_CONTIGUOUS) / ring_time(ranks, broken ? AT_CONTIGUOUS : AT_ZIGZAG);
}

static double speed_up_of_eight(const struct claim_run *run)
{
    return measured_speed_up(8, run->broken);
}

/* How far the worst of 2, 3, ... 16 ranks is from the formula. */
static double worst_speed_up(const struct claim_run *run)
{
    double worst = 0;
    for (uint32_t ranks = 2; ranks <= 16; ranks++)
        worst = fmax(worst, fabs(measured_speed_up(ranks, run->broken) - speed_up(ranks)));
    return worst;
}

/* ---- efficiency ---- */

static double efficiency(uint32_t ranks, enum at_layout layout)
{
    return all_pairs(ranks) / ranks / ring_time(ranks, layout);
}

/* n: a layout that is even, or is not; broken, the other way round. */
static double efficiency_of_eight(const struct claim_run *run)
{
    const enum at_layout layout = (enum at_layout)run->n;
    return efficiency(8, !run->broken ? layout : layout == AT_CONTIGUOUS ? AT_ZIGZAG : AT_CONTIGUOUS);
}

/* ---- plots ---- */

static double rank_count(uint32_t i)
{
    return i + 1;
}

static double bound_line(const struct claim_run *run)
{
    return 100 * run->x / (2 * run->x - 1);
}

static double efficiency_point(const struct claim_run *run)
{
    return 100 * efficiency((uint32_t)run->x, (enum at_layout)run->n);
}

static const struct claim_series series[] = {
    {.name = "P / (2 P - 1)", .line = true, .points = 16, .x = rank_count, .y = bound_line},
    {.name = "contiguous", .points = 16, .x = rank_count, .of = {.n = AT_CONTIGUOUS}, .y = efficiency_point},
    {.name = "striped", .points = 16, .x = rank_count, .of = {.n = AT_STRIPED}, .y = efficiency_point},
    {.name = "zigzag", .points = 16, .x = rank_count, .of = {.n = AT_ZIGZAG}, .y = efficiency_point},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "balance",
     .title = "Share of the ranks' time that is work, under a causal mask",
     .reading =
         "Contiguous runs: the last rank looks at everything, the first at nearly nothing, and half of all time is "
         "waiting. Zigzag gives each rank an early run and a late one. Striped is nearly as even; what it lacks is "
         "half a diagonal in each step.",
     .x = "ranks P",
     .x_unit = "",
     .y = "work",
     .y_unit = "% of the time",
     .seeds = 1,
     .series = series},
};

static const struct claim claims[] = {
    {.id = "zigzag-speed-up",
     .statement = "With 8 ranks and a causal mask, a ring with zigzag shards is 1.875 times as fast as one with "
                  "contiguous shards.",
     .formula = "2 - 1/P",
     .unit = "times",
     .source = "counted",
     .broken = "contiguous shards in place of zigzag",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predicted = 2 - 1.0 / 8,
     .measure = speed_up_of_eight,
     .slack = 2.0 / EACH,
     .slack_why = "a token sees itself, so a diagonal block is (c + 1) / 2c of a full one"},
    {.id = "zigzag-any-ranks",
     .statement = "So it is with any number of ranks from 2 to 16: nowhere off from 2 - 1/P by more than the diagonal.",
     .formula = "0 (the worst difference from 2 - 1/P)",
     .unit = "times",
     .source = "counted",
     .broken = "contiguous shards in place of zigzag",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predicted = 0,
     .measure = worst_speed_up,
     .slack = 2.0 / EACH,
     .slack_why = "a token sees itself, so a diagonal block is (c + 1) / 2c of a full one"},
    {.id = "contiguous-efficiency",
     .statement = "With contiguous shards, 8 ranks and a causal mask, ranks work for 53 % of the time: P / (2 P - 1).",
     .formula = "P / (2 P - 1) = 8 / 15",
     .unit = "",
     .source = "counted",
     .broken = "zigzag in place of contiguous shards",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.n = AT_CONTIGUOUS},
     .predicted = 8.0 / 15,
     .measure = efficiency_of_eight,
     .slack = 0.02,
     .slack_why = "the diagonal is half a block and half a row more"},
    {.id = "striped-efficiency",
     .statement = "Striped shards are even too, but for half a row of each block.",
     .formula = "1, but for 1 / c",
     .unit = "",
     .source = "counted",
     .broken = "contiguous in place of striped shards",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.n = AT_STRIPED},
     .predicted = 1,
     .measure = efficiency_of_eight,
     .slack = 0.08,
     .slack_why = "in each step some rank's block has its diagonal and another's has not: c of c^2 / 2 pairs"},
};

const struct claim_part part_balance = {claims, COUNT(claims), plots, COUNT(plots)};
