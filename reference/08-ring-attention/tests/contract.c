/* contract.c: what is refused, what memory is asked for, and that parts make no difference. */
#include "oracle.h"

#include <sys/mman.h>
#include <unistd.h>

TestSuite(contract, .timeout = 60);

Test(contract, what_is_no_problem_is_refused)
{
    struct at_problem good = problem_of(4, 4, 4), bad[11];
    for (int i = 0; i < 11; i++)
        bad[i] = good;
    bad[0].batch = 0;
    bad[1].heads = 0;
    bad[2].kv_heads = 0;
    bad[3].heads = 3, bad[3].kv_heads = 2;
    bad[4].d = 0;
    bad[5].d = AT_MAX_D + 1;
    bad[6].scale = NAN;
    bad[7].causal = true, bad[7].q.run[0].count = 3;
    bad[8].causal = true, bad[8].k.run[0].step = 0;
    bad[9].causal = true, bad[9].k.run[0].count = 2, bad[9].k.run[1] = (struct at_run){1, 1, 2}; /* runs that cross */
    bad[10].causal = true, bad[10].k.run[0].first = INT64_MAX - 1;
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        size_t bytes = 77;
        if (!entry_runs(e))
            continue;
        good.type = entry_takes(e, AT_F32) ? AT_F32 : AT_BF16;
        for (int i = 0; i < 11; i++)
            bad[i].type = good.type;
        for (int i = 0; i < 11; i++) {
            int code = entry_ops(e)->workspace(&bad[i], 1, &bytes);
            cr_assert(code == -EINVAL && bytes == 77, "%s, %d: expected: -EINVAL; actual: %d", (*e)->name, i, code);
        }
        cr_assert_eq(entry_ops(e)->workspace(&good, 0, &bytes), -EINVAL);
        cr_assert_eq(entry_ops(e)->workspace(&good, 1, &bytes), 0);
    }
}

/* Which types those are depends on the machine: where there are tiles, one entry takes bfloat16 alone. */
Test(contract, what_an_entry_does_not_take_it_refuses)
{
    for (int type = AT_F32; type <= AT_BF16; type++) {
        struct at_problem p = problem_of(4, 4, 4);
        p.type = (enum at_type)type;
        for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
            size_t bytes = 77;
            if (!entry_runs(e))
                continue;
            bool takes = entry_takes(e, p.type);
            cr_assert_eq(entry_ops(e)->workspace(&p, 1, &bytes), takes ? 0 : -ENOTSUP, "%s", (*e)->name);
            if (!takes)
                cr_assert_eq(entry_ops(e)->forward(&p, NULL, NULL, NULL, NULL, 0, 1, NULL), -ENOTSUP, "%s", (*e)->name);
        }
    }
}

Test(contract, memory_is_quadratic_or_constant)
{
    struct at_problem small = problem_of(4096, 4096, 64), large = problem_of(1u << 20, 1u << 20, 64);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        size_t a = 0, b = 0;
        if (!entry_runs(e))
            continue;
        small.type = large.type = entry_takes(e, AT_F32) ? AT_F32 : AT_BF16;
        cr_assert_eq(entry_ops(e)->workspace(&small, 1, &a), 0);
        cr_assert_eq(entry_ops(e)->workspace(&large, 1, &b), 0);
        if (entry_ops(e)->can & AT_CONSTANT)
            cr_assert(b <= 2 * a && b < (1u << 20), "%s: expected: no more than twice as much; actual: %zu, %zu",
                      (*e)->name, a, b);
        else
            cr_assert(b >= a * 65000, "%s: expected: the square; actual: %zu, %zu", (*e)->name, a, b);
    }
}

static void expect_same_in_parts(enum at_type type)
{
    struct at_problem p = problem_of(700, 300, 32);
    p.heads = 2;
    p.causal = true;
    p.type = type;
    struct world w;
    world_make(&w, &p, 1, 1, 0);
    size_t bytes = (w.result_floats + w.lse_floats) * sizeof(float);
    float *first = malloc(bytes);
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        for (uint32_t parts = 1; parts < 40 && entry_takes(e, type); parts += parts) {
            world_run(&w, entry_ops(e), parts);
            if (parts == 1)
                memcpy(first, w.memory[3], bytes);
            cr_assert_eq(memcmp(first, w.memory[3], bytes), 0, "%s: expected: the same bits in %u parts", (*e)->name,
                         parts);
        }
    free(first);
    world_end(&w);
}

Test(contract, parts_make_no_difference)
{
    expect_same_in_parts(AT_F32);
    expect_same_in_parts(AT_BF16);
}

/* Inputs that end where the page ends, and behind it none: who reads beyond a row's end, or one row too many, dies. */
static const void *at_the_edge(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    char *at = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(at != MAP_FAILED);
    cr_assert_eq(mprotect(at + room, page, PROT_NONE), 0);
    return at + room - bytes;
}

static void expect_nothing_beyond(enum at_type type, uint32_t n, uint32_t d)
{
    size_t row = d * (type == AT_F32 ? sizeof(float) : sizeof(uint16_t));
    struct at_problem p = problem_of(n, n + 1, d);
    struct at_in q = {at_the_edge(n * row), 0, 0, d}, k = {at_the_edge((n + 1) * row), 0, 0, d};
    static float out[160 * 64], lse[160];
    struct at_result result = {{out, 0, 0, d}, lse};
    p.type = type;
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++) {
        size_t bytes;
        if (!entry_takes(e, type))
            continue;
        cr_assert_eq(entry_ops(e)->workspace(&p, 1, &bytes), 0);
        void *room = aligned_alloc(AT_ALIGN, (bytes + AT_ALIGN) / AT_ALIGN * AT_ALIGN);
        cr_assert_eq(entry_ops(e)->forward(&p, &q, &k, &k, &result, 0, 1, room), 0);
        free(room);
        cr_assert(out[0] == 0 && fabs((double)lse[0] - log(n + 1)) < 1e-6, "%s", (*e)->name); /* all zeros */
    }
}

Test(contract, nothing_is_read_beyond_the_inputs)
{
    static const uint32_t d[] = {1, 3, 8, 13, 64};
    for (int i = 0; i < 5; i++)
        for (uint32_t n = 1; n < 160; n += 42)
            for (int type = AT_F32; type <= AT_BF16; type++)
                expect_nothing_beyond((enum at_type)type, n, d[i]);
}
