/* oracle.c: attention in float64, problems with data, and how far an entry is off. */
#include "oracle.h"

#define GUARD 32 /* floats; each a NaN with a pattern of its own */

static const uint32_t guard_bits = 0x7fc0beefu;

static void set_guards(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(x + i, &guard_bits, sizeof *x);
}

static bool is_guard(float x)
{
    return memcmp(&x, &guard_bits, sizeof x) == 0;
}

static size_t touched(const float *x, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_guard(x[i]))
            count++;
    return count;
}

struct at_problem problem_of(uint32_t n_q, uint32_t n_k, uint32_t d)
{
    return (struct at_problem){.batch = 1,
                               .heads = 1,
                               .kv_heads = 1,
                               .n_q = n_q,
                               .n_k = n_k,
                               .d = d,
                               .scale = (float)(1 / sqrt(d)),
                               .q = at_positions_from(0, n_q),
                               .k = at_positions_from(0, n_k)};
}

static size_t width(const struct at_problem *p)
{
    return p->type == AT_F32 ? sizeof(float) : sizeof(uint16_t);
}

static double get(const struct world *w, const struct at_in *t, uint32_t b, uint32_t h, uint32_t i, uint32_t c)
{
    const char *at = (const char *)t->data + (b * t->batch + h * t->head + i * t->row + c) * width(&w->p);
    uint32_t wide = 0;
    memcpy((char *)&wide + 4 - width(&w->p), at, width(&w->p)); /* a bfloat16 is the upper half; little-endian */
    float x;
    memcpy(&x, &wide, sizeof x);
    return x;
}

double world_get(const struct world *w, int which, uint32_t b, uint32_t h, uint32_t i, uint32_t c)
{
    return get(w, which == 0 ? &w->q : which == 1 ? &w->k : &w->v, b, h, i, c);
}

void world_set(struct world *w, int which, uint32_t b, uint32_t h, uint32_t i, uint32_t c, float x)
{
    const struct at_in *t = which == 0 ? &w->q : which == 1 ? &w->k : &w->v;
    char *at = (char *)w->memory[which] + ((const char *)t->data - (const char *)w->memory[which]) +
               (b * t->batch + h * t->head + i * t->row + c) * width(&w->p);
    uint32_t wide;
    memcpy(&wide, &x, sizeof x);
    memcpy(at, (char *)&wide + 4 - width(&w->p), width(&w->p));
}

/* Rows are d + gap apart, and (gap > 0) heads interleaved with them: (batch, n, heads, d) with holes. */
static struct at_in make_input(struct world *w, int which, uint32_t heads, uint32_t n, uint32_t gap)
{
    size_t row = w->p.d + gap, all = w->p.batch * (size_t)heads * n * row + 1;
    w->memory[which] = malloc(all * width(&w->p));
    cr_assert_not_null(w->memory[which]);
    memset(w->memory[which], 0xff, all * width(&w->p)); /* NaN: who reads a hole shows it */
    const char *data = (const char *)w->memory[which] + (gap ? width(&w->p) : 0);
    return gap ? (struct at_in){data, (size_t)n * heads * row, row, heads * row}
               : (struct at_in){data, (size_t)heads * n * row, n * row, row};
}

static void fill(struct world *w, int which, uint32_t heads, uint32_t n, struct rng *r, float size)
{
    for (uint32_t b = 0; b < w->p.batch; b++)
        for (uint32_t h = 0; h < heads; h++)
            for (uint32_t i = 0; i < n; i++)
                for (uint32_t c = 0; c < w->p.d; c++)
                    world_set(w, which, b, h, i, c, size * (float)((double)(rng_next(r) >> 11) * 0x1p-52 - 1));
}

void world_make(struct world *w, const struct at_problem *p, uint64_t seed, float size, uint32_t gap)
{
    struct rng r;
    rng_seed(&r, seed, 8);
    *w = (struct world){.p = *p};
    w->q = make_input(w, 0, p->heads, p->n_q, gap);
    w->k = make_input(w, 1, p->kv_heads, p->n_k, gap);
    w->v = make_input(w, 2, p->kv_heads, p->n_k, gap);
    fill(w, 0, p->heads, p->n_q, &r, size);
    fill(w, 1, p->kv_heads, p->n_k, &r, size);
    fill(w, 2, p->kv_heads, p->n_k, &r, 1);
    size_t rows = (size_t)p->batch * p->heads * p->n_q, row = p->d + gap;
    w->result_floats = rows * row + 2 * GUARD;
    w->lse_floats = rows + 2 * GUARD;
    w->memory[3] = malloc((w->result_floats + w->lse_floats) * sizeof(float));
    w->out = malloc((rows * p->d + 1) * sizeof(double));
    w->lse = malloc((rows + 1) * sizeof(double));
    cr_assert(w->memory[3] && w->out && w->lse);
    float *room = w->memory[3];
    w->result.out = (struct at_out){room + GUARD, (size_t)p->heads * p->n_q * row, p->n_q * row, row};
    w->result.lse = room + w->result_floats + GUARD;
    world_solve(w);
}

void world_end(struct world *w)
{
    for (int i = 0; i < 4; i++)
        free(w->memory[i]);
    free(w->out);
    free(w->lse);
}

static void solve_row(struct world *w, uint32_t b, uint32_t h, uint32_t i, double *s, double *out, double *lse)
{
    const struct at_problem *p = &w->p;
    uint32_t kv = h / (p->heads / p->kv_heads);
    double top = -INFINITY, sum = 0;
    for (uint32_t j = 0; j < p->n_k; j++) {
        s[j] = 0;
        for (uint32_t c = 0; c < p->d; c++)
            s[j] += get(w, &w->q, b, h, i, c) * get(w, &w->k, b, kv, j, c);
        s[j] *= (double)p->scale;
        if (p->causal && at_position(&p->k, j) > at_position(&p->q, i))
            s[j] = -INFINITY;
        top = fmax(top, s[j]);
    }
    memset(out, 0, p->d * sizeof *out);
    *lse = -INFINITY;
    if (top == -INFINITY)
        return;
    for (uint32_t j = 0; j < p->n_k; j++) {
        double weight = exp(s[j] - top);
        sum += weight;
        for (uint32_t c = 0; c < p->d && weight > 0; c++)
            out[c] += weight * get(w, &w->v, b, kv, j, c);
    }
    for (uint32_t c = 0; c < p->d; c++)
        out[c] /= sum;
    *lse = top + log(sum);
}

void world_solve(struct world *w)
{
    const struct at_problem *p = &w->p;
    double *s = malloc((p->n_k + 1) * sizeof *s);
    cr_assert_not_null(s);
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++) {
                size_t n = ((size_t)b * p->heads + h) * p->n_q + i;
                solve_row(w, b, h, i, s, w->out + n * p->d, w->lse + n);
            }
    free(s);
}

void world_run(struct world *w, const struct at_ops *ops, uint32_t parts)
{
    size_t bytes = 0;
    set_guards(w->memory[3], w->result_floats + w->lse_floats);
    cr_assert_eq(ops->workspace(&w->p, parts, &bytes), 0);
    unsigned char *room = aligned_alloc(AT_ALIGN, (bytes + 3 * AT_ALIGN - 1) / AT_ALIGN * AT_ALIGN);
    cr_assert_not_null(room);
    for (uint32_t part = parts; part-- > 0;) {
        memset(room, 0xff, bytes + 2 * AT_ALIGN); /* NaN everywhere: who counts on zeros shows it */
        int code = ops->forward(&w->p, &w->q, &w->k, &w->v, &w->result, part, parts, room + AT_ALIGN);
        cr_assert_eq(code, 0, "part %u of %u: expected: 0; actual: %d", part, parts, code);
        for (size_t i = 0; i < AT_ALIGN; i++)
            if (room[i] != 0xff || room[AT_ALIGN + bytes + i] != 0xff)
                cr_assert(false, "expected: nothing written outside the workspace; actual: byte %zu round it is", i);
    }
    free(room);
}

static void check_guards(const struct world *w, const char *name)
{
    const float *room = w->memory[3];
    const struct at_problem *p = &w->p;
    size_t rows = (size_t)p->batch * p->heads * p->n_q;
    size_t bad = touched(room, GUARD) + touched(room + w->result_floats - GUARD, 2 * GUARD) +
                 touched(room + w->result_floats + w->lse_floats - GUARD, GUARD);
    for (size_t row = 0; row < rows; row++)
        bad += touched(w->result.out.data + row * w->result.out.row + p->d, w->result.out.row - p->d);
    cr_assert_eq(bad, 0, "%s: expected: nothing written round the output; actual: %zu floats", name, bad);
}

struct off world_off(const struct world *w, const char *name)
{
    const struct at_problem *p = &w->p;
    struct off off = {0, 0};
    check_guards(w, name);
    for (size_t row = 0; row < (size_t)p->batch * p->heads * p->n_q; row++) {
        const float *out = w->result.out.data + row * w->result.out.row;
        double right = w->lse[row], lse = (double)w->result.lse[row];
        if (right == -INFINITY) {
            for (uint32_t c = 0; c < p->d; c++)
                cr_assert(out[c] == 0, "%s, row %zu sees nothing: expected: 0; actual: %g", name, row, (double)out[c]);
            cr_assert(lse == -INFINITY, "%s, row %zu sees nothing: expected: lse -inf; actual: %g", name, row, lse);
            continue;
        }
        cr_assert(isfinite(lse), "%s, row %zu: expected: lse %g; actual: %g", name, row, right, lse);
        off.lse = fmax(off.lse, fabs(lse - right) / fmax(1, fabs(right)));
        for (uint32_t c = 0; c < p->d; c++) {
            double error = fabs((double)out[c] - w->out[row * p->d + c]);
            cr_assert(isfinite(error), "%s, row %zu: expected: a number; actual: %g", name, row, (double)out[c]);
            off.out = fmax(off.out, error);
        }
    }
    return off;
}
