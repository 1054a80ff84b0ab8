/* Tests of tasks 4 to 6: ranks that see their shard and two neighbours. */
#include "check_scene.h"

#include <math.h>
#include <stdlib.h>

static void meet(struct scene *s, const char *lesson)
{
    struct ring_run run;
    ring_run(s, &run, lesson);
    ring_met(&run, lesson);
    ring_end(&run);
}

/* ---- task 4: a rank of the ring ---- */

CHECK(ring, meets_everybody)
{
    struct rng r = random_of_test(30);
    for (uint32_t ranks = 1; ranks <= (check_large() ? 9 : 6); ranks++)
        meet(ring_scene(ranks * between(&r, 1, 6), ranks, AT_CONTIGUOUS, false),
             ranks == 1 ? "A ring of one rank: its own keys are all there are."
                        : "In step s a rank holds the block of rank r - s (modulo P). What arrives must not go where "
                          "something is still being read, and is not there before wait is back.");
}

CHECK(ring, no_deadlock)
{
    struct rng r = random_of_test(31);
    for (uint32_t ranks = 1; ranks <= (check_large() ? 8 : 5); ranks++) {
        struct scene *s = ring_scene(ranks * between(&r, 1, 5), ranks, AT_CONTIGUOUS, false);
        s->ring.loop.holds = 0; /* send waits for the other side to receive */
        meet(s, "Where a link holds nothing, send waits until the other side receives. If all send first, nobody "
                "receives. begin does both at once.");
    }
}

CHECK(ring, unequal_shards)
{
    struct rng r = random_of_test(32);
    for (uint32_t round = 0; round < (check_large() ? 8 : 4); round++) {
        const uint32_t ranks = between(&r, 2, 7), more = between(&r, 1, ranks - 1);
        struct scene *s = ring_scene(ranks * between(&r, 1, 4) + more, ranks, AT_CONTIGUOUS, false);
        s->problem.batch = between(&r, 1, 2);
        s->problem.kv_heads = between(&r, 1, 2);
        s->problem.heads = s->problem.kv_heads * between(&r, 1, 3);
        s->gap = round % 2 ? between(&r, 1, 5) : 0;
        meet(s, round % 2 ? "Rows of a rank's queries, keys, values and output lie as far apart as their `row` says."
                          : "The first total % P shards have a row more. A message must be received with the size that "
                            "it was sent with: that of the shard it is, not of one's own.");
    }
}

CHECK(ring, bytes)
{
    struct rng r = random_of_test(33);
    for (uint32_t round = 0; round < (check_large() ? 6 : 3); round++) {
        const uint32_t ranks = between(&r, round ? 2 : 1, 8), kv = between(&r, 1, 2);
        struct scene *s = ring_scene(ranks * 3 + between(&r, 0, ranks - 1), ranks, AT_CONTIGUOUS, false);
        struct ring_run run;
        s->problem.kv_heads = kv;
        s->problem.heads = 2 * kv;
        ring_run(s, &run, NULL);
        ring_met(&run, NULL);
        for (uint32_t i = 0; i < ranks; i++) {
            /* All blocks pass but that of the next rank, which is at home there. */
            const uint64_t others = s->ring.total - run.rank[(i + 1) % ranks].run[0][2];
            const uint64_t expected = ranks == 1 ? 0 : others * kv * 2 * s->problem.d * sizeof(float);
            check_that(run.played.rank[i].sent == expected,
                       "%u ranks, %llu tokens, %u heads of keys, d = %u: rank %u must send %llu bytes, it sent "
                       "%llu.\nP - 1 rotations, each with one block: keys and values, in float32, nothing else. Nobody "
                       "needs his own block back.",
                       ranks, (unsigned long long)s->ring.total, kv, s->problem.d, i, (unsigned long long)expected,
                       (unsigned long long)run.played.rank[i].sent);
        }
        ring_end(&run);
    }
}

/* Ranks with blocks of 128 KiB, on stacks of as much. */
static uint64_t workspace_of(uint32_t ranks, uint64_t data_bytes)
{
    struct ring_run run;
    /* The same d for any number of ranks: so much must a row of book.h have. */
    struct scene *s = ring_scene(ranks * 8, ranks, AT_CONTIGUOUS, false);
    s->problem.d = 256;
    s->problem.heads = s->problem.kv_heads = 8;
    s->ring.loop.stack = (size_t)1 << 17;
    ring_run_within(s, data_bytes, &run,
                    "Blocks come, are met, and go: two of them are enough, and what is not asked for with "
                    "ring_workspace may not be taken.");
    ring_met(&run, NULL);
    const uint64_t bytes = run.rank[0].bytes_low | (uint64_t)run.rank[0].bytes_high << 32;
    ring_end(&run);
    return bytes;
}

CHECK(ring, peak_memory)
{
    const uint64_t block = 2 * 8 * 8 * 256 * sizeof(float), slack = 4096; /* 8 rows, 8 heads, d = 256 */
    const uint64_t most = 4 * block + 8 * 8 * (256 + 1) * sizeof(float) + slack;
    for (uint32_t ranks = 2; ranks <= 16; ranks *= 2) {
        const uint64_t bytes = workspace_of(ranks, 0);
        check_that(
            bytes <= most,
            "%u ranks, 8 rows each, 8 heads, d = 256: ring_workspace asked for %llu bytes; expected: at most %llu, for "
            "any number of ranks.\nThat is four blocks of keys and values (%llu bytes each) and a partial result; "
            "two blocks are enough.",
            ranks, (unsigned long long)bytes, (unsigned long long)most, (unsigned long long)block);
    }
    /* For each rank: what it asked for, its shard, what the loop keeps on the way; then libraries, and the logs. */
    const uint64_t a_rank = workspace_of(16, 0) + 2 * block + 2 * block + (1 << 17) + (1 << 14);
    workspace_of(16, 16 * a_rank + ((uint64_t)8 << 20));
}

CHECK(ring, attention)
{
    struct rng r = random_of_test(34);
    for (uint32_t round = 0; round < (check_large() ? 4 : 2); round++) {
        const uint32_t ranks = between(&r, 2, 5), total = ranks * between(&r, 8, 30) + between(&r, 0, 1);
        struct at_problem p = problem_of(total, total, between(&r, 3, 20));
        p.heads = 2;
        struct scene *shape = ring_scene(total, ranks, AT_CONTIGUOUS, false);
        struct scene *whole = forward_scene(&p, 0, false, &r, 1);
        struct scene *s = room_for(1, SCENE_SIZE(whole->numbers));
        *s = *shape;
        free(shape);
        s->problem = p;
        s->ring.own = 1;
        s->numbers = whole->numbers;
        for (uint32_t i = 0; i < whole->numbers; i++)
            s->data[i] = whole->data[i];
        struct ring_run run;
        struct truth t = truth_of(whole);
        ring_run(s, &run, "Here the ring computes with your own \"blockwise\".");
        for (size_t i = 0; i < (size_t)p.heads * total * p.d; i++)
            check_that(fabs((double)run.out[i] - t.out[i]) <= 4 * t.slack,
                       "%u ranks, %u tokens, d = %u, with your own \"blockwise\": token %zu, head %zu, column %zu: "
                       "expected: %.7g; actual: %.7g",
                       ranks, total, p.d, i / p.d % total, i / p.d / total, i % p.d, t.out[i], (double)run.out[i]);
        for (size_t i = 0; i < (size_t)p.heads * total; i++)
            check_that(fabs((double)run.lse[i] - t.lse[i]) <= 4 * t.slack * (1 + fabs(t.lse[i])),
                       "%u ranks, %u tokens, with your own \"blockwise\": token %zu, head %zu: log-sum-exp: expected: "
                       "%.7g; actual: %.7g",
                       ranks, total, i % total, i / total, t.lse[i], (double)run.lse[i]);
        truth_free(&t);
        free(whole);
        ring_end(&run);
    }
}

/* ---- task 5: layouts ---- */

/* Longer than a multiple of 2P, in every second round by more than P: then rank 0 has not the longest zigzag. */
static uint32_t odd_length(struct rng *r, uint32_t ranks, uint32_t round)
{
    return 2 * ranks * between(r, 1, 3) + (round % 2 ? between(r, 0, ranks) : ranks + between(r, 1, ranks - 1));
}

CHECK(layouts, positions)
{
    struct rng r = random_of_test(40);
    for (uint32_t round = 0; round < (check_large() ? 6 : 3); round++)
        for (int layout = AT_CONTIGUOUS; layout <= AT_ZIGZAG; layout++) {
            struct ring_run run;
            const uint32_t ranks = between(&r, 2, 8), total = round == 1 ? 4 * ranks : odd_length(&r, ranks, round);
            ring_run(ring_scene(total, ranks, (enum at_layout)layout, false), &run, NULL);
            ring_shards(&run);
            ring_end(&run);
        }
}

CHECK(layouts, causal_ring)
{
    struct rng r = random_of_test(41);
    for (uint32_t round = 0; round < (check_large() ? 6 : 2); round++)
        for (int layout = AT_CONTIGUOUS; layout <= AT_ZIGZAG; layout++) {
            struct ring_run run;
            const char *lesson =
                "The block of another rank comes with that rank's positions, and so it must be handed to forward.";
            const uint32_t ranks = between(&r, 2, 6);
            ring_run(ring_scene(odd_length(&r, ranks, round), ranks, (enum at_layout)layout, true), &run, lesson);
            ring_shards(&run);
            ring_met(&run, lesson);
            ring_end(&run);
        }
}

CHECK(layouts, balance)
{
    const uint32_t ranks = 8;
    struct ring_run run;
    struct scene *s = ring_scene(2 * ranks * (check_large() ? 12 : 8), ranks, AT_ZIGZAG, true);
    s->ring.loop.work_per_ns = 1;
    ring_run(s, &run, NULL);
    ring_shards(&run);
    ring_met(&run, NULL);
    uint64_t all = 0;
    for (uint32_t r = 0; r < ranks; r++)
        all += run.played.rank[r].work;
    const double share = (double)all / ranks, time = (double)run.played.total;
    ring_end(&run);
    check_measured(
        time / share,
        "%u ranks, zigzag, causal: the ring takes %.0f units of work, and an equal share is %.0f: %.3f times "
        "as much. With contiguous runs it is nearly twice as much. A pair that can't see each other is no "
        "work.",
        ranks, time, share, time / share);
}

/* ---- task 6: overlap ---- */

/* A ring whose step computes for 1 and transfers for `transfer`, in any unit: virtual ns of the whole, in that unit. */
static double ring_time(uint32_t ranks, uint32_t each, double transfer)
{
    struct ring_run run;
    struct scene *s = ring_scene(ranks * each, ranks, AT_CONTIGUOUS, false);
    const double unit = 1e6, work = (double)each * each, bytes = 2.0 * each * s->problem.d * sizeof(float);
    s->ring.loop.work_per_ns = work / unit;
    s->ring.loop.bytes_per_ns = bytes / (transfer * unit);
    s->ring.loop.holds = 0; /* or a send alone would do */
    ring_run(s, &run, "The links hold nothing: what is to travel meanwhile, begin has to be told of.");
    ring_met(&run, NULL);
    const double time = (double)run.played.total / unit;
    ring_end(&run);
    return time;
}

CHECK(overlap, step_time)
{
    struct rng r = random_of_test(50);
    const uint32_t ranks = check_large() ? 10 : 8, each = between(&r, 2, 5);
    const double time = ring_time(ranks, each, 1), best = ranks; /* all transfers are under way while it computes */
    check_measured(time / best,
                   "%u ranks, where a step computes as long as it transfers: the ring takes %.2f such times, and %u "
                   "would do: %.3f times as long. Begin the transfer before you compute, and wait for it afterwards.",
                   ranks, time, ranks, time / best);
}

CHECK(overlap, slow_link)
{
    static const double transfer[] = {0.25, 4};
    for (int i = 0; i < 2; i++)
        for (uint32_t ranks = 2; ranks <= 6; ranks += 2) {
            const double time = ring_time(ranks, 4, transfer[i]);
            const double best = transfer[i] > 1 ? (ranks - 1) * transfer[i] + 1 : ranks;
            check_that(fabs(time - best) < 0.01 * best,
                       "%u ranks, a step computes for 1 and transfers for %g: expected: %.2f; actual: %.2f\nOn a %s "
                       "link the ring takes as long as %s: the other is hidden behind it.",
                       ranks, transfer[i], best, time, transfer[i] > 1 ? "slow" : "fast",
                       transfer[i] > 1 ? "its P - 1 transfers and one step of computing" : "P steps of computing");
        }
}
