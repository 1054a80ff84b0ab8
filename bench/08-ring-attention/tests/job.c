/* job.c: the same job over any transport: the same bits, and right. */
#include "job.h"
#include "nan_max.h"
#include "runs.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(job, .timeout = 60);

static struct job job_of(uint32_t ranks, uint64_t total, enum at_layout layout)
{
    runs_load();
    struct job job = {.ops = runs_entry("ring"), .seed = 3};
    job.ring = (struct at_ring){.total = total,
                                .ranks = ranks,
                                .layout = layout,
                                .causal = true,
                                .batch = 1,
                                .heads = 2,
                                .kv_heads = 1,
                                .d = 24,
                                .scale = 0.2f,
                                .blocks = runs_entry("blockwise")};
    return job;
}

static void run(const struct job *job, enum job_transport transport, uint64_t *hash, struct job_error *worst)
{
    struct job_rank *rank = NULL;
    struct job_way way = {.transport = transport, .bytes_per_second = 100e6, .loop = {.bytes_per_ns = 1}};
    uint64_t ns = 0;
    cr_assert_eq(job_make(job, &rank), 0);
    cr_assert_eq(job_run(job, rank, &way, &ns), 0);
    *worst = (struct job_error){0, 0, 0};
    for (uint32_t r = 0; r < job->ring.ranks; r++) {
        struct job_error e;
        hash[r] = job_rank_hash(job, &rank[r]);
        cr_assert_eq(job_rank_check(job, &rank[r], 16, &e), 0);
        worst->out = nan_max(worst->out, e.out);
        worst->lse = nan_max(worst->lse, e.lse);
    }
    job_free(job, rank);
}

Test(job, the_same_bits_over_loop_threads_and_slow_links)
{
    static const uint32_t ranks[] = {1, 2, 3, 4, 7, 8};
    for (int n = 0; n < 6; n++)
        for (int l = 0; l < 3; l++) {
            struct job job = job_of(ranks[n], 205, (enum at_layout)l);
            uint64_t loop[8], threads[8], slow[8];
            struct job_error off;
            run(&job, JOB_LOOP, loop, &off);
            cr_assert(off.out < 1e-6 && off.lse < 1e-6, "%u ranks: off by %g, %g", ranks[n], off.out, off.lse);
            run(&job, JOB_THREADS, threads, &off);
            run(&job, JOB_SLOW, slow, &off);
            for (uint32_t r = 0; r < ranks[n]; r++)
                cr_assert(loop[r] == threads[r] && loop[r] == slow[r], "%u ranks, layout %d, rank %u", ranks[n], l, r);
            job.parts = 5;
            run(&job, JOB_THREADS, threads, &off);
            for (uint32_t r = 0; r < ranks[n]; r++)
                cr_assert_eq(loop[r], threads[r], "in 5 parts: %u ranks, layout %d, rank %u", ranks[n], l, r);
        }
}

Test(job, every_entry_every_type)
{
    static const char *const entries[] = {"ring", "ring-blocking", "ring-in-turns", "ring-gather"};
    for (int e = 0; e < 4; e++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            struct job job = job_of(4, 301, AT_ZIGZAG);
            uint64_t loop[4], threads[4];
            struct job_error off;
            job.ops = runs_entry(entries[e]);
            job.ring.type = bf16 ? AT_BF16 : AT_F32;
            job.ring.batch = 2;
            run(&job, JOB_LOOP, loop, &off);
            cr_assert(off.out < 1e-6 && off.lse < 1e-6, "%s: off by %g, %g", entries[e], off.out, off.lse);
            run(&job, JOB_THREADS, threads, &off);
            cr_assert_eq(memcmp(loop, threads, sizeof loop), 0, "%s", entries[e]);
        }
}

Test(job, no_number_is_worse_than_a_nan)
{
    cr_assert_eq(nan_max(0.5, 0.25), 0.5);
    cr_assert_eq(nan_max(0.5, 0.75), 0.75);
    cr_assert(isnan(nan_max(0.5, NAN)) && isnan(nan_max(NAN, 0.5)) && isnan(nan_max(NAN, INFINITY)));
}

/* A wrong number in one row, and a check that looks at all of them. */
Test(job, a_check_finds_what_is_wrong)
{
    struct job job = job_of(2, 40, AT_CONTIGUOUS);
    struct job_rank *rank = NULL;
    struct job_way way = {.transport = JOB_LOOP};
    struct job_error e;
    uint64_t ns;
    job.ring.heads = 1;
    cr_assert_eq(job_make(&job, &rank), 0);
    cr_assert_eq(job_run(&job, rank, &way, &ns), 0);
    uint64_t hash = job_rank_hash(&job, &rank[1]);
    rank[1].out[5 * 24 + 3] += 0.25f;
    cr_assert_neq(job_rank_hash(&job, &rank[1]), hash);
    cr_assert_eq(job_rank_check(&job, &rank[1], 400, &e), 0);
    cr_assert(fabs(e.out - 0.25) < 1e-5, "actual: %g", e.out);
    rank[1].out[5 * 24 + 3] = NAN;
    cr_assert_eq(job_rank_check(&job, &rank[1], 400, &e), 0);
    cr_assert(isnan(e.out));
    cr_assert_eq(job_rank_check(&job, &rank[0], 400, &e), 0);
    cr_assert(e.out < 1e-6);
    job_free(&job, rank);
}

Test(job, the_whole_in_one_place_is_the_ring_of_one)
{
    struct job job = job_of(1, 300, AT_CONTIGUOUS);
    uint64_t ns;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct job_whole *whole = NULL;
        struct job_rank *rank = NULL;
        struct job_way way = {.transport = JOB_LOOP};
        cr_assert_eq(job_whole_make(&job, threads, &whole), 0);
        cr_assert_eq(job_whole_run(whole, &ns), 0);
        cr_assert_eq(job_make(&job, &rank), 0);
        cr_assert_eq(job_run(&job, rank, &way, &ns), 0);
        cr_assert_eq(memcmp(job_whole_out(whole), rank[0].out, 2 * 300 * 24 * sizeof(float)), 0);
        job_free(&job, rank);
        job_whole_free(whole);
    }
}

/* ---- what happened when ---- */

static uint64_t sum(const struct job_rank *r, uint32_t what, uint32_t *n)
{
    uint64_t ns = 0;
    *n = 0;
    for (uint32_t i = 0; i < r->spans; i++)
        if (r->span[i].what == what) {
            ns += r->span[i].end - r->span[i].begin;
            ++*n;
        }
    return ns;
}

/* On the loop's clock: 100 rows a rank, 10^4 pairs a block; a block is 100 x 2 x 24 x 4 = 19,200 bytes. */
Test(job, spans_of_computing_and_transfers)
{
    struct job job = job_of(4, 400, AT_CONTIGUOUS);
    struct job_rank *rank = NULL;
    struct job_way way = {.transport = JOB_LOOP, .loop = {.bytes_per_ns = 1, .work_per_ns = 1}};
    uint64_t ns = 0;
    uint32_t n;
    job.ring.causal = false;
    cr_assert_eq(job_make(&job, &rank), 0);
    cr_assert_eq(job_run(&job, rank, &way, &ns), 0);
    cr_assert_eq(ns, 3 * 19200 + 10000);
    for (uint32_t r = 0; r < 4; r++) {
        cr_assert_eq(sum(&rank[r], JOB_COMPUTE, &n), 40000);
        cr_assert_eq(n, 4);
        cr_assert_eq(sum(&rank[r], JOB_TRANSFER, &n), 3 * 19200);
        cr_assert_eq(n, 3);
        cr_assert_eq(sum(&rank[r], JOB_WAIT, &n), 3 * 9200);
        cr_assert_eq(rank[r].sent, 3 * 19200);
        for (uint32_t i = 0; i < rank[r].spans; i++)
            cr_assert(rank[r].span[i].step < 4 && rank[r].span[i].end <= ns);
    }
    way = (struct job_way){.transport = JOB_SLOW, .bytes_per_second = 10e6};
    cr_assert_eq(job_run(&job, rank, &way, &ns), 0);
    cr_assert_geq(ns, 3 * 1920000);
    for (uint32_t r = 0; r < 4; r++) {
        cr_assert_geq(sum(&rank[r], JOB_TRANSFER, &n), 3 * 1920000);
        cr_assert_eq(n, 3);
        sum(&rank[r], JOB_COMPUTE, &n);
        cr_assert_eq(n, 4);
    }
    job_free(&job, rank);
}

static void count_ticks(void *context, uint32_t rank, uint64_t met, uint64_t all)
{
    uint64_t *seen = context;
    cr_assert(met <= all && met >= seen[rank]);
    seen[rank] = met;
    seen[2] = all;
}

Test(job, ticks_come_to_the_end)
{
    uint64_t seen[3] = {0}, hash[2];
    struct job job = job_of(2, 100, AT_ZIGZAG);
    struct job_error off;
    job.tick = count_ticks;
    job.context = seen;
    job.parts = 4;
    run(&job, JOB_LOOP, hash, &off);
    cr_assert(seen[0] > 0 && seen[0] + seen[1] == job_pairs(&job.ring));
}

Test(job, nonsense_is_refused)
{
    struct job job = job_of(0, 100, AT_ZIGZAG);
    struct job_rank *rank;
    struct job_whole *whole;
    cr_assert_eq(job_make(&job, &rank), -EINVAL);
    job = job_of(60, 100, AT_ZIGZAG);
    cr_assert_eq(job_make(&job, &rank), -EINVAL);
    cr_assert_eq(job_whole_make(&job, 0, &whole), -EINVAL);
    job = job_of(2, 100, AT_ZIGZAG);
    job.backward = true;
    struct at_ops blocks = *job.ring.blocks;
    blocks.backward = NULL, blocks.backward_workspace = NULL;
    job.ring.blocks = &blocks;
    cr_assert_eq(job_make(&job, &rank), -ENOTSUP);
}
