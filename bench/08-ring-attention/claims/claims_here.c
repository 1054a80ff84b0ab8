/* claims_here.c: the ring on this machine's clock: two threads, the fastest rung for float32.
 *
 * Each figure is the median of some rounds; in each, what is compared stands side by side. The interval is that of the
 * sign test, 95 %. Two ranks need two processors for themselves: a round in which anybody waited for one, or in which
 * they were not equally fast, is not counted, and where too few are left, the claim cannot be told.
 */
#include "job.h"
#include "parts.h"
#include "runs.h"

#include "measure/clock.h"
#include "measure/stats.h"
#include "measure/topology.h"
#include "measure/witness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64u

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

/* Rounds until `enough` of them were quiet, or this was long enough. */
#define MOST_NS     8e9
#define MOST_ROUNDS 13u

/* What a claim repeats. A round gives NAN when it tells nothing. */
struct rounds {
    double (*round)(void *context, uint32_t n);
    void *context;
    uint32_t enough; /* up to MOST_ROUNDS */
    double noise;    /* so much of a round's time may somebody have waited for a processor */
};

static double waited_ns(const struct witness *before, const struct witness *after)
{
    return (double)(after->value[WITNESS_PRESSURE] - before->value[WITNESS_PRESSURE]) * 1e3 +
           (double)(after->value[WITNESS_STEAL] - before->value[WITNESS_STEAL]) * 1e7;
}

static void run_rounds(const struct rounds *r, struct claim_here *here)
{
    double figure[MOST_ROUNDS];
    uint32_t kept = 0, tries = 0;
    struct witness_reader reader;
    witness_open(&reader);
    const uint64_t start = clock_now_ns();
    r->round(r->context, 0); /* warming up */
    for (; kept < r->enough && (double)(clock_now_ns() - start) < MOST_NS; tries++) {
        struct witness before, after;
        witness_read(&reader, &before);
        uint64_t begin = clock_now_ns();
        double f = r->round(r->context, tries);
        double ns = (double)(clock_now_ns() - begin);
        witness_read(&reader, &after);
        if (waited_ns(&before, &after) <= r->noise * ns && !isnan(f))
            figure[kept++] = f;
    }
    witness_close(&reader);
    if (kept < r->enough) {
        *here = (struct claim_here){.value = NAN};
        snprintf(here->why, sizeof here->why,
                 "the machine was busy: in %u of %u rounds somebody waited for a processor, or one lost its speed",
                 tries - kept, tries);
        return;
    }
    struct stats_interval i = stats_sign_interval(figure, kept, 0.05);
    *here = (struct claim_here){.value = i.median, .low = i.low, .high = i.high};
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

struct pair {
    struct job job[2];
    struct job_rank *ranks[2];
};

/* Pairs in a ns of all that there are, while a rank computed. */
static double speed_of(const struct job_rank *rank, double share)
{
    double ns = 0;
    for (uint32_t i = 0; i < rank->spans; i++)
        if (rank->span[i].what == JOB_COMPUTE)
            ns += (double)(rank->span[i].end - rank->span[i].begin);
    return share / ns;
}

static double apart(double one, double other)
{
    return fmax(one, other) / fmin(one, other);
}

/* A rank of a shared machine may share its core with a neighbour whom no counter of a guest shows, and then computes
 * half as fast. So a pair of runs tells something if the ranks of a run were equally fast, and one run about as fast as
 * the other: but not more exactly than that, since a layout that computes more slowly has to be seen. */
static bool same_speed(const struct pair *p)
{
    static const double share[][2] = {[AT_CONTIGUOUS] = {0.25, 0.75}, [AT_ZIGZAG] = {0.5, 0.5}};
    double speed[2][2];
    for (int j = 0; j < 2; j++)
        for (int r = 0; r < 2; r++)
            speed[j][r] = speed_of(&p->ranks[j][r], share[p->job[j].ring.layout][r]);
    return apart(speed[0][0], speed[0][1]) <= 1.1 && apart(speed[1][0], speed[1][1]) <= 1.1 &&
           apart(speed[0][0] + speed[0][1], speed[1][0] + speed[1][1]) <= 1.25;
}

static double pair_round(void *context, uint32_t n)
{
    struct pair *p = context;
    struct job_way way = {.transport = JOB_THREADS};
    uint64_t ns[2];
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t which = (n ^ i) & 1; /* there and back again */
        must(job_run(&p->job[which], p->ranks[which], &way, &ns[which]), "a ring of threads");
    }
    return same_speed(p) ? (double)ns[0] / (double)ns[1] : NAN;
}

static void zigzag_time(const struct claim_run *run, struct claim_here *here)
{
    struct pair p = {.job = {job_of(8192, AT_CONTIGUOUS, true, AT_F32),
                             job_of(8192, run->broken ? AT_CONTIGUOUS : AT_ZIGZAG, true, AT_F32)}};
    if (!two_cores()) {
        cannot(here, "there are no two cores to run on");
        return;
    }
    for (int i = 0; i < 2; i++)
        must(job_make(&p.job[i], &p.ranks[i]), "a ring of threads");
    run_rounds(&(struct rounds){pair_round, &p, MOST_ROUNDS, 0.05}, here);
    for (int i = 0; i < 2; i++)
        job_free(&p.job[i], p.ranks[i]);
}

/* ---- the knee ---- */

#define SHARDS 7
static const uint32_t shard[SHARDS] = {512, 724, 1024, 1448, 2048, 2896, 4096};
#define MIDDLE 1448.0 /* where the link's speed puts the knee */

/* From the first begin to the last end of the spans of step 0, or of those of one kind; the slowest rank. */
static double first_step_ns(const struct job_rank *ranks, bool all, enum job_what what)
{
    uint64_t longest = 0;
    for (uint32_t r = 0; r < 2; r++) {
        uint64_t begin = UINT64_MAX, end = 0;
        for (uint32_t i = 0; i < ranks[r].spans; i++) {
            const struct job_span *s = &ranks[r].span[i];
            if (s->step != 0 || (!all && s->what != what))
                continue;
            begin = s->begin < begin ? s->begin : begin;
            end = s->end > end ? s->end : end;
        }
        longest = end > begin && end - begin > longest ? end - begin : longest;
    }
    return (double)longest;
}

struct shards {
    struct job job[SHARDS];
    struct job_rank *ranks[SHARDS];
    double link; /* bytes in a ns; 0: not yet known */
};

/* Computing alone, and the step over the link, side by side: the clock of a shared machine wanders, and what it does to
 * both falls out. In units of 2 F / B a shard is x tokens, and a step should take max(1, 1/x) times its computing. */
static void one_shard(struct shards *s, size_t i, double *x, double *y)
{
    const uint32_t c = shard[i];
    struct job_way way = {.transport = JOB_THREADS};
    uint64_t ns;
    must(job_run(&s->job[i], s->ranks[i], &way, &ns), "a ring of threads");
    const double compute = first_step_ns(s->ranks[i], false, JOB_COMPUTE);
    const double speed = 4.0 * c * c * DEPTH / compute; /* F */
    if (s->link == 0)
        s->link = 2 * speed / MIDDLE;
    way = (struct job_way){.transport = JOB_SLOW, .bytes_per_second = s->link * 1e9};
    must(job_run(&s->job[i], s->ranks[i], &way, &ns), "a ring over a slow link");
    /* With two ranks all that is sent is sent in the first step. */
    const double link = (double)s->ranks[i][0].sent / first_step_ns(s->ranks[i], false, JOB_TRANSFER); /* B */
    *x = c / (2 * speed / link);
    *y = first_step_ns(s->ranks[i], true, JOB_COMPUTE) / compute;
}

/* The knee in units of 2 F / B: the k with which max(1, k/x) is nearest to what was seen; a few disturbed steps move a
 * sum of distances little. */
static double knee_round(void *context, uint32_t n)
{
    struct shards *s = context;
    double x[SHARDS], y[SHARDS], least = INFINITY, knee = NAN;
    (void)n;
    for (size_t i = SHARDS; i-- > 0;) /* the largest first: the link is made after it */
        one_shard(s, i, &x[i], &y[i]);
    for (double k = 0.2; k < 5; k *= 1.005) {
        double off = 0;
        for (size_t i = 0; i < SHARDS; i++)
            off += fabs(log(y[i] / fmax(1, k / x[i])));
        if (off < least)
            least = off, knee = k;
    }
    return knee;
}

static void knee_here(const struct claim_run *run, struct claim_here *here)
{
    struct shards s = {.link = 0};
    if (!two_cores()) {
        cannot(here, "there are no two cores to run on");
        return;
    }
    for (size_t i = 0; i < SHARDS; i++) {
        s.job[i] = job_of(2 * shard[i], AT_CONTIGUOUS, false, run->broken ? AT_BF16 : AT_F32);
        must(job_make(&s.job[i], &s.ranks[i]), "a ring over a slow link");
    }
    /* Who moves the bytes needs a processor too, for a moment each ms. */
    run_rounds(&(struct rounds){knee_round, &s, 9, 0.25}, here);
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
     .predicted = 1.35,
     .measure_here = zigzag_time},
    {.id = "knee-here",
     .statement =
         "Two threads over a metered link of B bytes/s, each computing F operations/s: here too a step turns from the "
         "link's to the processor's at c = 2 F / B tokens a rank, F and B being measured beside it.",
     .formula = "knee / (2 F / B) = 1, within 20 %",
     .unit = "",
     .source = "measured",
     .broken = "keys and values in bfloat16: half the bytes",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predicted = 1,
     .measure_here = knee_here,
     .slack = 0.2,
     .slack_why = "computing slows down while bytes are moved; a step begins and ends with a wake-up"},
};

const struct claim_part part_here = {claims, COUNT(claims), NULL, 0};
