/* ring.c: rings of every layout and size against float64, what they send, what they ask for, and how long they take. */
#include "ring_world.h"

TestSuite(ring, .timeout = 60);

static const char *const entries[] = {"ring", "ring-blocking", "ring-in-turns", "ring-gather"};
#define ENTRIES 4
static const enum at_layout layouts[] = {AT_CONTIGUOUS, AT_STRIPED, AT_ZIGZAG};
static const char *const layout_names[] = {"contiguous", "striped", "zigzag"};

/* ---- layouts ---- */

Test(ring, every_position_has_one_rank)
{
    const struct at_ops *ops = entry_called("ring");
    for (uint32_t ranks = 1; ranks <= 9; ranks++)
        for (uint64_t total = 2 * ranks; total < 2 * ranks + 50; total++)
            for (int l = 0; l < 3; l++) {
                struct at_ring ring = ring_of(ranks, total, layouts[l]);
                uint32_t holders[100] = {0}, least = UINT32_MAX, most = 0;
                for (uint32_t r = 0; r < ranks; r++) {
                    struct at_positions at;
                    cr_assert_eq(ops->shard(&ring, r, &at), 0);
                    uint32_t n = at.run[0].count + at.run[1].count;
                    for (uint32_t i = 0; i < n; i++) {
                        holders[at_position(&at, i)]++;
                        cr_assert(i == 0 || at_position(&at, i) > at_position(&at, i - 1));
                    }
                    least = n < least ? n : least;
                    most = n > most ? n : most;
                }
                for (uint64_t i = 0; i < total; i++)
                    cr_assert_eq(holders[i], 1, "%s, %u ranks: position %llu has %u", layout_names[l], ranks,
                                 (unsigned long long)i, holders[i]);
                cr_assert(most - least <= 1, "%s, %u ranks, %llu rows: %u ... %u", layout_names[l], ranks,
                          (unsigned long long)total, least, most);
            }
}

Test(ring, the_layouts_of_the_contract)
{
    /* ten positions, three ranks: who has which */
    static const char *const expected[] = {"0000111222", "0120120120", "0011222210"};
    for (int l = 0; l < 3; l++) {
        struct at_ring ring = ring_of(3, 10, layouts[l]);
        char held[11] = "..........";
        for (uint32_t r = 0; r < 3; r++) {
            struct at_positions at;
            cr_assert_eq(entry_called("ring")->shard(&ring, r, &at), 0);
            for (uint32_t i = 0; i < at.run[0].count + at.run[1].count; i++)
                held[at_position(&at, i)] = (char)('0' + r);
        }
        cr_assert_str_eq(held, expected[l]);
    }
}

Test(ring, what_is_no_ring_is_refused)
{
    struct at_ring good = ring_of(3, 97, AT_ZIGZAG), bad[9];
    struct at_ranked mine = {.link = NULL};
    struct at_positions at;
    size_t bytes;
    for (int i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].ranks = 0;
    bad[1].total = 5;
    bad[2].layout = (enum at_layout)3;
    bad[3].total = UINT64_C(1) << 40;
    bad[4].partial = (enum at_type)7;
    bad[5].total = 2, bad[5].layout = AT_STRIPED;
    bad[6].kv_heads = 0; /* from here on it is `blocks` that says so */
    bad[7].d = 0;
    bad[8].scale = INFINITY;
    for (int e = 0; e < ENTRIES; e++) {
        const struct at_ops *ops = entry_called(entries[e]);
        cr_assert_eq(ops->shard(&good, 3, &at), -EINVAL);
        for (int i = 0; i < 9; i++) {
            cr_assert_eq(ops->ring_workspace(&bad[i], &mine, &bytes), -EINVAL, "%s, %d", entries[e], i);
            cr_assert(i > 5 || ops->shard(&bad[i], 0, &at) == -EINVAL, "%s, %d", entries[e], i);
        }
        bad[0] = good;
        bad[0].batch = bad[0].heads = bad[0].kv_heads = 1u << 30;
        bad[0].total = 6u << 24;
        bad[0].layout = AT_STRIPED;
        cr_assert_eq(ops->ring_workspace(&bad[0], &mine, &bytes), -EOVERFLOW);
        bad[0].ranks = 0;
    }
}

/* ---- results ---- */

static void expect_exact(const struct at_ring *ring, const char *entry, uint32_t gap, double most)
{
    struct ring_world w;
    ring_world_make(&w, ring, entry, ring->ranks);
    w.gap = gap;
    world_run(&w.whole, ring->blocks, 1); /* writes the guards */
    memset(w.whole.result.out.data, 0xff, ring->total * ring->heads * ring->batch * ring->d * sizeof(float));
    int code = ring_world_run(&w, NULL);
    cr_assert_eq(code, 0, "%s: expected: 0; actual: %d", entry, code);
    struct off off = world_off(&w.whole, entry);
    cr_assert(off.out <= most && off.lse <= most,
              "%s, %s, %u ranks, %llu rows, causal %d: expected: within %g; actual: output %g, lse %g", entry,
              layout_names[ring->layout], ring->ranks, (unsigned long long)ring->total, ring->causal, most, off.out,
              off.lse);
    cr_assert_eq(w.outside, 0, "%s: expected: nothing written outside the workspace", entry);
    ring_world_end(&w);
}

Test(ring, the_same_as_attention_at_once)
{
    static const uint32_t ranks[] = {1, 2, 3, 4, 7, 8};
    for (int e = 0; e < ENTRIES; e++)
        for (int r = 0; r < 6; r++)
            for (int l = 0; l < 3; l++)
                for (int causal = 0; causal < 2; causal++) {
                    struct at_ring ring = ring_of(ranks[r], 97 + (uint64_t)l, layouts[l]);
                    ring.causal = causal;
                    expect_exact(&ring, entries[e], 0, 1e-6);
                    ring.total = 2 * ranks[r]; /* a row or two each */
                    expect_exact(&ring, entries[e], 0, 1e-6);
                }
}

Test(ring, heads_that_share_keys_batches_strides_and_bfloat16)
{
    for (int e = 0; e < ENTRIES; e++)
        for (uint32_t kv = 1; kv <= 4; kv += kv)
            for (int l = 0; l < 3; l++) {
                struct at_ring ring = ring_of(3, 50, layouts[l]);
                ring.batch = 2;
                ring.heads = 4;
                ring.kv_heads = kv;
                ring.causal = kv > 1;
                expect_exact(&ring, entries[e], 5, 1e-6);
                ring.type = AT_BF16;
                ring.d = 7; /* then a row, and a block, may begin at an odd multiple of 2 bytes */
                expect_exact(&ring, entries[e], 3, 1e-6);
            }
}

Test(ring, over_any_blocks)
{
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        struct at_ring ring = ring_of(4, 203, AT_ZIGZAG);
        if (!entry_runs(e) || entry_ops(e)->can & AT_ONLY_BF16)
            continue;
        ring.causal = true;
        ring.blocks = entry_ops(e);
        expect_exact(&ring, "ring", 0, 1e-6);
    }
}

/* ---- bytes and memory ---- */

static uint32_t rows_of(const struct at_ring *ring, uint32_t rank)
{
    struct at_positions at;
    cr_assert_eq(entry_called("ring")->shard(ring, rank, &at), 0);
    return at.run[0].count + at.run[1].count;
}

Test(ring, a_rank_sends_every_block_but_its_neighbours)
{
    for (int e = 0; e < ENTRIES; e++)
        for (uint32_t ranks = 1; ranks <= 8; ranks++)
            for (int l = 0; l < 3; l++) {
                struct at_ring ring = ring_of(ranks, 40 + (l == 2 ? ranks : 0), layouts[l]);
                struct ring_world w;
                ring.kv_heads = ring.heads = 2;
                ring_world_make(&w, &ring, entries[e], 1);
                cr_assert_eq(ring_world_run(&w, NULL), 0);
                for (uint32_t r = 0; r < ranks; r++) {
                    uint64_t rows = ring.total - rows_of(&ring, (r + 1) % ranks);
                    cr_assert_eq(w.record.rank[r].sent, rows * 2 * 16 * 2 * 4, "%s, rank %u of %u", entries[e], r,
                                 ranks);
                    if (ring.total % ranks == 0 && l < 2)
                        cr_assert_eq(w.record.rank[r].sent, (ranks - 1) * 2 * (40 / ranks) * 2 * 16 * 4);
                }
                ring_world_end(&w);
            }
}

Test(ring, memory_of_a_rank_does_not_grow_with_ranks)
{
    struct at_ranked mine = {.link = NULL};
    for (int l = 0; l < 3; l++) {
        size_t few = 0, many = 0, gathered = 0;
        struct at_ring ring = ring_of(2, 2 * 4096, layouts[l]);
        cr_assert_eq(entry_called("ring")->ring_workspace(&ring, &mine, &few), 0);
        ring.ranks = 200;
        ring.total = 200 * 4096;
        cr_assert_eq(entry_called("ring")->ring_workspace(&ring, &mine, &many), 0);
        cr_assert_eq(few, many);
        /* two blocks of keys and values, a result; the rest is what blocks need, and less than that */
        size_t block = 4096 * 16 * 2 * sizeof(float), result = 4096 * 17 * sizeof(float);
        cr_assert(many >= 2 * block + result && many < 3 * block + result, "actual: %zu", many);
        cr_assert_eq(entry_called("ring-gather")->ring_workspace(&ring, &mine, &gathered), 0);
        cr_assert(gathered > 200 * block);
    }
}

/* ---- work and time ---- */

/* One unit of work for each pair that is seen, nothing for the link: the time is that of the longest way. */
static uint64_t causal_time(uint32_t ranks, uint64_t total, enum at_layout layout, const char *entry)
{
    struct ring_world w;
    struct at_ring ring = ring_of(ranks, total, layout);
    struct loop_settings s = {.work_per_ns = 1};
    ring.causal = true;
    ring.d = 1;
    ring.blocks = &counting_blocks;
    ring_world_make(&w, &ring, entry, 1);
    cr_assert_eq(ring_world_run(&w, &s), 0);
    uint64_t pairs = 0;
    for (uint32_t r = 0; r < ranks; r++)
        pairs += w.record.rank[r].work;
    cr_assert_eq(pairs, total * (total + 1) / 2, "expected: every pair that is seen, once");
    ring_world_end(&w);
    return w.record.total;
}

Test(ring, zigzag_is_faster_by_two_less_one_over_p)
{
    enum { C = 64 };
    for (uint32_t ranks = 2; ranks <= 16; ranks += ranks < 4 ? 1 : 6) {
        double contiguous = (double)causal_time(ranks, ranks * C, AT_CONTIGUOUS, "ring");
        double striped = (double)causal_time(ranks, ranks * C, AT_STRIPED, "ring");
        double zigzag = (double)causal_time(ranks, ranks * C, AT_ZIGZAG, "ring");
        cr_assert(fabs(contiguous / zigzag - (2 - 1.0 / ranks)) < 1.5 / C, "%u ranks: expected: %g; actual: %g", ranks,
                  2 - 1.0 / ranks, contiguous / zigzag);
        cr_assert(fabs(contiguous / striped - (2 - 1.0 / ranks)) < 3.0 / C, "%u ranks, striped: actual: %g", ranks,
                  contiguous / striped);
    }
}

static uint64_t time_of(const char *entry, double bytes_per_ns)
{
    struct ring_world w;
    struct at_ring ring = ring_of(4, 64, AT_CONTIGUOUS);
    struct loop_settings s = {.bytes_per_ns = bytes_per_ns, .work_per_ns = 1};
    ring.blocks = &counting_blocks;
    ring_world_make(&w, &ring, entry, 1);
    cr_assert_eq(ring_world_run(&w, &s), 0);
    ring_world_end(&w);
    return w.record.total;
}

/* 16 rows a rank: 256 units a block, and a block is 2048 bytes. */
Test(ring, a_step_takes_the_longer_of_work_and_transfer)
{
    static const double rates[] = {1, 4, 8, 16, 64};
    for (int i = 0; i < 5; i++) {
        uint64_t transfer = (uint64_t)(2048 / rates[i]), longer = transfer > 256 ? transfer : 256;
        cr_assert_eq(time_of("ring", rates[i]), 3 * longer + 256);
        cr_assert_eq(time_of("ring-gather", rates[i]), 3 * transfer + 4 * 256);
        cr_assert_eq(time_of("ring-blocking", rates[i]), 3 * (transfer + 256) + 256);
        cr_assert_eq(time_of("ring-in-turns", rates[i]), 3 * (2 * transfer + 256) + 256);
    }
}

static uint32_t calls;
static int failing_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                           const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t parts,
                           void *workspace)
{
    return calls++ == 6 ? -ENOMEM : entry_called("blockwise")->forward(p, q, k, v, result, part, parts, workspace);
}

Test(ring, whatever_fails_all_ranks_end)
{
    for (int e = 0; e < ENTRIES; e++) {
        struct at_ops blocks = *entry_called("blockwise");
        struct ring_world w;
        struct at_ring ring = ring_of(5, 97, AT_ZIGZAG);
        ring.blocks = &blocks;
        ring_world_make(&w, &ring, entries[e], 1);
        w.broken_rank = 2;
        cr_assert_eq(ring_world_run(&w, NULL), -EIO);
        for (uint32_t r = 0; r < 5; r++)
            cr_assert_eq(w.record.rank[r].code, r == 2 ? -EIO : -EPIPE, "%s, rank %u", entries[e], r);
        w.broken_rank = MOST_RANKS;
        if (strcmp(entries[e], "ring-gather") != 0) { /* it calls forward only once in each rank */
            blocks.forward = failing_forward;
            calls = 0;
            cr_assert_eq(ring_world_run(&w, NULL), -ENOMEM);
            for (uint32_t r = 0; r < 5; r++)
                cr_assert_neq(w.record.rank[r].code, 0);
        }
        ring_world_end(&w);
    }
}

/* ---- rounding ---- */

/* Root mean square error of the output, relative to that of the output. */
static double error_of(uint32_t ranks, enum at_type partial, const char *entry)
{
    struct ring_world w;
    struct at_ring ring = ring_of(ranks, 512, AT_CONTIGUOUS);
    ring.partial = partial;
    ring_world_make(&w, &ring, entry, 9);
    cr_assert_eq(ring_world_run(&w, NULL), 0);
    double wrong = 0, all = 0;
    for (size_t i = 0; i < 512 * 16; i++) {
        double right = w.whole.out[i], off = (double)w.whole.result.out.data[i] - right;
        wrong += off * off;
        all += right * right;
    }
    ring_world_end(&w);
    return sqrt(wrong / all);
}

Test(ring, errors_of_rounded_partials_grow_with_ranks)
{
    double before = 0;
    cr_assert(error_of(1, AT_BF16, "ring") < 1e-6); /* nothing is merged */
    for (uint32_t ranks = 2; ranks <= 16; ranks *= 2) {
        double rounded = error_of(ranks, AT_BF16, "ring"), whole = error_of(ranks, AT_F32, "ring");
        cr_assert(whole < 1e-6, "%u ranks: actual: %g", ranks, whole);
        cr_assert(rounded > 5e-4 && rounded > 1.2 * before, "%u ranks: expected: more than %g; actual: %g", ranks,
                  before, rounded);
        cr_assert(error_of(ranks, AT_BF16, "ring-gather") < 1e-6);
        before = rounded;
    }
}
