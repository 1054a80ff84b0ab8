/* claims_exact.c: blocks, merged in whatever order, are attention itself; and what rounding makes of it.
 *
 * Errors are those of this machine's arithmetic (exp, fused multiplication), so they are measured here.
 */
#include "nan_max.h"
#include "parts.h"
#include "runs.h"

#include "sim/rng.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N      768u
#define D      64u
#define BLOCKS 12u
#define EACH   (N / BLOCKS)
#define ROWS   64u /* queries */

/* A result that is no number is infinitely wrong: as a figure, NaN would mean that nothing can be told. */
static void tell(struct claim_here *here, double value)
{
    value = isnan(value) ? INFINITY : value;
    *here = (struct claim_here){.value = value, .low = value, .high = value};
}

/* A head whose blocks are each computed alone. */
struct blocks {
    struct head head;
    float *out[BLOCKS], *lse[BLOCKS];
    double *truth, *truth_lse;
};

static struct blocks blocks_create(uint64_t seed)
{
    struct blocks b = {.head = head_create(ROWS, N, D, seed)};
    for (size_t i = 0; i < (size_t)ROWS * D; i++)
        b.head.q[i] *= 4; /* so that weights differ by some powers of ten */
    b.truth = xcalloc((size_t)ROWS * D, sizeof(double));
    b.truth_lse = xcalloc(ROWS, sizeof(double));
    head_truth(&b.head, b.truth, b.truth_lse);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        b.out[i] = xcalloc((size_t)ROWS * D, sizeof(float));
        b.lse[i] = xcalloc(ROWS, sizeof(float));
        head_forward(&b.head, "blockwise", i * EACH, EACH, b.out[i], b.lse[i]);
    }
    return b;
}

static void blocks_destroy(struct blocks *b)
{
    for (uint32_t i = 0; i < BLOCKS; i++)
        free(b->out[i]), free(b->lse[i]);
    free(b->truth), free(b->truth_lse);
    head_destroy(&b->head);
}

/* What is wrong with averaging: each side counts the same, whatever weight it has. */
static void average(float *out, float *lse, const float *from_out, const float *from_lse)
{
    for (size_t i = 0; i < (size_t)ROWS * D; i++)
        out[i] = (out[i] + from_out[i]) / 2;
    for (uint32_t i = 0; i < ROWS; i++)
        lse[i] = fmaxf(lse[i], from_lse[i]);
}

static void merge(const struct blocks *b, bool broken, float *out, float *lse, const float *from_out,
                  const float *from_lse)
{
    if (broken)
        average(out, lse, from_out, from_lse);
    else
        head_merge(&b->head, "blockwise", out, lse, from_out, from_lse);
}

static void start(const struct blocks *b, uint32_t block, float *out, float *lse)
{
    memcpy(out, b->out[block], (size_t)ROWS * D * sizeof *out);
    memcpy(lse, b->lse[block], ROWS * sizeof *lse);
}

/* ---- any order ---- */

static void any_order(const struct claim_run *run, struct claim_here *here)
{
    struct blocks b = blocks_create(1);
    float *out = xcalloc((size_t)ROWS * D, sizeof *out), *lse = xcalloc(ROWS, sizeof *lse);
    struct rng r;
    double worst = 0;
    rng_seed(&r, 1, 8);
    for (int order = 0; order < 10; order++) {
        uint32_t left[BLOCKS];
        for (uint32_t i = 0; i < BLOCKS; i++)
            left[i] = i;
        for (uint32_t n = BLOCKS; n > 1; n--) {
            uint32_t at = rng_below(&r, n), last = left[n - 1];
            left[n - 1] = left[at];
            left[at] = last;
        }
        start(&b, left[0], out, lse);
        for (uint32_t i = 1; i < BLOCKS; i++)
            merge(&b, run->broken, out, lse, b.out[left[i]], b.lse[left[i]]);
        worst = nan_max(worst, head_error(&b.head, out, b.truth));
    }
    free(out), free(lse);
    blocks_destroy(&b);
    tell(here, worst);
}

/* ---- associative, with an identity ---- */

/* ((0 1) 2) 3 ... against 0 (1 (2 (3 ...))). */
static void associative(const struct claim_run *run, struct claim_here *here)
{
    struct blocks b = blocks_create(2);
    float *left = xcalloc((size_t)ROWS * D, sizeof *left), *left_lse = xcalloc(ROWS, sizeof *left_lse);
    float *right = xcalloc((size_t)ROWS * D, sizeof *right), *right_lse = xcalloc(ROWS, sizeof *right_lse);
    float *next = xcalloc((size_t)ROWS * D, sizeof *next), *next_lse = xcalloc(ROWS, sizeof *next_lse);
    double worst = 0;
    start(&b, 0, left, left_lse);
    for (uint32_t i = 1; i < BLOCKS; i++)
        merge(&b, run->broken, left, left_lse, b.out[i], b.lse[i]);
    start(&b, BLOCKS - 1, right, right_lse);
    for (uint32_t i = BLOCKS - 1; i-- > 0;) {
        start(&b, i, next, next_lse);
        merge(&b, run->broken, next, next_lse, right, right_lse);
        memcpy(right, next, (size_t)ROWS * D * sizeof *right);
        memcpy(right_lse, next_lse, ROWS * sizeof *right_lse);
    }
    for (size_t i = 0; i < (size_t)ROWS * D; i++)
        worst = nan_max(worst, fabs((double)left[i] - (double)right[i]));
    free(left), free(left_lse), free(right), free(right_lse), free(next), free(next_lse);
    blocks_destroy(&b);
    tell(here, worst);
}

/* Numbers that change when a result is merged with one that has seen nothing, on either side. */
static void identity(const struct claim_run *run, struct claim_here *here)
{
    struct blocks b = blocks_create(3);
    float *out = xcalloc((size_t)ROWS * D, sizeof *out), *lse = xcalloc(ROWS, sizeof *lse);
    float *zero = xcalloc((size_t)ROWS * D, sizeof *zero), *nothing = xcalloc(ROWS, sizeof *nothing);
    double changed = 0;
    for (uint32_t i = 0; i < ROWS; i++)
        nothing[i] = run->broken ? 0 : -INFINITY; /* broken: 'no weight' taken for a log-sum-exp of 0 */
    for (int side = 0; side < 2; side++) {
        start(&b, 0, out, lse);
        if (side == 0) {
            head_merge(&b.head, "blockwise", out, lse, zero, nothing);
        } else {
            memcpy(out, zero, (size_t)ROWS * D * sizeof *out);
            memcpy(lse, nothing, ROWS * sizeof *lse);
            head_merge(&b.head, "blockwise", out, lse, b.out[0], b.lse[0]);
        }
        for (size_t i = 0; i < (size_t)ROWS * D; i++)
            changed += memcmp(&out[i], &b.out[0][i], sizeof *out) != 0;
        for (uint32_t i = 0; i < ROWS; i++)
            changed += memcmp(&lse[i], &b.lse[0][i], sizeof *lse) != 0;
    }
    free(out), free(lse), free(zero), free(nothing);
    blocks_destroy(&b);
    tell(here, changed);
}

/* ---- partial results that are rounded ---- */

/* Error (root of the mean square) over 2,048 keys in a ring of so many ranks. The work is the same for any number. */
static double ring_error(uint32_t ranks, enum at_type partial, uint64_t seed)
{
    struct ring_case c = {.entry = "ring",
                          .blocks = "blockwise",
                          .ranks = ranks,
                          .each = 512 / ranks,
                          .layout = AT_CONTIGUOUS,
                          .d = 32,
                          .partial = partial,
                          .seed = seed};
    struct ring_result r = ring_case_run(&c);
    double sum = 0;
    for (uint32_t i = 0; i < ranks; i++)
        sum += r.error[i] * r.error[i];
    free(r.error);
    return sqrt(sum / ranks);
}

static double growth(enum at_type partial)
{
    double few = 0, many = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        few += ring_error(2, partial, seed);
        many += ring_error(64, partial, seed);
    }
    return many / few;
}

/* n: the type that partial results are rounded to; broken, the other one. */
static void partials(const struct claim_run *run, struct claim_here *here)
{
    tell(here, growth((run->n == AT_BF16) != run->broken ? AT_BF16 : AT_F32));
}

static const struct claim claims[] = {
    {.id = "any-order",
     .statement = "768 keys in 12 blocks, each computed alone and merged in ten random orders: never off by more than "
                  "1e-5 from attention in float64.",
     .formula = "1e-5 (float32, d = 64)",
     .unit = "",
     .source = "measured",
     .broken = "the average of block softmaxes in place of merge",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .predicted = 1e-5,
     .measure_here = any_order},
    {.id = "merge-associative",
     .statement = "Merged from the left or from the right, the results are the same but for rounding.",
     .formula = "4 x 2^-23",
     .unit = "",
     .source = "measured",
     .broken = "the average of block softmaxes in place of merge",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .predicted = 4 * 0x1p-23, /* outputs are below 1: a few units in the last place */
     .measure_here = associative},
    {.id = "merge-identity",
     .statement = "A result that has seen no key (output 0, log-sum-exp -inf) changes no bit of another one, on either "
                  "side.",
     .formula = "0 numbers",
     .unit = "numbers",
     .source = "counted",
     .broken = "a log-sum-exp of 0 in place of -inf",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predicted = 0,
     .measure_here = identity},
    {.id = "rounded-partials",
     .statement =
         "When partial results are rounded to bfloat16, the error grows with the number of ranks: from 2 to 64 "
         "ranks at least twofold, for the same tokens.",
     .formula = "at least 2 (each of 32 times as many merges adds a rounding)",
     .unit = "times",
     .source = "measured",
     .broken = "float32 partial results in place of bfloat16",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.n = AT_BF16},
     .predicted = 2,
     .measure_here = partials},
    {.id = "float-partials",
     .statement = "With float32 partial results it does not.",
     .formula = "at most 2",
     .unit = "times",
     .source = "measured",
     .broken = "bfloat16 partial results in place of float32",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.n = AT_F32},
     .predicted = 2,
     .measure_here = partials},
};

const struct claim_part part_exact = {claims, COUNT(claims), NULL, 0};
