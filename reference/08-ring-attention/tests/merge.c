/* merge.c: partial results, in any split and any order, are the whole. */
#include "oracle.h"

TestSuite(merge, .timeout = 60);

#define N_Q 50u
#define N_K 200u
#define D   24u

/* Room for a dense result of the problem. */
struct part {
    float out[N_Q * D], lse[N_Q];
};

static struct at_result of(struct part *x)
{
    return (struct at_result){{x->out, 0, 0, D}, x->lse};
}

static void over(const struct world *w, const struct at_ops *ops, uint32_t first, uint32_t end, struct part *into)
{
    struct at_problem p = w->p;
    struct at_in k = w->k, v = w->v;
    struct at_result result = of(into);
    size_t bytes;
    p.n_k = end - first;
    p.k = at_positions_from(first, end - first);
    k.data = (const float *)k.data + first * k.row;
    v.data = (const float *)v.data + first * v.row;
    cr_assert_eq(ops->workspace(&p, 1, &bytes), 0);
    void *room = aligned_alloc(AT_ALIGN, (bytes + AT_ALIGN) / AT_ALIGN * AT_ALIGN);
    cr_assert_eq(ops->forward(&p, &w->q, &k, &v, &result, 0, 1, room), 0);
    free(room);
}

static void expect_whole(struct world *w, const struct part *x, const char *name)
{
    memcpy(w->result.out.data, x->out, sizeof x->out);
    memcpy(w->result.lse, x->lse, sizeof x->lse);
    struct off off = world_off(w, name);
    cr_assert(off.out < 1e-6 && off.lse < 1e-6, "%s: expected: the whole; actual: off by %g, %g", name, off.out,
              off.lse);
}

Test(merge, any_split_in_any_order_is_the_whole)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct at_problem p = problem_of(N_Q, N_K, D);
        struct world w;
        struct rng r;
        p.causal = seed % 2;
        p.q = at_positions_from(seed * 8, N_Q);
        world_make(&w, &p, seed, 3, 0);
        rng_seed(&r, seed, 1);
        for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
            const struct at_ops *ops = entry_ops(e);
            if (!entry_takes(e, AT_F32))
                continue;
            /* Cuts at random, empty pieces among them; merged in pairs drawn at random: any tree. */
            static struct part piece[8];
            uint32_t cut[9] = {0, 0, 0, 0, 0, 0, 0, 0, N_K}, left = 8;
            world_run(&w, ops, 1); /* writes the guards */
            for (int i = 1; i < 8; i++)
                cut[i] = cut[i - 1] + (uint32_t)(rng_next(&r) % (N_K - cut[i - 1] + 1)) / 3;
            for (uint32_t i = 0; i < 8; i++)
                over(&w, ops, cut[i], cut[i + 1], &piece[i]);
            for (; left > 1; left--) {
                uint32_t a = (uint32_t)(rng_next(&r) % left),
                         b = (a + 1 + (uint32_t)(rng_next(&r) % (left - 1))) % left;
                struct at_result into = of(&piece[a]), from = of(&piece[b]);
                ops->merge(&p, &into, &from);
                struct part merged = piece[a];
                piece[b] = piece[left - 1];
                if (a != left - 1)
                    piece[a] = merged;
                else
                    piece[b] = merged;
            }
            expect_whole(&w, &piece[0], (*e)->name);
        }
        world_end(&w);
    }
}

Test(merge, the_identity_on_either_side_changes_no_bit)
{
    struct at_problem p = problem_of(N_Q, N_K, D);
    struct world w;
    world_make(&w, &p, 1, 1, 0);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        const struct at_ops *ops = entry_ops(e);
        if (!entry_takes(e, AT_F32))
            continue;
        static struct part x, y, none;
        struct at_result a = of(&x), b = of(&y), identity = of(&none);
        memset(&none, 0, sizeof none);
        for (uint32_t i = 0; i < N_Q; i++)
            none.lse[i] = -INFINITY;
        over(&w, ops, 0, N_K, &x);
        y = x;
        ops->merge(&p, &a, &identity);
        cr_assert_eq(memcmp(&x, &y, sizeof x), 0, "%s: expected: x and the identity are x", (*e)->name);
        ops->merge(&p, &identity, &b);
        cr_assert_eq(memcmp(&none, &y, sizeof y), 0, "%s: expected: the identity and x are x", (*e)->name);
        memset(&none, 0, sizeof none);
        for (uint32_t i = 0; i < N_Q; i++)
            none.lse[i] = -INFINITY;
        x = none;
        ops->merge(&p, &identity, &a);
        cr_assert_eq(memcmp(&none, &x, sizeof x), 0, "%s: expected: nothing and nothing is nothing", (*e)->name);
    }
    world_end(&w);
}

/* Log-sum-exps that exp of would overflow, and some so far apart that one of the two counts for nothing. */
Test(merge, far_apart)
{
    struct at_problem p = problem_of(1, 1, 1);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        if (!entry_ops(e)->merge)
            continue;
        float x = 1, y = 3, a = 3e4f, b = 3e4f;
        struct at_result into = {{&x, 0, 0, 1}, &a}, from = {{&y, 0, 0, 1}, &b};
        entry_ops(e)->merge(&p, &into, &from);
        cr_assert(x == 2 && fabs((double)a - 3e4 - log(2)) < 2e-3, "%s: actual: %g, %g", (*e)->name, (double)x,
                  (double)a);
        x = 1, a = -3e4f;
        entry_ops(e)->merge(&p, &into, &from);
        cr_assert(x == 3 && a == 3e4f, "%s: actual: %g, %g", (*e)->name, (double)x, (double)a);
        x = 1, a = 3e4f, b = -3e4f;
        entry_ops(e)->merge(&p, &into, &from);
        cr_assert(x == 1 && a == 3e4f, "%s: actual: %g, %g", (*e)->name, (double)x, (double)a);
    }
}
