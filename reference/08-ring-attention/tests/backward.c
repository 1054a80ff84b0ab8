/* backward.c: gradients of every entry that has them, against float64, and those against differences. */
#include "oracle.h"

TestSuite(backward, .timeout = 120);

/* A world with the slopes of its output, and the three gradients in float64: dense, (batch, heads, n, d). */
struct slopes {
    struct world w;
    float *d_out;
    struct at_in d;
    double *right[3];
};

static uint32_t heads_of(const struct at_problem *p, int which)
{
    return which == 0 ? p->heads : p->kv_heads;
}
static uint32_t rows_of(const struct at_problem *p, int which)
{
    return which == 0 ? p->n_q : p->n_k;
}
static size_t numbers(const struct at_problem *p, int which)
{
    return (size_t)p->batch * heads_of(p, which) * rows_of(p, which) * p->d;
}
static double *right_row(const struct slopes *x, int which, uint32_t b, uint32_t h, uint32_t i)
{
    const struct at_problem *p = &x->w.p;
    return x->right[which] + (((size_t)b * heads_of(p, which) + h) * rows_of(p, which) + i) * p->d;
}

/* dq, dk and dv of one query, from the formulas. The world's own answer gives output and log-sum-exp. */
static void solve_row(struct slopes *x, uint32_t b, uint32_t h, uint32_t i)
{
    const struct at_problem *p = &x->w.p;
    size_t row = ((size_t)b * p->heads + h) * p->n_q + i;
    uint32_t kv = h / (p->heads / p->kv_heads);
    double delta = 0, scale = (double)p->scale;
    for (uint32_t c = 0; c < p->d; c++)
        delta += (double)x->d_out[row * p->d + c] * x->w.out[row * p->d + c];
    for (uint32_t j = 0; j < p->n_k; j++) {
        if (p->causal && at_position(&p->k, j) > at_position(&p->q, i))
            continue;
        double s = 0, slope = 0;
        for (uint32_t c = 0; c < p->d; c++) {
            s += world_get(&x->w, 0, b, h, i, c) * world_get(&x->w, 1, b, kv, j, c);
            slope += (double)x->d_out[row * p->d + c] * world_get(&x->w, 2, b, kv, j, c);
        }
        double weight = exp(scale * s - x->w.lse[row]), ds = weight * (slope - delta) * scale;
        for (uint32_t c = 0; c < p->d; c++) {
            right_row(x, 0, b, h, i)[c] += ds * world_get(&x->w, 1, b, kv, j, c);
            right_row(x, 1, b, kv, j)[c] += ds * world_get(&x->w, 0, b, h, i, c);
            right_row(x, 2, b, kv, j)[c] += weight * (double)x->d_out[row * p->d + c];
        }
    }
}

static void slopes_make(struct slopes *x, const struct at_problem *p, uint64_t seed, float size, uint32_t gap)
{
    struct rng r;
    rng_seed(&r, seed, 99);
    world_make(&x->w, p, seed, size, gap);
    x->d_out = calloc(numbers(p, 0) + 1, sizeof *x->d_out);
    for (size_t n = 0; n < numbers(p, 0); n++)
        x->d_out[n] = (float)((double)(rng_next(&r) >> 11) * 0x1p-52 - 1);
    x->d = (struct at_in){x->d_out, (size_t)p->heads * p->n_q * p->d, (size_t)p->n_q * p->d, p->d};
    for (int which = 0; which < 3; which++)
        x->right[which] = calloc(numbers(p, which) + 1, sizeof(double));
    for (uint32_t b = 0; b < p->batch; b++)
        for (uint32_t h = 0; h < p->heads; h++)
            for (uint32_t i = 0; i < p->n_q; i++)
                solve_row(x, b, h, i);
}

static void slopes_end(struct slopes *x)
{
    world_end(&x->w);
    free(x->d_out);
    for (int which = 0; which < 3; which++)
        free(x->right[which]);
}

/* Gradients that the entry finds. They begin as `before` everywhere, rows are one number further apart than they need
 * be, and what lies between must stay. */
struct found {
    float *data[3];
    struct at_gradients to;
};

static struct found found_make(const struct at_problem *p, float before)
{
    struct found f;
    struct at_out *out[3] = {&f.to.q, &f.to.k, &f.to.v};
    for (int which = 0; which < 3; which++) {
        size_t row = p->d + 1, rows = (size_t)p->batch * heads_of(p, which) * rows_of(p, which);
        f.data[which] = malloc((rows * row + 1) * sizeof(float));
        for (size_t n = 0; n < rows * row + 1; n++)
            f.data[which][n] = before;
        *out[which] =
            (struct at_out){f.data[which], heads_of(p, which) * rows_of(p, which) * row, rows_of(p, which) * row, row};
    }
    return f;
}

static void found_end(struct found *f)
{
    for (int which = 0; which < 3; which++)
        free(f->data[which]);
}

/* Exact output and log-sum-exp, rounded: backward is tested by itself. */
static void give_result(struct world *w)
{
    const struct at_problem *p = &w->p;
    for (size_t row = 0; row < (size_t)p->batch * p->heads * p->n_q; row++) {
        w->result.lse[row] = (float)w->lse[row];
        for (uint32_t c = 0; c < p->d; c++)
            w->result.out.data[row * w->result.out.row + c] = (float)w->out[row * p->d + c];
    }
}

static void run(const struct slopes *x, const struct at_ops *ops, uint32_t parts, struct found *f)
{
    const struct world *w = &x->w;
    size_t bytes = 0;
    cr_assert_eq(ops->backward_workspace(&w->p, parts, &bytes), 0);
    unsigned char *room = aligned_alloc(AT_ALIGN, (bytes + 3 * AT_ALIGN - 1) / AT_ALIGN * AT_ALIGN);
    for (uint32_t part = parts; part-- > 0;) {
        memset(room, 0xff, bytes + 2 * AT_ALIGN);
        int code = ops->backward(&w->p, &w->q, &w->k, &w->v, &w->result, &x->d, &f->to, part, parts, room + AT_ALIGN);
        cr_assert_eq(code, 0, "part %u of %u: expected: 0; actual: %d", part, parts, code);
        for (size_t i = 0; i < AT_ALIGN; i++)
            if (room[i] != 0xff || room[AT_ALIGN + bytes + i] != 0xff)
                cr_assert(false, "expected: nothing written outside the workspace; actual: byte %zu round it is", i);
    }
    free(room);
}

/* The largest error, against the largest number of that gradient, or 1. */
static void expect_near(const struct slopes *x, const struct found *f, float before, double most, const char *name)
{
    static const char *const names[] = {"dq", "dk", "dv"};
    const struct at_problem *p = &x->w.p;
    for (int which = 0; which < 3; which++) {
        double largest = 1, off = 0; /* what is summed is about 1, even where its sum is not */
        size_t rows = numbers(p, which) / p->d, bad = 0;
        for (size_t row = 0; row < rows; row++) {
            for (uint32_t c = 0; c < p->d; c++) {
                double right = x->right[which][row * p->d + c];
                double error = fabs((double)f->data[which][row * (p->d + 1) + c] - (double)before - right);
                cr_assert(isfinite(error), "%s, %s, row %zu: expected: a number", name, names[which], row);
                largest = fmax(largest, fabs(right));
                off = fmax(off, error);
            }
            bad += f->data[which][row * (p->d + 1) + p->d] != before;
        }
        cr_assert_eq(bad, 0, "%s, %s: expected: nothing written between rows", name, names[which]);
        cr_assert(off <= most * largest, "%s, %s of %u x %u, d %u: expected: within %g; actual: %g", name, names[which],
                  p->n_q, p->n_k, p->d, most * largest, off);
    }
}

static void expect_right(const struct at_problem *p, uint64_t seed, float size, uint32_t gap)
{
    struct slopes x;
    slopes_make(&x, p, seed, size, gap);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        if (!entry_takes(e, p->type) || !entry_ops(e)->backward)
            continue;
        for (float before = 0; before <= 0.5f; before += 0.5f) {
            struct found f = found_make(p, before);
            give_result(&x.w);
            run(&x, entry_ops(e), before > 0 ? 3 : 1, &f);
            expect_near(&x, &f, before, 3e-6, (*e)->name);
            found_end(&f);
        }
    }
    slopes_end(&x);
}

Test(backward, some_entry_has_it)
{
    int n = 0;
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        n += entry_runs(e) && entry_ops(e)->backward;
    cr_assert(n >= 2);
}

/* The oracle itself: the loss is the sum of out x d_out, so its gradient is a difference of two losses. */
static double loss(struct slopes *x)
{
    double sum = 0;
    world_solve(&x->w);
    for (size_t n = 0; n < numbers(&x->w.p, 0); n++)
        sum += x->w.out[n] * (double)x->d_out[n];
    return sum;
}

Test(backward, float64_gradients_are_differences_of_losses)
{
    struct at_problem p = problem_of(9, 11, 5);
    struct slopes x;
    p.heads = 2;
    p.causal = true;
    slopes_make(&x, &p, 7, 1, 0);
    for (int which = 0; which < 3; which++)
        for (uint32_t i = 0; i < 9; i++)
            for (uint32_t c = 0; c < 5; c++) {
                float at = (float)world_get(&x.w, which, 0, 0, i, c), up = at + 0x1p-10f, down = at - 0x1p-10f;
                world_set(&x.w, which, 0, 0, i, c, up);
                double change = loss(&x);
                world_set(&x.w, which, 0, 0, i, c, down);
                change -= loss(&x);
                world_set(&x.w, which, 0, 0, i, c, at);
                double found = change / ((double)up - (double)down), right = right_row(&x, which, 0, 0, i)[c];
                cr_assert(fabs(found - right) < 1e-5, "%d %u %u: expected: %g; actual: %g", which, i, c, right, found);
            }
    slopes_end(&x);
}

Test(backward, odd_lengths_and_widths)
{
    static const uint32_t n[] = {1, 7, 64, 65, 150}, d[] = {1, 7, 40, 64, 100, 128};
    for (uint32_t i = 0; i < 5; i++)
        for (uint32_t j = 0; j < 5; j++) {
            struct at_problem p = problem_of(n[i], n[j], d[(i + j) % 6]);
            p.causal = (i + j) % 2;
            expect_right(&p, i * 5 + j, 1, 0);
        }
}

Test(backward, more_than_one_group_of_queries)
{
    struct at_problem p = problem_of(450, 200, 128);
    expect_right(&p, 1, 1, 0);
}

Test(backward, grouped_heads_strides_and_bfloat16)
{
    for (uint32_t kv = 1; kv <= 6; kv += kv == 3 ? 3 : 2)
        for (uint32_t gap = 0; gap < 6; gap += 5) {
            struct at_problem p = problem_of(60, 50, 24);
            p.batch = 2;
            p.heads = 6;
            p.kv_heads = kv;
            p.causal = kv == 3;
            p.type = gap ? AT_BF16 : AT_F32;
            expect_right(&p, kv, 2, gap);
        }
}

Test(backward, striped_and_zigzag_shards_and_rows_that_see_nothing)
{
    struct at_problem p = problem_of(75, 75, 16);
    p.causal = true;
    for (uint32_t a = 0; a < 4; a++) {
        p.q = (struct at_positions){.run = {{a, 4, 75}, {0, 1, 0}}};
        p.k = (struct at_positions){.run = {{3 - a, 4, 75}, {0, 1, 0}}};
        expect_right(&p, a, 1, 0);
        p.q = (struct at_positions){.run = {{a * 37, 1, 37}, {(7 - a) * 37, 1, 38}}};
        p.k = (struct at_positions){.run = {{2 * 37, 1, 37}, {5 * 37, 1, 38}}};
        expect_right(&p, a, 1, 0);
    }
    p.k = at_positions_from(1000, 75); /* nobody sees any */
    expect_right(&p, 9, 1, 0);
    p = problem_of(5, 0, 16);
    expect_right(&p, 9, 1, 0);
}

/* With the log-sum-exp and output of all keys, what blocks of keys add makes the whole: as it does in a ring. */
Test(backward, blocks_of_keys_add_up)
{
    struct at_problem p = problem_of(90, 120, 32);
    struct slopes x;
    p.causal = true;
    p.q = at_positions_from(20, 90);
    slopes_make(&x, &p, 4, 2, 0);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        if (!entry_takes(e, AT_F32) || !entry_ops(e)->backward)
            continue;
        struct found f = found_make(&p, 0);
        give_result(&x.w);
        for (uint32_t first = 0; first < 120; first += 30) {
            struct slopes block = x;
            struct found share = f;
            block.w.p.n_k = 30;
            block.w.p.k = at_positions_from(first, 30);
            block.w.k.data = (const float *)x.w.k.data + first * x.w.k.row;
            block.w.v.data = (const float *)x.w.v.data + first * x.w.v.row;
            share.to.k.data += first * share.to.k.row;
            share.to.v.data += first * share.to.v.row;
            run(&block, entry_ops(e), 1, &share);
        }
        expect_near(&x, &f, 0, 3e-6, (*e)->name);
        found_end(&f);
    }
    slopes_end(&x);
}

Test(backward, parts_make_no_difference_and_no_problem_is_refused)
{
    struct at_problem p = problem_of(100, 80, 24), none = problem_of(4, 4, 0);
    struct slopes x;
    p.batch = 2;
    p.heads = 4;
    p.kv_heads = 2;
    slopes_make(&x, &p, 3, 1, 0);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        size_t bytes = 77;
        if (!entry_takes(e, AT_F32) || !entry_ops(e)->backward)
            continue;
        cr_assert(entry_ops(e)->backward_workspace(&none, 1, &bytes) == -EINVAL && bytes == 77, "%s", (*e)->name);
        struct found one = found_make(&p, 0), many = found_make(&p, 0);
        give_result(&x.w);
        run(&x, entry_ops(e), 1, &one);
        run(&x, entry_ops(e), 7, &many);
        for (int which = 0; which < 3; which++)
            cr_assert_eq(
                memcmp(one.data[which], many.data[which], numbers(&p, which) / p.d * (p.d + 1) * sizeof(float)), 0,
                "%s: expected: the same bits in 7 parts", (*e)->name);
        found_end(&one);
        found_end(&many);
    }
    slopes_end(&x);
}
