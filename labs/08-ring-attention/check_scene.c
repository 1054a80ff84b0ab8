/* check_scene.c: what the tests of lab 08 are written with. */
#include "check_scene.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPSILON 0x1p-24 /* half a unit in the last place of a float32 */

struct rng random_of_test(uint64_t stream)
{
    struct rng r;
    rng_seed(&r, check_seed(), 8000 + stream);
    return r;
}

uint32_t between(struct rng *r, uint32_t low, uint32_t high)
{
    return low + rng_below(r, high - low + 1);
}

float uniform(struct rng *r, float size)
{
    return size * (float)(2 * rng_double(r) - 1);
}

void *room_for(size_t count, size_t size)
{
    void *room = calloc(count ? count : 1, size);
    if (!room)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return room;
}

/* ---- scenes ---- */

struct at_problem problem_of(uint32_t n_q, uint32_t n_k, uint32_t d)
{
    return (struct at_problem){.batch = 1,
                               .heads = 1,
                               .kv_heads = 1,
                               .n_q = n_q,
                               .n_k = n_k,
                               .d = d,
                               .scale = (float)(1 / sqrt(d)),
                               .type = AT_F32,
                               .q = at_positions_from(0, n_q),
                               .k = at_positions_from(0, n_k)};
}

struct scene *scene_of(enum scene_kind kind, const struct at_problem *p)
{
    struct scene shape = {.kind = kind, .parts = 1, .problem = *p};
    const uint64_t n = scene_numbers(&shape);
    if (n == 0)
        check_fail(VERDICT_GRADER_FAULT, "the test has made a scene that is none");
    struct scene *s = room_for(1, SCENE_SIZE(n));
    *s = shape;
    s->numbers = (uint32_t)n;
    return s;
}

float *scene_tensor(struct scene *s, int which)
{
    size_t q, k;
    const uint32_t n = s->kind == SCENE_RING ? (uint32_t)s->ring.total : 0;
    scene_layout(s, s->problem.heads, n ? n : s->problem.n_q, &q);
    scene_layout(s, s->problem.kv_heads, n ? n : s->problem.n_k, &k);
    return s->data + (s->gap != 0) + (which == 0 ? 0 : which == 1 ? q : q + k);
}

float *scene_row(struct scene *s, int which, uint32_t b, uint32_t h, uint32_t i)
{
    size_t length;
    const uint32_t n = s->kind == SCENE_RING ? (uint32_t)s->ring.total : which ? s->problem.n_k : s->problem.n_q;
    const struct at_in t = scene_layout(s, which ? s->problem.kv_heads : s->problem.heads, n, &length);
    return scene_tensor(s, which) + b * t.batch + h * t.head + i * t.row;
}

struct scene *forward_scene(const struct at_problem *p, uint32_t gap, bool rows_first, struct rng *r, float size)
{
    struct scene shape = {.kind = SCENE_FORWARD, .parts = 1, .gap = gap, .rows_first = rows_first, .problem = *p};
    const uint64_t n = scene_numbers(&shape);
    if (n == 0)
        check_fail(VERDICT_GRADER_FAULT, "the test has made a scene that is none");
    struct scene *s = room_for(1, SCENE_SIZE(n));
    *s = shape;
    s->numbers = (uint32_t)n;
    for (uint32_t i = 0; i < s->numbers; i++)
        s->data[i] = uniform(r, size);
    return s;
}

/* ---- attention in float64 ---- */

static bool sees(const struct at_problem *p, uint32_t i, uint32_t j)
{
    return !p->causal || at_position(&p->k, j) <= at_position(&p->q, i);
}

/* One row. Returns the largest sum of |q||k|: what rounding of the scores grows with. */
static double truth_row(struct scene *s, uint32_t b, uint32_t h, uint32_t i, double *weight, double *out, double *lse)
{
    const struct at_problem *p = &s->problem;
    const uint32_t kv = h / (p->heads / p->kv_heads);
    const float *q = scene_row(s, 0, b, h, i);
    double most = -INFINITY, sum = 0, largest = 0;
    for (uint32_t j = 0; j < p->n_k; j++) {
        const float *k = scene_row(s, 1, b, kv, j);
        double dot = 0, size = 0;
        for (uint32_t c = 0; c < p->d; c++) {
            dot += (double)q[c] * k[c];
            size += fabs((double)q[c] * k[c]);
        }
        weight[j] = sees(p, i, j) ? (double)p->scale * dot : -INFINITY;
        largest = fmax(largest, fabs((double)p->scale) * size);
        most = fmax(most, weight[j]);
    }
    for (uint32_t c = 0; c < p->d; c++)
        out[c] = 0;
    for (uint32_t j = 0; j < p->n_k && most > -INFINITY; j++) {
        const double w = exp(weight[j] - most);
        const float *v = scene_row(s, 2, b, kv, j);
        sum += w;
        for (uint32_t c = 0; c < p->d; c++)
            out[c] += w * v[c];
    }
    for (uint32_t c = 0; c < p->d && sum > 0; c++)
        out[c] /= sum;
    *lse = sum > 0 ? most + log(sum) : -INFINITY;
    return largest;
}

struct truth truth_of(struct scene *s)
{
    const struct at_problem *p = &s->problem;
    const size_t rows = (size_t)p->batch * p->heads * p->n_q;
    struct truth t = {.out = room_for(rows * p->d, sizeof *t.out), .lse = room_for(rows, sizeof *t.lse)};
    double *weight = room_for(p->n_k, sizeof *weight), size = 0;
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++) {
                const size_t row = ((size_t)b * p->heads + h) * p->n_q + i;
                size = fmax(size, truth_row(s, b, h, i, weight, t.out + row * p->d, t.lse + row));
            }
    for (uint32_t i = 0; i < s->numbers; i++)
        t.most = fmax(t.most, fabs((double)s->data[i]));
    t.slack = 32 * EPSILON + 8 * EPSILON * size;
    free(weight);
    return t;
}

void truth_free(struct truth *t)
{
    free(t->out);
    free(t->lse);
}

/* ---- one problem ---- */

/* "40 to 68 and 400 to 425", "5 to 383 by 7". */
static const char *positions_text(const struct at_positions *at, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < 2; i++) {
        const struct at_run *run = &at->run[i];
        char by[30] = "";
        if (run->count == 0 || used >= size)
            continue;
        if (run->step != 1)
            snprintf(by, sizeof by, " by %llu", (unsigned long long)run->step);
        const int n =
            snprintf(text + used, size - used, "%s%llu to %llu%s", used ? " and " : "", (unsigned long long)run->first,
                     (unsigned long long)(run->first + run->step * (run->count - 1)), by);
        used += n > 0 ? (size_t)n : 0;
    }
    return used ? text : "none";
}

const char *problem_text(const struct at_problem *p, char *text, size_t size)
{
    char q[120], k[120];
    int n = snprintf(text, size, "%u quer%s, %u key%s, d = %u", p->n_q, p->n_q == 1 ? "y" : "ies", p->n_k,
                     p->n_k == 1 ? "" : "s", p->d);
    if (p->batch > 1 || p->heads > 1)
        n += snprintf(text + n, size - (size_t)n, ", batch %u, %u heads, %u of keys", p->batch, p->heads, p->kv_heads);
    if (p->causal)
        snprintf(text + n, size - (size_t)n, ", causal, positions of queries %s, of keys %s",
                 positions_text(&p->q, q, sizeof q), positions_text(&p->k, k, sizeof k));
    return text;
}

/* What was asked and what there is to learn: ends the test. */
static _Noreturn void wrong(const struct scene *s, const char *lesson, const char *format, ...)
{
    char text[700], asked[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    check_that(false, "%s: %s%s%s", problem_text(&s->problem, asked, sizeof asked), text, lesson ? "\n" : "",
               lesson ? lesson : "");
    abort(); /* not reached */
}

static void head_is_right(const struct scene *s, const uint32_t *head, const char *lesson)
{
    if (head[FORWARD_ASKED]) {
        const uint64_t bytes = head[FORWARD_BYTES_LOW] | (uint64_t)head[FORWARD_BYTES_HIGH] << 32;
        if (head[FORWARD_ASKED] == ENOMEM)
            wrong(s, lesson, "workspace asked for %llu bytes, more than there are.", (unsigned long long)bytes);
        wrong(s, lesson, "workspace must return 0 and the bytes it needs, but returned -%u (%s).", head[FORWARD_ASKED],
              strerror((int)head[FORWARD_ASKED]));
    }
    if (head[FORWARD_CODE])
        wrong(s, lesson, "forward must return 0, but returned -%u (%s).", head[FORWARD_CODE],
              strerror((int)head[FORWARD_CODE]));
    if (head[FORWARD_OUTSIDE])
        wrong(s, lesson, "forward has written outside the %u bytes of workspace that it had asked for.",
              head[FORWARD_BYTES_LOW]);
    if (head[FORWARD_TWICE])
        wrong(s, lesson, "%u numbers were written by more than one of %u parts.", head[FORWARD_TWICE], s->parts);
}

static void number_is_right(const struct scene *s, const char *lesson, const char *what, float actual, double expected,
                            double slack)
{
    if (expected == -INFINITY ? actual == -INFINITY : fabs((double)actual - expected) <= slack)
        return;
    if (isnan(actual))
        wrong(s, lesson, "%s: expected: %.7g; actual: NaN, or not written", what, expected);
    wrong(s, lesson, "%s: expected: %.7g; actual: %.7g (%.2g more or less is allowed)", what, expected, (double)actual,
          expected == -INFINITY ? 0 : slack);
}

static void row_is_right(const struct scene *s, const struct truth *t, uint32_t b, uint32_t h, uint32_t i,
                         const float *out, float lse, const char *lesson)
{
    const struct at_problem *p = &s->problem;
    const size_t row = ((size_t)b * p->heads + h) * p->n_q + i;
    char what[100], where[60] = "";
    if (p->batch > 1 || p->heads > 1)
        snprintf(where, sizeof where, "batch %u, head %u, ", b, h);
    for (uint32_t c = 0; c < p->d; c++) {
        snprintf(what, sizeof what, "%squery row %u, column %u of the output", where, i, c);
        /* A row that sees nothing is exactly 0. */
        number_is_right(s, lesson, what, out[c], t->out[row * p->d + c],
                        t->lse[row] == -INFINITY ? 0 : t->most * t->slack);
    }
    snprintf(what, sizeof what, "%squery row %u, log-sum-exp", where, i);
    number_is_right(s, lesson, what, lse, t->lse[row], t->slack * (1 + fabs(t->lse[row])));
}

static void untouched(const struct scene *s, const uint32_t *at, size_t n, const char *lesson)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != SCENE_UNTOUCHED)
            wrong(s, lesson, "something was written outside the rows of the output.");
}

void forward_is_right(struct scene *s, const uint32_t *records, const char *lesson)
{
    const struct at_problem *p = &s->problem;
    size_t length, rows = (size_t)p->batch * p->heads * p->n_q;
    const struct at_in o = scene_layout(s, p->heads, p->n_q, &length);
    const uint32_t *out = records + FORWARD_HEAD + SCENE_GUARD, *lse = out + length + SCENE_GUARD;
    struct truth t = truth_of(s);
    head_is_right(s, records, lesson);
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++) {
                const uint32_t *row = out + b * o.batch + h * o.head + i * o.row;
                row_is_right(s, &t, b, h, i, (const float *)(const void *)row,
                             ((const float *)(const void *)lse)[(b * (size_t)p->heads + h) * p->n_q + i], lesson);
                untouched(s, row + p->d, s->gap, lesson);
            }
    untouched(s, out - SCENE_GUARD, SCENE_GUARD, lesson);
    untouched(s, out + length, SCENE_GUARD, lesson);
    untouched(s, lse + rows, SCENE_GUARD, lesson);
    truth_free(&t);
}

uint32_t *forward_bits(struct scene *s, size_t *n, uint32_t *head, const char *lesson)
{
    struct host_outcome o;
    char asked[400];
    check_host_try("blockwise", s, SCENE_SIZE(s->numbers), sizeof(uint32_t), scene_records(s), &o);
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "%s: %s%s%s%s%.600s", problem_text(&s->problem, asked, sizeof asked), o.sentence,
                   lesson ? "\n" : "", lesson ? lesson : "", *o.output ? "\nIt printed: " : "", o.output);
    forward_is_right(s, o.records, lesson);
    if (head)
        memcpy(head, o.records, FORWARD_HEAD * sizeof *head);
    *n = scene_records(s) - FORWARD_HEAD;
    uint32_t *bits = room_for(*n, sizeof *bits);
    memcpy(bits, (const uint32_t *)o.records + FORWARD_HEAD, *n * sizeof *bits);
    host_outcome_free(&o);
    return bits;
}

void forward_check(struct scene *s, const char *lesson)
{
    size_t n;
    free(forward_bits(s, &n, NULL, lesson));
    free(s);
}
