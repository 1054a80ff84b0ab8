/* rungs.c: each rung of the ladder against the one below it; bfloat16 on tiles against float64 and against attention as
 * it is written in the same precision; which rung is chosen. Says which rungs this machine can't run. */
#include "best.h"
#include "oracle.h"

#include <stdio.h>

TestSuite(rungs, .timeout = 120);

static const char *const ladder[] = {
    "naive", "rows", "blockwise", "blockwise-neon", "blockwise-avx2", "blockwise-avx512", "blockwise-amx"};

static const struct plugin_entry *const *entry_of(const char *name)
{
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        if (strcmp((*e)->name, name) == 0)
            return e;
    cr_assert(false, "expected: an entry of that name; actual: no %s", name);
    return NULL;
}

Test(rungs, all_are_there)
{
    for (size_t i = 0; i < sizeof ladder / sizeof *ladder; i++) {
        const struct plugin_entry *const *e = entry_of(ladder[i]);
        cr_assert(entry_ops(e)->forward && entry_ops(e)->merge, "%s", ladder[i]);
        if (!entry_runs(e))
            printf("   %s: not tested, this machine does not have what it needs\n", ladder[i]);
    }
}

Test(rungs, the_best_runs_here_and_takes_the_type)
{
    for (int type = AT_F32; type <= AT_BF16; type++) {
        const struct at_ops *best = at_best((enum at_type)type);
        int found = 0;
        for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
            found += entry_ops(e) == best && entry_takes(e, (enum at_type)type);
        cr_assert_eq(found, 1);
    }
    if (entry_runs(entry_of("blockwise-avx512")))
        cr_assert_eq(at_best(AT_F32), &blockwise_avx512_ops);
    if (entry_runs(entry_of("blockwise-amx")))
        cr_assert_eq(at_best(AT_BF16), &blockwise_amx_ops);
}

/* Another rung's result stays in `other`. */
static double apart(const struct world *w, const float *other)
{
    double most = 0;
    for (size_t i = 0; i < w->result_floats + w->lse_floats; i++) {
        double a = (double)other[i], b = (double)((const float *)w->memory[3])[i];
        cr_assert_eq(isfinite(a), isfinite(b), "number %zu: %g, and %g", i, a, b); /* fmax drops a NaN */
        if (isfinite(a))
            most = fmax(most, fabs(a - b));
    }
    return most;
}

Test(rungs, each_agrees_with_the_one_below)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct at_problem p = problem_of(40 + 37 * (uint32_t)seed, 500 - 31 * (uint32_t)seed, 17 + 11 * (uint32_t)seed);
        struct world w;
        p.causal = seed % 3 == 1;
        p.type = seed % 2 ? AT_BF16 : AT_F32;
        world_make(&w, &p, seed, 2, (uint32_t)seed % 4);
        size_t bytes = (w.result_floats + w.lse_floats) * sizeof(float);
        float *below = malloc(bytes);
        const char *name = NULL;
        for (size_t i = 0; i < sizeof ladder / sizeof *ladder; i++) {
            if (!entry_is_fine(entry_of(ladder[i]), p.type))
                continue;
            world_run(&w, entry_ops(entry_of(ladder[i])), 2);
            if (name)
                cr_assert(apart(&w, below) < 3e-6, "%s and %s: expected: within 3e-6; actual: %g", ladder[i], name,
                          apart(&w, below));
            memcpy(below, w.memory[3], bytes);
            name = ladder[i];
        }
        free(below);
        world_end(&w);
    }
}

/* To the nearest bfloat16, ties to even. */
static double rounded(double x)
{
    float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

/* How far attention is off when it is computed as it is written, and its weights are rounded to bfloat16: the largest
 * error of a row's output. It is what can't be avoided; all else stays in float64. */
static double plain_row(const struct world *w, uint32_t b, uint32_t h, uint32_t i, double *out)
{
    const struct at_problem *p = &w->p;
    size_t row = ((size_t)b * p->heads + h) * p->n_q + i;
    uint32_t kv = h / (p->heads / p->kv_heads);
    double most = 0;
    memset(out, 0, p->d * sizeof *out);
    for (uint32_t j = 0; j < p->n_k && w->lse[row] > -INFINITY; j++) {
        double s = 0;
        if (p->causal && at_position(&p->k, j) > at_position(&p->q, i))
            continue;
        for (uint32_t c = 0; c < p->d; c++)
            s += world_get(w, 0, b, h, i, c) * world_get(w, 1, b, kv, j, c);
        for (uint32_t c = 0; c < p->d; c++)
            out[c] += rounded(exp((double)p->scale * s - w->lse[row])) * world_get(w, 2, b, kv, j, c);
    }
    for (uint32_t c = 0; c < p->d; c++)
        most = fmax(most, fabs(out[c] - w->out[row * p->d + c]));
    return most;
}

static double plain_error(const struct world *w)
{
    double most = 0, *out = malloc((w->p.d + 1) * sizeof *out);
    for (uint32_t b = 0; b < w->p.batch; b++)
        for (uint32_t h = 0; h < w->p.heads; h++)
            for (uint32_t i = 0; i < w->p.n_q; i++)
                most = fmax(most, plain_row(w, b, h, i, out));
    free(out);
    return most;
}

/* The error's root mean square over the output's. */
static double relative(const struct world *w)
{
    double error = 0, all = 0;
    for (size_t row = 0; row < (size_t)w->p.batch * w->p.heads * w->p.n_q; row++)
        for (uint32_t c = 0; c < w->p.d; c++) {
            double right = w->out[row * w->p.d + c];
            double off = (double)w->result.out.data[row * w->result.out.row + c] - right;
            error += off * off;
            all += right * right;
        }
    return all > 0 ? sqrt(error / all) : 0;
}

/* Twice the plain error is FlashAttention's own rule. A row with one key has none; there, half a unit in the last of 8
 * bits of a value, which is below 1. The log-sum-exp is of weights before they are rounded: their own error is 9e-5. */
static void expect_close(const struct at_problem *given, uint64_t seed, float size, uint32_t gap)
{
    struct at_problem p = *given;
    struct world w;
    p.type = AT_BF16;
    world_make(&w, &p, seed, size, gap);
    double plain = fmax(2 * plain_error(&w), 0x1p-9);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        for (uint32_t parts = 1; parts < 4 && entry_takes(e, AT_BF16) && !entry_is_fine(e, AT_BF16); parts += 2) {
            world_run(&w, entry_ops(e), parts);
            struct off off = world_off(&w, (*e)->name);
            cr_assert(off.out <= plain, "%s, %u x %u, d %u: expected: within %g; actual: %g", (*e)->name, p.n_q, p.n_k,
                      p.d, plain, off.out);
            cr_assert(off.lse <= 1.1e-4, "%s: expected: lse within 1.1e-4; actual: %g", (*e)->name, off.lse);
            cr_assert(relative(&w) <= 2e-2, "%s: expected: 2e-2 of the output; actual: %g", (*e)->name, relative(&w));
        }
    world_end(&w);
}

Test(rungs, bfloat16_of_odd_lengths_and_widths)
{
    static const uint32_t n[] = {1, 31, 33, 128, 300}, d[] = {1, 7, 32, 40, 64, 100, 128};
    for (uint32_t i = 0; i < 5; i++)
        for (uint32_t j = 0; j < 5; j++)
            for (int causal = 0; causal < 2; causal++) {
                struct at_problem p = problem_of(n[i], n[j], d[(i + 2 * j) % 7]);
                p.causal = causal;
                expect_close(&p, i * 5 + j, 1, i % 2 * 3);
            }
    struct at_problem widest = problem_of(40, 140, AT_MAX_D);
    expect_close(&widest, 1, 1, 0);
}

/* More than a block of keys, and more than an item of queries. */
Test(rungs, bfloat16_of_many_blocks)
{
    struct at_problem p = problem_of(1000, 700, 128);
    expect_close(&p, 1, 1, 0);
    p = problem_of(130, 1500, 64);
    p.causal = true;
    p.q = at_positions_from(1300, 130);
    expect_close(&p, 2, 2, 0);
}

/* Large inputs: one key has nearly all the weight, and often one that comes late, so that references move. */
Test(rungs, bfloat16_of_peaked_scores)
{
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct at_problem p = problem_of(100, 600, 64);
        expect_close(&p, seed, (float)(1 << seed), 0);
        p.scale = -p.scale;
        expect_close(&p, seed, (float)(1 << seed), 0);
    }
    struct at_problem flat = problem_of(50, 300, 16);
    flat.scale = 0;
    expect_close(&flat, 1, 1, 0);
}

Test(rungs, bfloat16_of_shards_and_heads)
{
    struct at_problem p = problem_of(150, 150, 48);
    p.causal = true;
    for (uint32_t a = 0; a < 4; a++) {
        p.q = (struct at_positions){.run = {{a, 4, 150}, {0, 1, 0}}};
        p.k = (struct at_positions){.run = {{3 - a, 4, 150}, {0, 1, 0}}};
        expect_close(&p, a, 1, 0);
        p.q = (struct at_positions){.run = {{a * 75, 1, 75}, {(7 - a) * 75, 1, 75}}};
        p.k = (struct at_positions){.run = {{2 * 75, 1, 75}, {5 * 75, 1, 75}}};
        expect_close(&p, a, 1, 0);
    }
    p.k = at_positions_from(5000, 150);
    expect_close(&p, 5, 1, 0);
    p = problem_of(70, 90, 33);
    p.batch = 2;
    p.heads = 6;
    p.kv_heads = 2;
    expect_close(&p, 6, 1, 5);
    p = problem_of(5, 0, 16);
    expect_close(&p, 7, 1, 0);
    p = problem_of(0, 5, 16);
    expect_close(&p, 8, 1, 0);
}
