/* What may be said about candidates that were timed side by side (compare.h). */
#include "measure/compare.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *compare_state_name(enum compare_state state)
{
    return state == COMPARE_COLD ? "cold" : "steady";
}

/* Williams' square: row r is the first row with r added to each place, and the first row runs 0, 1, k-1, 2, k-2 … so
 * that its neighbours have all differences once. An odd number of candidates needs the rows backwards as well.
 * (Williams 1949.) */
void compare_order(uint32_t candidates, uint32_t round, uint32_t *order)
{
    uint32_t k = candidates, row = round % k;
    bool backwards = k % 2 == 1 && round / k % 2 == 1;
    for (uint32_t i = 0; i < k; i++) {
        uint32_t first = i % 2 ? (i + 1) / 2 : (k - i / 2) % k;
        order[backwards ? k - 1 - i : i] = (first + row) % k;
    }
}

static struct stats_interval log_ratio(const struct compare_run *run, uint32_t a, uint32_t b, double alpha)
{
    double *ratio = xcalloc(run->rounds, sizeof *ratio);
    for (uint32_t i = 0; i < run->rounds; i++)
        ratio[i] = log(fmax(run->result[b].round[i], 1e-6) / fmax(run->result[a].round[i], 1e-6));
    struct stats_interval interval = stats_sign_interval(ratio, run->rounds, alpha);
    free(ratio);
    return interval;
}

struct stats_interval compare_ratio(const struct compare_run *run, uint32_t a, uint32_t b, double alpha)
{
    struct stats_interval i = log_ratio(run, a, b, alpha);
    return (struct stats_interval){exp(i.median), exp(i.low), exp(i.high)};
}

struct compare_difference compare_two(const struct compare_run *run, uint32_t a, uint32_t b, uint32_t comparisons,
                                      double floor)
{
    struct stats_interval i = log_ratio(run, a, b, COMPARE_ALPHA / (comparisons ? comparisons : 1));
    struct compare_difference d = {COMPARE_NOT_RESOLVED, exp(i.median), exp(i.low), exp(i.high)};
    if (i.low > 0 && d.ratio > 1 + floor)
        d.verdict = COMPARE_SLOWER;
    else if (i.high < 0 && d.ratio < 1 / (1 + floor))
        d.verdict = COMPARE_FASTER;
    return d;
}

double compare_floor(const struct compare_run *run, uint32_t a, uint32_t copy)
{
    struct stats_interval i = log_ratio(run, a, copy, 0.05);
    return fmax(COMPARE_LEAST_FLOOR, exp(fmax(fabs(i.low), fabs(i.high))) - 1);
}

bool compare_was_disturbed(const struct compare_run *run, char *why, size_t size)
{
    /* All threads see the same pressure and the same steal. */
    const double waited =
        ((double)run->witness_sum[WITNESS_PRESSURE] * 1e3 + (double)run->witness_sum[WITNESS_STEAL] * 1e7) /
        run->threads;
    const bool disturbed = waited > 0.02 * (double)run->elapsed_ns;
    if (disturbed)
        snprintf(why, size, "the machine was busy: for %.0f %% of the time somebody waited for a processor",
                 fmin(100, 100 * waited / (double)run->elapsed_ns));
    return disturbed;
}

static uint32_t pairs(uint32_t candidates)
{
    return candidates > 1 ? candidates * (candidates - 1) / 2 : 1;
}

uint32_t compare_rounds_needed(uint32_t candidates)
{
    uint32_t rounds = 2;
    while (candidates > 1 && stats_sign_rank(rounds, COMPARE_ALPHA / pairs(candidates)) == 0)
        rounds++;
    return rounds;
}

/* From the fastest on: whoever is resolved as slower than the first of the group opens the next one. */
void compare_rank(const struct compare_run *run, uint32_t candidates, double floor, uint32_t *rank)
{
    uint32_t *by_time = xcalloc(candidates, sizeof *by_time), group = 1, leader = 0;
    for (uint32_t i = 0; i < candidates; i++) {
        uint32_t at = i;
        for (; at > 0 && run->result[by_time[at - 1]].time.median > run->result[i].time.median; at--)
            by_time[at] = by_time[at - 1];
        by_time[at] = i;
    }
    for (uint32_t i = 0; i < candidates; i++) {
        if (i > 0 &&
            compare_two(run, by_time[leader], by_time[i], pairs(candidates), floor).verdict == COMPARE_SLOWER) {
            group++;
            leader = i;
        }
        rank[by_time[i]] = run->rounds < compare_rounds_needed(candidates) ? 0 : group;
    }
    free(by_time);
}
