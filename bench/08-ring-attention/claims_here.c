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

/* noise: so much of a round's time may somebody have waited for a processor. */
static void rounds(double (*round)(void *context, int n), void *context, double noise, struct claim_here *here)
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
        if (waited <= noise * ns)
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
    rounds(pair_round, &p, 0.05, here);
    for (int i = 0; i < 2; i++)
        job_free(&p.job[i], p.ranks[i]);
}

/* ---- the knee ---- */

#define SHARDS 9
static const uint32_t shard[SHARDS] = {181, 256, 362, 512, 724, 1024, 1448, 2048, 2896};
#define MIDDLE 724.0 /* where the knee is put, by the link's speed */

/* How long the first step of the ring takes: until both computing and transferring are over, the slower rank. */
static double one_step_ns(const struct job *job, struct job_rank *ranks, double bytes_per_second)
{
    struct job_way way = {.transport = JOB_SLOW, .bytes_per_second = bytes_per_second};
    uint64_t ns, longest = 0;
    must(job_run(job, ranks, &way, &ns), "a ring over a slow link");
    for (uint32_t r = 0; r < 2; r++) {
        uint64_t begin = UINT64_MAX, end = 0;
        for (uint32_t i = 0; i < ranks[r].spans; i++) {
            const struct job_span *s = &ranks[r].span[i];
            if (s->step != 0)
                continue;
            begin = s->begin < begin ? s->begin : begin;
            end = s->end > end ? s->end : end;
        }
        longest = end - begin > longest ? end - begin : longest;
    }
    return (double)longest;
}

/* The best of three: what others do to the machine only ever adds. */
static double step_ns(const struct job *job, struct job_rank *ranks, double bytes_per_second)
{
    double best = INFINITY;
    for (int i = 0; i < 3; i++)
        best = fmin(best, one_step_ns(job, ranks, bytes_per_second));
    return best;
}

/* Operations in a ns of one rank that computes alone, with the largest shard; and how many bytes a ns a link carries. */
static double speed_of(uint32_t c, enum at_type type)
{
    struct job job = job_of(2 * c, AT_CONTIGUOUS, false, type);
    struct job_rank *ranks;
    struct job_way way = {.transport = JOB_THREADS};
    uint64_t ns, best = UINT64_MAX;
    must(job_make(&job, &ranks), "a ring of threads");
    for (int i = 0; i < 3; i++) {
        must(job_run(&job, ranks, &way, &ns), "a ring of threads");
        for (uint32_t n = 0; n < ranks[0].spans; n++) {
            const struct job_span *s = &ranks[0].span[n];
            best = s->what == JOB_COMPUTE && s->step == 0 && s->end - s->begin < best ? s->end - s->begin : best;
        }
    }
    job_free(&job, ranks);
    return 4.0 * c * c * DEPTH / (double)best;
}

/* The c at which c/k and (c/k)^2 cross, for the k that fits all steps best: log t = log a + max(log c/k, 2 log c/k). */
static double fitted_knee(const double *ns)
{
    double best = INFINITY, knee = NAN;
    for (double k = 0.5 * shard[0]; k < 2.0 * shard[SHARDS - 1]; k *= 1.01) {
        double mean = 0, off = 0;
        for (size_t i = 0; i < SHARDS; i++)
            mean += (log(ns[i]) - fmax(1, 1 + (shard[i] > k)) * log((double)shard[i] / k)) / SHARDS;
        for (size_t i = 0; i < SHARDS; i++) {
            double e = log(ns[i]) - mean - fmax(1, 1 + (shard[i] > k)) * log((double)shard[i] / k);
            off += e * e;
        }
        if (off < best)
            best = off, knee = k;
    }
    return knee;
}

static double one(void)
{
    return 1;
}

struct shards {
    struct job job[SHARDS];
    struct job_rank *ranks[SHARDS];
    double link; /* bytes in a ns: so that the knee is in the middle, by the first round's F */
};

static double knee_round(void *context, int n)
{
    struct shards *s = context;
    double ns[SHARDS], speed = speed_of(shard[SHARDS - 1], s->job[0].ring.type); /* anew: the clock wanders */
    (void)n;
    if (s->link == 0)
        s->link = 2 * speed / MIDDLE;
    for (size_t i = 0; i < SHARDS; i++)
        ns[i] = step_ns(&s->job[i], s->ranks[i], s->link * 1e9);
    return fitted_knee(ns) / (2 * speed / s->link);
}

static void knee(bool broken, struct claim_here *here)
{
    struct shards s = {.link = 0};
    if (!two_cores()) {
        cannot(here, "there are no two cores to run on");
        return;
    }
    for (size_t i = 0; i < SHARDS; i++) {
        s.job[i] = job_of(2 * shard[i], AT_CONTIGUOUS, false, broken ? AT_BF16 : AT_F32);
        must(job_make(&s.job[i], &s.ranks[i]), "a ring over a slow link");
    }
    rounds(knee_round, &s, 0.25, here); /* who moves the bytes needs a processor too, for a moment each ms */
    for (size_t i = 0; i < SHARDS; i++)
        job_free(&s.job[i], s.ranks[i]);
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
    {.id = "knee-here",
     .statement =
         "Over a metered link of B bytes/s, where a rank computes F operations/s, a step turns from the link's to "
         "the processor's at c = 2 F / B tokens a rank: here too, with F and B measured in the same run.",
     .formula = "knee / (2 F / B) = 1, within 20 %",
     .unit = "",
     .source = "measured",
     .broken = "keys and values in bfloat16: half the bytes",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predict = one,
     .measure_here = knee,
     .slack = 0.2,
     .slack_why = "a rank computes less in a ns when its shard is small; what the first bytes of a transfer wait for"},
};

const struct claim_part part_here = {claims, COUNT(claims), NULL, 0};
