/* exact.c: every entry that computes in float32 against float64, over shapes, masks, strides and types. */
#include "oracle.h"

TestSuite(exact, .timeout = 120);

/* Inputs in (-1, 1), so scores and outputs about 1: absolute errors. Published kernels are at 1e-8 ... 7e-8. */
#define FINE 1e-6

static void expect_right(const struct at_problem *p, uint64_t seed, float size, uint32_t gap, double most)
{
    struct world w;
    world_make(&w, p, seed, size, gap);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        for (uint32_t parts = 1; parts <= 3 && entry_is_fine(e, p->type); parts += 2) {
            world_run(&w, entry_ops(e), parts);
            struct off off = world_off(&w, (*e)->name);
            cr_assert(off.out <= most && off.lse <= most,
                      "%s, %u x %u, d %u, %u parts: expected: within %g; actual: output %g, lse %g", (*e)->name, p->n_q,
                      p->n_k, p->d, parts, most, off.out, off.lse);
        }
    world_end(&w);
}

Test(exact, odd_lengths)
{
    static const uint32_t n[] = {1, 7, 63, 64, 65, 257};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            for (int causal = 0; causal < 2; causal++) {
                struct at_problem p = problem_of(n[i], n[j], 40);
                p.causal = causal;
                expect_right(&p, (uint64_t)(i * 6 + j), 1, 0, FINE);
            }
}

Test(exact, odd_widths)
{
    static const uint32_t d[] = {1, 2, 7, 40, 64, 80, 100, 128, 257};
    for (int i = 0; i < 9; i++) {
        struct at_problem p = problem_of(67, 131, d[i]);
        expect_right(&p, d[i], 1, 0, FINE);
    }
}

Test(exact, widest)
{
    struct at_problem p = problem_of(50, 130, AT_MAX_D);
    expect_right(&p, 1, 1, 0, FINE);
}

Test(exact, more_than_one_group_of_queries)
{
    struct at_problem p = problem_of(900, 300, 64);
    expect_right(&p, 1, 1, 0, FINE);
    p.causal = true;
    p.q = at_positions_from(0, 900);
    expect_right(&p, 2, 1, 0, FINE);
}

Test(exact, grouped_query_heads_and_strides)
{
    for (uint32_t kv = 1; kv <= 6; kv += kv) {
        struct at_problem p = problem_of(70, 50, 24);
        p.batch = 2;
        p.heads = kv == 4 ? 8 : 6;
        p.kv_heads = kv;
        for (uint32_t gap = 0; gap < 6; gap += 5)
            for (int causal = 0; causal < 2; causal++) {
                p.causal = causal;
                expect_right(&p, kv, 1, gap, FINE);
            }
    }
}

Test(exact, bfloat16)
{
    for (uint32_t gap = 0; gap < 4; gap += 3) {
        struct at_problem p = problem_of(65, 150, 80);
        p.type = AT_BF16;
        p.causal = gap > 0;
        expect_right(&p, 3, 1, gap, FINE); /* the inputs are what they are; all else is float32 */
    }
}

/* Each pair of shards of a causal sequence: rows of q from one rank, of k from another. */
static void expect_shards(const struct at_positions *q, const struct at_positions *k)
{
    struct at_problem p = problem_of(q->run[0].count + q->run[1].count, k->run[0].count + k->run[1].count, 16);
    p.causal = true;
    p.q = *q;
    p.k = *k;
    expect_right(&p, 5, 1, 0, FINE);
}

Test(exact, contiguous_striped_and_zigzag_shards)
{
    enum { RANKS = 4, TOTAL = 300, CHUNK = TOTAL / RANKS / 2 };
    for (uint32_t a = 0; a < RANKS; a++)
        for (uint32_t b = 0; b < RANKS; b++) {
            uint32_t rank[2] = {a, b};
            struct at_positions contiguous[2], striped[2], zigzag[2];
            for (int i = 0; i < 2; i++) {
                uint64_t r = rank[i];
                contiguous[i] = at_positions_from(r * (TOTAL / RANKS), TOTAL / RANKS);
                striped[i] = (struct at_positions){.run = {{r, RANKS, TOTAL / RANKS}, {0, 1, 0}}};
                zigzag[i] =
                    (struct at_positions){.run = {{r * CHUNK, 1, CHUNK}, {(2 * RANKS - 1 - r) * CHUNK, 1, CHUNK}}};
            }
            expect_shards(&contiguous[0], &contiguous[1]);
            expect_shards(&striped[0], &striped[1]);
            expect_shards(&zigzag[0], &zigzag[1]);
        }
}

Test(exact, far_positions_and_rows_that_see_nothing)
{
    struct at_problem p = problem_of(130, 140, 16);
    p.causal = true;
    p.q = at_positions_from((UINT64_C(1) << 40) - 60, 130);
    p.k = at_positions_from(UINT64_C(1) << 40, 140); /* the first 60 queries see none */
    expect_right(&p, 1, 1, 0, FINE);
    p.k = at_positions_from(UINT64_C(1) << 41, 140); /* none sees any */
    expect_right(&p, 2, 1, 0, FINE);
    p = problem_of(5, 0, 16); /* no keys */
    expect_right(&p, 3, 1, 0, FINE);
    p = problem_of(0, 5, 16); /* no queries */
    expect_right(&p, 4, 1, 0, FINE);
}

/* Scores of some thousands: a float32 score is off by 1e-7 of its size, and so is the logarithm of its weight. */
Test(exact, huge_scores_do_not_overflow)
{
    struct at_problem p = problem_of(65, 200, 64);
    expect_right(&p, 1, 30, 0, 2e-3);
    p.scale = 20;
    expect_right(&p, 1, 5, 0, 1e-2);
}

Test(exact, one_huge_score_gives_its_value)
{
    struct at_problem p = problem_of(9, 200, 8);
    struct world w;
    world_make(&w, &p, 1, 1, 0);
    for (uint32_t c = 0; c < 8; c++) {
        for (uint32_t i = 0; i < 9; i++)
            world_set(&w, 0, 0, 0, i, c, 1);
        world_set(&w, 1, 0, 0, 150, c, 1e4f);
    }
    world_solve(&w);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        if (!entry_is_fine(e, AT_F32))
            continue;
        world_run(&w, entry_ops(e), 1);
        struct off off = world_off(&w, (*e)->name);
        cr_assert(off.out == 0, "%s: expected: the value itself; actual: off by %g", (*e)->name, off.out);
    }
    world_end(&w);
}

/* A vector added to all keys adds the same to all scores of a query: the output stays, lse moves by it. */
Test(exact, a_shift_of_all_scores_changes_only_the_log_sum_exp)
{
    struct at_problem p = problem_of(40, 150, 16);
    struct world w;
    world_make(&w, &p, 1, 1, 0);
    double *before = malloc(40 * 16 * sizeof *before);
    memcpy(before, w.out, 40 * 16 * sizeof *before);
    for (uint32_t i = 0; i < 40; i++)
        world_set(&w, 0, 0, 0, i, 15, 64);
    for (uint32_t j = 0; j < 150; j++)
        world_set(&w, 1, 0, 0, j, 15, 16); /* 64 x 16 / 4 = 256 */
    world_solve(&w);
    for (uint32_t i = 0; i < 40; i++)
        cr_assert(fabs(w.lse[i] - 256) < 20);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        if (!entry_is_fine(e, AT_F32))
            continue;
        world_run(&w, entry_ops(e), 1);
        struct off off = world_off(&w, (*e)->name);
        cr_assert(off.out < 1e-4 && off.lse < 1e-6, "%s: actual: %g, %g", (*e)->name, off.out, off.lse);
    }
    free(before);
    world_end(&w);
}
