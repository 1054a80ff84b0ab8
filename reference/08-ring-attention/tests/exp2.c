/* exp2.c: the exponentials inside the kernels, seen through two keys.
 *
 * With one query of 1 and keys of 0 and x, and values of 0 and 1, the output is w / (1 + w), w = exp(x): out / (1 -
 * out) is the kernel's own exponential. */
#include "exp2.h"
#include "oracle.h"

TestSuite(exp2, .timeout = 60);

/* 2^x as exp2.h has it, in plain float32. */
static double by_hand(float x)
{
    float n = x + EXP2_ROUND - EXP2_ROUND, f = x - n, p = EXP2_P5;
    p = p * f + EXP2_P4;
    p = p * f + EXP2_P3;
    p = p * f + EXP2_P2;
    p = p * f + EXP2_P1;
    p = p * f + EXP2_P0;
    p = p * f + 1;
    return ldexp((double)p, (int)n);
}

Test(exp2, the_polynomial_is_off_by_no_more_than_it_says)
{
    double worst = 0;
    for (uint32_t n = 0; n < 2000000; n++) {
        float x = -126 * (float)n / 2000000;
        worst = fmax(worst, fabs(by_hand(x) / exp2((double)x) - 1));
    }
    for (float x = -0x1p-30f; x > -1; x *= 1.0001f)
        worst = fmax(worst, fabs(by_hand(x) / exp2((double)x) - 1));
    cr_assert(worst <= 1.1e-7 && worst > 5e-8, "expected: up to 1.1e-7; actual: %g", worst);
}

/* `below` is the distance to the largest key; 64 queries, so that every lane has its own. */
static void expect_weights(const struct plugin_entry *const *e, enum at_type type, float most, float step,
                           double allowed)
{
    struct at_problem p = problem_of(64, 2, 1);
    struct world w;
    p.scale = 1;
    p.type = type;
    for (float below = step; below < most; below += 64 * step) {
        world_make(&w, &p, 1, 1, 0);
        world_set(&w, 1, 0, 0, 0, 0, 0);
        world_set(&w, 1, 0, 0, 1, 0, 1);
        world_set(&w, 2, 0, 0, 0, 0, 0);
        world_set(&w, 2, 0, 0, 1, 0, 1);
        for (uint32_t i = 0; i < 64; i++)
            world_set(&w, 0, 0, 0, i, 0, -below - (float)i * step);
        world_run(&w, entry_ops(e), 1);
        for (uint32_t i = 0; i < 64; i++) {
            double x = world_get(&w, 0, 0, 0, i, 0), out = (double)w.result.out.data[i], weight = out / (1 - out);
            cr_assert(fabs(weight / exp(x) - 1) <= allowed, "%s, exp(%g): expected: %g; actual: %g", (*e)->name, x,
                      exp(x), weight);
            cr_assert(fabs((double)w.result.lse[i] - log1p(exp(x))) <= fmax(2e-7, allowed / 20), "%s, exp(%g): lse %g",
                      (*e)->name, x, (double)w.result.lse[i]);
        }
        world_end(&w);
    }
}

/* A float32 x is itself off by 3e-8 of its size when it is turned into a power of two. */
Test(exp2, of_every_entry)
{
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        if (entry_is_fine(e, AT_F32)) {
            expect_weights(e, AT_F32, 4, 0.003f, 1e-6);
            expect_weights(e, AT_F32, 60, 0.25f, 1e-5);
        } else if (entry_takes(e, AT_BF16))
            expect_weights(e, AT_BF16, 60, 0.0625f, 0x1p-7); /* a weight is rounded to 8 bits, its sum with 1 is not */
}
