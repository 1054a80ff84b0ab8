/* claims_here.c: the ring on this machine's clock: two threads, the fastest rung for float32.
 *
 * Each figure is the median of ROUNDS rounds; in each, what is compared stands side by side. The interval is that of the
 * sign test: the second and the last but one of nine, 96 %. Two ranks need two processors for themselves: a round in
 * which anybody waited for one is not counted, and where too few are left, the claim cannot be told.
 */
#include "job.h"
#include "parts.h"
#include "runs.h"

#include "measure/clock.h"
#include "measure/topology.h"
#include "measure/witness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 9
#define DEPTH  64u

static bool two_cores(void)
{
    struct topology *t;
    struct error err;
    bool two = topology_load(&t, &err) == 0;
    if (two) {
        two = topology_usable_cores(t) >= 2;
        topology_destroy(t);
    }
    return two;
}

static void cannot(struct claim_here *here, const char *why)
{
    *here = (struct claim_here){.value = NAN};
    snprintf(here->why, sizeof here->why, "%s", why);
}

static int order(const void *a, const void *b)
{
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* Rounds until ROUNDS of them were quiet, or this was long enough. */
#define MOST_NS 8e9

#define MOST_NOISE 0.05 /* of a round's time somebody waited for a processor */

static void rounds(double (*round)(void *context, int n), void *context, struct claim_here *here)
{
    double figure[ROUNDS];
    int kept = 0, tries = 0;
    struct witness_reader reader;
    witness_open(&reader);
    const uint64_t start = clock_now_ns();
    round(context, 0); /* warming up */
    for (; kept < ROUNDS && (double)(clock_now_ns() - start) < MOST_NS; tries++) {
        struct witness before, after;
        witness_read(&reader, &before);
        uint64_t begin = clock_now_ns();
        double f = round(context, tries);
        double ns = (double)(clock_now_ns() - begin);
        witness_read(&reader, &after);
        double waited = (double)(after.value[WITNESS_PRESSURE] - before.value[WITNESS_PRESSURE]) * 1e3 +
                        (double)(after.value[WITNESS_STEAL] - before.value[WITNESS_STEAL]) * 1e7;
        if (waited <= MOST_NOISE * ns)
            figure[kept++] = f;
    }
    witness_close(&reader);
    if (kept < ROUNDS) {
        cannot(here, "");
        snprintf(here->why, sizeof here->why,
                 "the machine was busy: in %d of %d rounds somebody waited for a processor", tries - kept, tries);
        return;
    }
    qsort(figure, ROUNDS, sizeof *figure, order);
    *here = (struct claim_here){.value = figure[ROUNDS / 2], .low = figure[1], .high = figure[ROUNDS - 2]};
}

static struct job job_of(uint32_t total, enum at_layout layout, bool causal, enum at_type type)
{
    return (struct job){.ops = runs_entry("ring"),
                        .ring = {.total = total,
                                 .ranks = 2,
                                 .layout = layout,
                                 .causal = causal,
                                 .batch = 1,
                                 .heads = 1,
                                 .kv_heads = 1,
                                 .d = DEPTH,
                                 .scale = (float)(1 / sqrt(DEPTH)),
                                 .type = type,
                                 .partial = AT_F32,
                                 .blocks = runs_fastest(AT_F32)->ops},
                        .seed = 1};
}

static void must(int code, const char *what)
{
    if (code)
        run_failed(what, code);
}

/* ---- zigzag in time ---- */

static double at_least(void)
{
    return 1.35;
}

struct pair {
    struct job job[2];
    struct job_rank *ranks[2];
};

static double pair_round(void *context, int n)
{
    struct pair *p = context;
    struct job_way way = {.transport = JOB_THREADS};
    uint64_t ns[2];
    for (int i = 0; i < 2; i++) {
        int which = (n & 1) ^ i; /* there and back again */
        must(job_run(&p->job[which], p->ranks[which], &way, &ns[which]), "a ring of threads");
    }
    return (double)ns[0] / (double)ns[1];
}

static void zigzag_time(bool broken, struct claim_here *here)
{
    struct pair p = {.job = {job_of(8192, AT_CONTIGUOUS, true, AT_F32),
                             job_of(8192, broken ? AT_CONTIGUOUS : AT_ZIGZAG, true, AT_F32)}};
    if (!two_cores()) {
        cannot(here, "there are no two cores to run on");
        return;
    }
    for (int i = 0; i < 2; i++)
        must(job_make(&p.job[i], &p.ranks[i]), "a ring of threads");
    rounds(pair_round, &p, here);
    for (int i = 0; i < 2; i++)
        job_free(&p.job[i], p.ranks[i]);
}

static const struct claim claims[] = {
    {.id = "zigzag-time",
     .statement =
         "On two threads of this machine, 8,192 tokens and a causal mask, the ring with zigzag shards is at least "
         "1.35 times as fast as with contiguous ones (1.5 in counted work).",
     .formula = "2 - 1/P = 1.5, less a tenth for what is not attention",
     .unit = "times",
     .source = "measured",
     .broken = "contiguous shards in place of zigzag",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .predict = at_least,
     .measure_here = zigzag_time},
};

const struct claim_part part_here = {claims, COUNT(claims), NULL, 0};
