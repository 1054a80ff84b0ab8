/* elsewhere.c: what a program of its own has timed, round by round, as if it had been timed here: the same medians, the
 * same intervals, the same verdicts. */
#include "cost/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void summarize(struct compare_result *r, double *round, uint32_t rounds, double *scratch)
{
    r->round = round;
    r->samples = rounds;
    r->time = stats_sign_interval(round, rounds, 0.05);
    memcpy(scratch, round, rounds * sizeof *scratch);
    stats_sort(scratch, rounds);
    r->p10 = stats_percentile(scratch, rounds, 10);
    r->p50 = stats_percentile(scratch, rounds, 50);
    r->p90 = stats_percentile(scratch, rounds, 90);
    for (int id = 0; id < COUNTERS; id++)
        r->count[id] = stats_sign_interval(NULL, 0, 0.05);
}

int cost_elsewhere(const struct cost_run *run, const struct cost_group *g, uint32_t rounds, struct compare_run *out,
                   struct error *err)
{
    const struct cost_cell *first = &run->cell[g->first];
    const struct cost_subject subject = cost_subject_of(run, first);
    double *round = calloc((size_t)(g->cells + 1) * rounds, sizeof *round);
    *out = (struct compare_run){.candidates = g->cells, .rounds = rounds, .pinned = true};
    out->result = calloc(g->cells, sizeof *out->result);
    int code = round && out->result ? first->operation->elsewhere(&subject, rounds, round, err) : -ENOMEM;
    if (code) {
        free(round);
        free(out->result);
        return code;
    }
    for (uint32_t i = 0; i < g->cells; i++)
        summarize(&out->result[i], round + (size_t)i * rounds, rounds, round + (size_t)g->cells * rounds);
    return 0;
}
