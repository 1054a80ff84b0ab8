/* cuda_kernels.c: the text of the CUDA kernels, run on an emulated block of threads, against float64. */
#include "cuda_device.h"
#include "oracle.h"

TestSuite(cuda_kernels, .timeout = 120);

#define FINE 1e-6
#define BF16 (0x1p-8 + 1e-5) /* a mean of values up to 1, with weights that are each off by 2^-8 of their own */

static const char *const rungs[] = {"cuda-naive", "cuda-flash", "cuda-tensor"};

static const struct at_ops *rung(const char *name)
{
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        if (strcmp((*e)->name, name) == 0)
            return entry_ops(e);
    cr_assert(false, "there is no entry %s", name);
    return NULL;
}

static double bound(const char *name, const struct at_problem *p)
{
    return p->type == AT_BF16 && strcmp(name, "cuda-flash") != 0 ? BF16 : FINE;
}

/* Clears the counts, switches the device on, and looks for faults and forgotten memory afterwards. */
static void run(struct world *w, const char *name, uint32_t parts)
{
    emulated_on = true;
    emulated_counts = (struct emulated){0};
    world_run(w, rung(name), parts);
    cr_assert_null(emulated_counts.fault, "%s: %s", name, emulated_counts.fault);
    cr_assert_eq(emulated_bytes, 0, "%s: %zu bytes are still allocated", name, emulated_bytes);
}

static void expect_right(const char *name, const struct at_problem *p, uint64_t seed, float size, uint32_t gap)
{
    struct world w;
    world_make(&w, p, seed, size, gap);
    emulated_seed = seed * 1000;
    run(&w, name, 1);
    struct off off = world_off(&w, name);
    double most = bound(name, p);
    cr_assert(off.out <= most && off.lse <= FINE,
              "%s, %u x %u, d %u: expected: within %g, lse %g; actual: output %g, lse %g", name, p->n_q, p->n_k, p->d,
              most, FINE, off.out, off.lse);
    world_end(&w);
}

static struct at_problem bf16(uint32_t n_q, uint32_t n_k, uint32_t d, bool causal)
{
    struct at_problem p = problem_of(n_q, n_k, d);
    p.type = AT_BF16;
    p.causal = causal;
    return p;
}

Test(cuda_kernels, tensor_lengths_round_its_tiles)
{
    static const uint32_t n[][2] = {{1, 1}, {1, 65}, {127, 63}, {128, 64}, {129, 129}, {257, 200}};
    for (int i = 0; i < 6; i++)
        for (int causal = 0; causal < 2; causal++) {
            struct at_problem p = bf16(n[i][0], n[i][1], i % 2 ? 128 : 64, causal);
            expect_right("cuda-tensor", &p, (uint64_t)i, 1, 0);
        }
}

Test(cuda_kernels, tensor_widths_are_filled_up)
{
    static const uint32_t d[] = {1, 7, 40, 63, 64, 65, 100, 128};
    for (int i = 0; i < 8; i++) {
        struct at_problem p = bf16(40, 70, d[i], false);
        expect_right("cuda-tensor", &p, d[i], 1, i % 2 ? 3 : 0);
    }
}

Test(cuda_kernels, flash_lengths_and_widths)
{
    static const uint32_t n[] = {1, 31, 33, 65}, d[] = {1, 2, 7, 40, 64, 128, 257};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            struct at_problem p = problem_of(n[i], n[j], 16);
            p.causal = j % 2;
            expect_right("cuda-flash", &p, (uint64_t)(i * 4 + j), 1, 0);
        }
    for (int i = 0; i < 7; i++) {
        struct at_problem p = problem_of(33, 40, d[i]);
        p.type = i % 2 ? AT_F32 : AT_BF16;
        expect_right("cuda-flash", &p, d[i], 1, 0);
    }
    struct at_problem p = problem_of(9, 17, AT_MAX_D); /* tiles of 8 */
    expect_right("cuda-flash", &p, 1, 1, 0);
}

Test(cuda_kernels, softmax_between_two_products)
{
    static const uint32_t n[] = {1, 255, 256, 257, 600};
    for (int i = 0; i < 5; i++) {
        struct at_problem p = problem_of(5, n[i], 16);
        p.causal = i % 2;
        p.q = at_positions_from(n[i] / 2, 5);
        p.type = i < 3 ? AT_F32 : AT_BF16;
        expect_right("cuda-naive", &p, n[i], 1, 0);
    }
}

Test(cuda_kernels, grouped_heads_batches_and_strides)
{
    for (int i = 0; i < 3; i++)
        for (uint32_t gap = 0; gap < 4; gap += 3) {
            struct at_problem p = bf16(20, 33, 24, gap > 0);
            p.batch = 2;
            p.heads = 6;
            p.kv_heads = 2;
            expect_right(rungs[i], &p, 7, 1, gap);
        }
}

Test(cuda_kernels, striped_and_zigzag_shards)
{
    static const struct at_positions shard[] = {
        {.run = {{1, 4, 70}, {0, 1, 0}}},    /* striped, rank 1 of 4 */
        {.run = {{3, 4, 70}, {0, 1, 0}}},    /* rank 3 */
        {.run = {{35, 1, 35}, {210, 1, 35}}} /* zigzag, rank 1 of 4 */
    };
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            struct at_problem p = bf16(70, 70, 64, true);
            p.q = shard[i];
            p.k = shard[j];
            expect_right("cuda-tensor", &p, 1, 1, 0);
            expect_right("cuda-flash", &p, 1, 1, 0);
        }
}

Test(cuda_kernels, rows_that_see_nothing)
{
    for (int i = 0; i < 3; i++) {
        struct at_problem p = bf16(40, 50, 16, true);
        p.k = at_positions_from(25, 50); /* the first 25 queries see none */
        expect_right(rungs[i], &p, 1, 1, 0);
        p.k = at_positions_from(1000, 50); /* none sees any */
        expect_right(rungs[i], &p, 2, 1, 0);
        p = bf16(40, 0, 16, false);
        expect_right(rungs[i], &p, 3, 1, 0);
    }
}

/* Scores far apart, so that tops move in some tiles and not in others: rescaling, and leaving it be. */
Test(cuda_kernels, tops_that_move)
{
    struct at_problem p = bf16(130, 400, 64, false);
    struct world w;
    world_make(&w, &p, 3, 1, 0);
    for (uint32_t j = 0; j < 400; j++)
        for (uint32_t c = 0; c < 64; c++)
            world_set(&w, 1, 0, 0, j, c, (float)(j / 64 % 4) * (c % 2 ? 1.0f : -0.5f) * (j % 64 == 5));
    world_solve(&w);
    run(&w, "cuda-tensor", 1);
    struct off off = world_off(&w, "tensor");
    cr_assert(off.out <= BF16 && off.lse <= FINE, "actual: output %g, lse %g", off.out, off.lse);
    world_end(&w);
    for (int i = 0; i < 2; i++) {
        p = bf16(33, 200, 64, i);
        p.scale = 2;
        struct world x;
        world_make(&x, &p, 4, 8, 0);
        run(&x, "cuda-tensor", 1);
        off = world_off(&x, "tensor");
        cr_assert(off.out <= BF16 * 1.1 && off.lse <= 1e-5, "actual: output %g, lse %g", off.out, off.lse);
        world_end(&x);
    }
}

Test(cuda_kernels, any_scale)
{
    static const float scale[] = {-0.3f, 0, 1e-38f, -1e-40f, 3};
    for (int i = 0; i < 5; i++)
        for (int n = 0; n < 3; n++) {
            struct at_problem p = bf16(20, 70, 16, i % 2);
            p.scale = scale[i];
            expect_right(rungs[n], &p, (uint64_t)i, 1, 0);
            p.type = AT_F32;
            if (!(rung(rungs[n])->can & AT_ONLY_BF16))
                expect_right(rungs[n], &p, (uint64_t)i, 1, 0);
        }
}

/* On the device alone: dense rows as they are, pieces of the keys one after the other into the same result. */
static void in_pieces(struct world *w, enum gpu_rung which, const uint32_t *cut, int pieces)
{
    uint32_t seen[128], d = w->p.d;
    struct gpu_work work = {.q = w->q.data, .out = w->result.out.data, .lse = w->result.lse, .seen = seen, .d = d};
    work.pairs = work.group = 1;
    work.n_q = w->p.n_q;
    work.scale = w->p.scale;
    work.bf16 = true;
    for (int i = 0; i < pieces; i++) {
        work.k = (const uint16_t *)w->k.data + cut[i] * d;
        work.v = (const uint16_t *)w->v.data + cut[i] * d;
        work.n_k = cut[i + 1] - cut[i];
        work.merge = i > 0;
        for (uint32_t row = 0; row < work.n_q; row++) {
            uint32_t all = w->p.causal ? 41 + row : w->p.n_k; /* of all keys; and of this piece's */
            seen[row] = all <= cut[i] ? 0 : all - cut[i] < work.n_k ? all - cut[i] : work.n_k;
        }
        cr_assert_eq(device_run(which, &work, NULL), 0);
        cr_assert_eq(device_sync(), 0);
    }
    cr_assert_null(emulated_counts.fault, "%s", emulated_counts.fault);
}

Test(cuda_kernels, merging_pieces_into_what_stands_there_is_the_whole)
{
    static const uint32_t cut[] = {0, 50, 50, 64, 170}, nothing[] = {0, 170, 170};
    for (int which = GPU_FLASH; which <= GPU_TENSOR; which++)
        for (int causal = 0; causal < 2; causal++) {
            struct at_problem p = bf16(70, 170, 64, causal);
            p.q = at_positions_from(40, 70);
            struct world w;
            world_make(&w, &p, 6, 2, 0);
            run(&w, rungs[which], 1);
            size_t bytes = (w.result_floats + w.lse_floats) * sizeof(float);
            float *whole = malloc(bytes);
            memcpy(whole, w.memory[3], bytes);
            in_pieces(&w, (enum gpu_rung)which, nothing, 2);
            cr_assert_eq(memcmp(whole, w.memory[3], bytes), 0, "expected: no bit changes when nothing is merged");
            in_pieces(&w, (enum gpu_rung)which, cut, 4);
            struct off off = world_off(&w, rungs[which]);
            cr_assert(off.out <= bound(rungs[which], &p) && off.lse <= FINE, "actual: output %g, lse %g", off.out,
                      off.lse);
            free(whole);
            world_end(&w);
        }
}

Test(cuda_kernels, the_order_of_warps_changes_no_bit)
{
    struct at_problem p = bf16(100, 150, 64, true);
    struct world w;
    world_make(&w, &p, 1, 1, 0);
    size_t bytes = (w.result_floats + w.lse_floats) * sizeof(float);
    float *first = malloc(bytes);
    for (emulated_seed = 1; emulated_seed < 4; emulated_seed++) {
        run(&w, "cuda-tensor", 1);
        if (emulated_seed == 1)
            memcpy(first, w.memory[3], bytes);
        cr_assert_eq(memcmp(first, w.memory[3], bytes), 0, "expected: the same bits with seed %lu", emulated_seed);
    }
    free(first);
    world_end(&w);
}

/* A product is 16 x 8 x 16 multiplications: nothing is computed twice, hidden blocks of keys not at all, and the
 * matrices of no load lie in one another's banks. */
Test(cuda_kernels, work_and_banks_are_as_planned)
{
    for (uint32_t d = 64; d <= 128; d += 64)
        for (int causal = 0; causal < 2; causal++) {
            struct at_problem p = bf16(256, 256, d, causal);
            struct world w;
            world_make(&w, &p, 1, 1, 0);
            run(&w, "cuda-tensor", 1);
            uint64_t blocks = causal ? 2 + 4 : 2 * 4, each = 2 * 128 * 64 * d / (16 * 8 * 16);
            cr_assert_eq(emulated_counts.products, blocks * each, "expected: %lu; actual: %lu", blocks * each,
                         emulated_counts.products);
            cr_assert_eq(emulated_counts.barriers, 2 * blocks);
            cr_assert_eq(emulated_counts.conflicts, 0);
            cr_assert_gt(emulated_counts.matrices, 0);
            world_end(&w);
        }
}

Test(cuda_kernels, parts_make_no_difference)
{
    struct at_problem p = bf16(30, 40, 16, true);
    p.heads = 3;
    p.kv_heads = 3;
    for (int i = 0; i < 3; i++) {
        struct world w;
        world_make(&w, &p, 1, 1, 0);
        size_t bytes = (w.result_floats + w.lse_floats) * sizeof(float);
        float *first = malloc(bytes);
        run(&w, rungs[i], 1);
        memcpy(first, w.memory[3], bytes);
        for (uint32_t parts = 2; parts < 6; parts += 3) {
            run(&w, rungs[i], parts);
            cr_assert_eq(memcmp(first, w.memory[3], bytes), 0, "%s: expected: the same bits in %u parts", rungs[i],
                         parts);
        }
        free(first);
        world_end(&w);
    }
}

Test(cuda_kernels, many_rows_go_through_the_stage)
{
    struct at_problem p = problem_of(1500, 40, 64); /* 375 KiB of queries */
    expect_right("cuda-flash", &p, 1, 1, 1);
}

/* ---- the emulation itself: does it notice? ----------------------------------------------------------------------- */

static const uint16_t ones[8] = {0x3f80, 0x3f80, 0x3f80, 0x3f80, 0x3f80, 0x3f80, 0x3f80, 0x3f80};
static uint32_t seen[64];

static void reads_too_early(void *wait)
{
    uint32_t t = thread_id(), r[4];
    copy_16(t * 16, ones, 0, true);
    if (*(bool *)wait)
        copies_wait();
    block_wait();
    load_matrices(r, t % 32 * 16);
    seen[t] = r[0];
    copies_wait();
}

static void columns(void *distance)
{
    uint32_t r[4];
    load_matrices(r, thread_id() % 8 * *(uint32_t *)distance);
}

static void parts(void *unused)
{
    (void)unused;
    if (thread_id() % 32 < 16)
        warp_wait();
    else
        block_wait();
}

static void leaves(void *unused)
{
    (void)unused;
    if (thread_id() < 32)
        block_wait();
}

static void beyond(void *at)
{
    copy_16(*(uint32_t *)at, ones, 0, true);
    copies_wait();
}

Test(cuda_kernels, the_emulation_notices)
{
    struct emulated counts = {0};
    bool wait = true;
    emulate(64, 1024, 1, reads_too_early, &wait, &counts);
    cr_assert(!counts.fault && seen[0] == 0x3f803f80 && seen[63] == 0x3f803f80);
    wait = false;
    emulate(64, 1024, 1, reads_too_early, &wait, &counts);
    cr_assert(seen[0] == 0xffffffff && seen[63] == 0xffffffff, "expected: NaN, since nobody had waited");
    uint32_t apart = 16, at = 0;
    emulate(32, 2048, 1, columns, &apart, &counts);
    cr_assert_eq(counts.conflicts, 0);
    apart = 128;
    emulate(32, 2048, 1, columns, &apart, &counts);
    cr_assert_eq(counts.conflicts, 4 * 7, "expected: all rows in one bank");
    emulate(32, 16, 1, beyond, &at, &counts);
    cr_assert_null(counts.fault);
    static void (*const bad[])(void *) = {parts, leaves, beyond, beyond};
    for (int i = 0; i < 4; i++) {
        at = i == 2 ? 16 : 8;
        counts.fault = NULL;
        emulate(64, 16, 1, bad[i], &at, &counts);
        cr_assert_not_null(counts.fault, "%d: expected: a fault", i);
    }
}
