/* Tests of task 1: partial results over blocks of keys become the result over all. */
#include "check_scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY "blockwise"

/* A merge scene: `results` results of the problem's shape, their rows `gap` apart, and steps. */
static struct scene *merge_scene(const struct at_problem *p, uint32_t gap, uint32_t results, uint32_t steps)
{
    struct scene shape = {.kind = SCENE_MERGE, .gap = gap, .results = results, .steps = steps, .problem = *p};
    shape.numbers = (uint32_t)scene_numbers(&shape);
    struct scene *s = room_for(1, SCENE_SIZE(shape.numbers));
    *s = shape;
    return s;
}

static size_t rows_of(const struct scene *s)
{
    return (size_t)s->problem.batch * s->problem.heads * s->problem.n_q;
}
static size_t step_of(const struct scene *s) /* from one row to the next */
{
    return s->problem.d + s->gap;
}
static size_t size_of(const struct scene *s) /* of a result */
{
    return rows_of(s) * (step_of(s) + 1);
}
static float *out_of(struct scene *s, uint32_t result, size_t row)
{
    return s->data + result * size_of(s) + row * step_of(s);
}
static float *lse_of(struct scene *s, uint32_t result)
{
    return out_of(s, result, rows_of(s));
}
static void step(struct scene *s, uint32_t n, uint32_t into, uint32_t from)
{
    float *steps = s->data + s->results * size_of(s);
    steps[2 * n] = (float)into;
    steps[2 * n + 1] = (float)from;
}

/* Runs it: the results afterwards, as they lay in the scene. Only those that a step went into may differ. */
static const float *merged(struct scene *s, struct host_outcome *o)
{
    check_host(ENTRY, s, SCENE_SIZE(s->numbers), sizeof(uint32_t), scene_records(s), o);
    const uint32_t *records = o->records;
    const uint64_t n = scene_records(s);
    for (uint32_t i = 0; i < SCENE_GUARD; i++)
        check_that(records[i] == SCENE_UNTOUCHED && records[n - 1 - i] == SCENE_UNTOUCHED,
                   "merge has written outside the results.");
    const float *data = (const float *)(const void *)(records + SCENE_GUARD);
    const float *steps = s->data + s->results * size_of(s);
    for (uint32_t r = 0; r < s->results; r++) {
        bool into = false;
        for (uint32_t i = 0; i < s->steps; i++)
            into |= steps[2 * i] == (float)r;
        const size_t each = size_of(s);
        check_that(into || memcmp(data + r * each, s->data + r * each, each * sizeof *data) == 0,
                   "merge changed `from`, which stays as it is.");
        for (size_t i = 0; i < rows_of(s); i++)
            check_that(memcmp(data + r * each + i * step_of(s) + s->problem.d, out_of(s, r, i) + s->problem.d,
                              s->gap * sizeof *data) == 0,
                       "merge has written between the rows of a result. Row i of head h of batch b of an output begins "
                       "at b x batch + h x head + i x row.");
    }
    return data;
}

static void compare(const struct scene *s, const float *data, uint32_t result, const double *out, const double *lse,
                    double slack, const char *lesson)
{
    const uint32_t d = s->problem.d;
    const float *got = data + result * size_of(s), *got_lse = got + rows_of(s) * step_of(s);
    for (size_t i = 0; i < rows_of(s); i++) {
        for (uint32_t c = 0; c < d; c++)
            check_that(fabs((double)got[i * step_of(s) + c] - out[i * d + c]) <= slack,
                       "row %zu, column %u of the output after %u merge%s: expected: %.7g; actual: %.7g\n%s", i, c,
                       s->steps, s->steps == 1 ? "" : "s", out[i * d + c], (double)got[i * step_of(s) + c], lesson);
        check_that(lse[i] == -INFINITY ? got_lse[i] == -INFINITY
                                       : fabs((double)got_lse[i] - lse[i]) <= slack * (1 + fabs(lse[i])),
                   "row %zu, log-sum-exp after %u merge%s: expected: %.7g; actual: %.7g\n%s", i, s->steps,
                   s->steps == 1 ? "" : "s", lse[i], (double)got_lse[i], lesson);
    }
}

/* Attention over keys of which block b of `blocks` has those from cut[b] on: as partial results, with the truth. */
static struct scene *blocks_scene(struct rng *r, uint32_t gap, uint32_t blocks, uint32_t steps, struct truth *whole,
                                  float size)
{
    const uint32_t rows = between(r, 1, 6), d = between(r, 1, 20), heads = between(r, 1, 3);
    uint32_t cut[65] = {0};
    for (uint32_t b = 0; b < blocks; b++)
        cut[b + 1] = cut[b] + between(r, 1, 12);
    struct at_problem p = problem_of(rows, cut[blocks], d);
    p.heads = p.kv_heads = heads;
    struct scene *all = forward_scene(&p, 0, false, r, size);
    *whole = truth_of(all);
    struct scene *s = merge_scene(&p, gap, blocks, steps);
    for (uint32_t b = 0; b < blocks; b++) {
        struct at_problem some = p;
        some.n_k = cut[b + 1] - cut[b];
        some.k = at_positions_from(0, some.n_k);
        struct scene *part = scene_of(SCENE_FORWARD, &some);
        for (uint32_t h = 0; h < heads; h++) {
            for (uint32_t i = 0; i < rows; i++)
                memcpy(scene_row(part, 0, 0, h, i), scene_row(all, 0, 0, h, i), d * sizeof(float));
            for (uint32_t j = 0; j < some.n_k; j++)
                for (int which = 1; which < 3; which++)
                    memcpy(scene_row(part, which, 0, h, j), scene_row(all, which, 0, h, cut[b] + j), d * sizeof(float));
        }
        struct truth t = truth_of(part);
        for (size_t i = 0; i < (size_t)rows * heads * d; i++)
            out_of(s, b, i / d)[i % d] = (float)t.out[i];
        for (size_t i = 0; i < (size_t)rows * heads; i++)
            for (uint32_t c = 0; c < gap; c++)
                out_of(s, b, i)[d + c] = 7;
        for (size_t i = 0; i < (size_t)rows * heads; i++)
            lse_of(s, b)[i] = (float)t.lse[i];
        truth_free(&t);
        free(part);
    }
    free(all);
    return s;
}

/* Inputs of at most 2 give outputs of at most 2; each merge may add a rounding or some. */
static double slack_of(uint32_t steps)
{
    return (8 + 4 * (double)steps) * 0x1p-22;
}

CHECK(merge, two_halves)
{
    struct rng r = random_of_test(1);
    for (uint32_t round = 0; round < (check_large() ? 12 : 4); round++) {
        struct truth t;
        struct host_outcome o;
        struct scene *s = blocks_scene(&r, round % 2 ? between(&r, 1, 5) : 0, 2, 1, &t, 2);
        const uint32_t into = rng_below(&r, 2);
        step(s, 0, into, 1 - into);
        compare(s, merged(s, &o), into, t.out, t.lse, slack_of(1),
                "Each side counts with its share of all weight: exp(lse) of its own, over the sum of both.");
        host_outcome_free(&o);
        truth_free(&t);
        free(s);
    }
}

CHECK(merge, any_order)
{
    struct rng r = random_of_test(2);
    for (uint32_t round = 0; round < (check_large() ? 10 : 4); round++) {
        struct truth t;
        struct host_outcome o;
        const uint32_t blocks = between(&r, 3, check_large() ? 40 : 12);
        struct scene *s = blocks_scene(&r, 0, blocks, blocks - 1, &t, 2);
        uint32_t left[64] = {0}, n = blocks;
        for (uint32_t i = 0; i < blocks; i++)
            left[i] = i;
        for (uint32_t i = 0; i + 1 < blocks; i++) { /* any one into any other, until one is left */
            const uint32_t a = rng_below(&r, n);
            const uint32_t from = left[a];
            left[a] = left[--n];
            step(s, i, left[rng_below(&r, n)], from);
        }
        compare(s, merged(s, &o), left[0], t.out, t.lse, slack_of(blocks),
                "Merging is associative: what has been merged must come with the log-sum-exp of all its keys.");
        host_outcome_free(&o);
        truth_free(&t);
        free(s);
    }
}

CHECK(merge, identity)
{
    struct rng r = random_of_test(3);
    struct at_problem p = problem_of(4, 0, 5);
    struct scene *s =
        merge_scene(&p, 0, 6, 3); /* 0 real into 1 nothing; 3 nothing into 2 real; 5 nothing into 4 nothing */
    struct host_outcome o;
    for (uint32_t result = 0; result < 6; result++)
        for (uint32_t i = 0; i < 4; i++) {
            const bool real = result == 0 || result == 2;
            for (uint32_t c = 0; c < 5; c++)
                out_of(s, result, i)[c] = real ? uniform(&r, 3) : 0;
            lse_of(s, result)[i] = real ? uniform(&r, 100) : -INFINITY;
        }
    step(s, 0, 1, 0);
    step(s, 1, 2, 3);
    step(s, 2, 4, 5);
    const float *data = merged(s, &o);
    static const uint32_t from[] = {0, 0, 2, 3, 4, 5};
    for (uint32_t result = 0; result < 6; result++)
        for (uint32_t i = 0; i < 4 * 6; i++) {
            const float expected = out_of(s, from[result], 0)[i], actual = data[result * 24 + i];
            check_that(memcmp(&expected, &actual, sizeof actual) == 0,
                       "%s: %s of row %u: expected: %.9g, bit for bit; actual: %.9g.\nA row that has seen no key has "
                       "output 0 and log-sum-exp -inf. It changes nothing, and -inf - -inf is NaN.",
                       result == 1   ? "a row that has seen no key, merged with one that has"
                       : result == 2 ? "a row merged with one that has seen no key"
                                     : "two rows that have seen no key",
                       i < 20 ? "output" : "log-sum-exp", i < 20 ? i / 5 : i - 20, (double)expected, (double)actual);
        }
    host_outcome_free(&o);
    free(s);
}

CHECK(merge, far_apart)
{
    struct rng r = random_of_test(4);
    static const float lse[][2] = {{5000, 4999}, {-5000, -5001}, {90, -90}, {300, 300}, {-4000, 4000}, {-200, -200}};
    for (uint32_t round = 0; round < sizeof lse / sizeof *lse; round++) {
        struct at_problem p = problem_of(1, 0, 7);
        struct scene *s = merge_scene(&p, 0, 2, 1);
        struct host_outcome o;
        double out[7], both, a = (double)lse[round][0], b = (double)lse[round][1], most = fmax(a, b);
        lse_of(s, 0)[0] = lse[round][0];
        lse_of(s, 1)[0] = lse[round][1];
        for (uint32_t c = 0; c < 7; c++) {
            out_of(s, 0, 0)[c] = uniform(&r, 2);
            out_of(s, 1, 0)[c] = uniform(&r, 2);
            out[c] = (out_of(s, 0, 0)[c] * exp(a - most) + out_of(s, 1, 0)[c] * exp(b - most)) /
                     (exp(a - most) + exp(b - most));
        }
        both = most + log(exp(a - most) + exp(b - most));
        step(s, 0, 0, 1);
        compare(s, merged(s, &o), 0, out, &both, slack_of(1),
                "exp of 5000 is infinite, and exp of -5000 is 0. Only how far they are apart counts.");
        host_outcome_free(&o);
        free(s);
    }
}
