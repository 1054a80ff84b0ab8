/* cuda_contract.c: what the CUDA entries refuse, ask for and give back; tiles against what the devices have. */
#include "cuda_device.h"
#include "oracle.h"

TestSuite(cuda_contract, .timeout = 60);

static const char *const rungs[] = {"cuda-naive", "cuda-flash", "cuda-tensor"};

static const struct at_ops *rung(int i)
{
    for (const struct plugin_entry *const *e = first_entry; e != end_entry; e++)
        if (strcmp((*e)->name, rungs[i]) == 0)
            return entry_ops(e);
    cr_assert(false, "there is no entry %s", rungs[i]);
    return NULL;
}

Test(cuda_contract, without_a_gpu_they_are_there_and_refuse)
{
    struct at_problem p = problem_of(4, 4, 4), bad = p;
    float x[16] = {0}, lse[4];
    struct at_in in = {x, 0, 0, 4};
    struct at_result result = {{x, 0, 0, 4}, lse};
    bad.d = 0;
    for (int i = 0; i < 3; i++) {
        size_t bytes = 77;
        cr_assert(!rung(i)->here());
        cr_assert_eq(rung(i)->workspace(&p, 1, &bytes), -ENOTSUP);
        cr_assert_eq(rung(i)->workspace(&bad, 1, &bytes), -EINVAL);
        cr_assert_eq(bytes, 77);
        cr_assert_eq(rung(i)->forward(&p, &in, &in, &in, &result, 0, 1, NULL), -ENOTSUP);
    }
}

Test(cuda_contract, what_a_rung_has_no_kernel_for_is_refused)
{
    struct at_problem p = problem_of(4, 4, 128);
    size_t bytes = 77;
    emulated_on = true;
    for (int i = 0; i < 3; i++)
        cr_assert_eq(rung(i)->workspace(&p, 1, &bytes), i == 2 ? -ENOTSUP : 0, "float32, %s", rungs[i]);
    p.type = AT_BF16;
    for (int i = 0; i < 3; i++)
        cr_assert_eq(rung(i)->workspace(&p, 1, &bytes), 0, "%s", rungs[i]);
    p.d = 129;
    for (int i = 0; i < 3; i++)
        cr_assert_eq(rung(i)->workspace(&p, 1, &bytes), i == 2 ? -ENOTSUP : 0, "d 129, %s", rungs[i]);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(rung(i)->workspace(&p, 0, &bytes), -EINVAL);
}

Test(cuda_contract, memory_is_quadratic_or_constant)
{
    struct at_problem small = problem_of(4096, 4096, 64), large = problem_of(1u << 20, 1u << 20, 64),
                      huge = problem_of(UINT32_MAX, UINT32_MAX, 64);
    small.type = large.type = huge.type = AT_BF16;
    emulated_on = true;
    for (int i = 0; i < 3; i++) {
        size_t a = 0, b = 0;
        cr_assert_eq(rung(i)->workspace(&small, 1, &a), 0);
        cr_assert_eq(rung(i)->workspace(&large, 1, &b), 0);
        if (rung(i)->can & AT_CONSTANT)
            cr_assert(b == a && b < (1u << 20));
        else
            cr_assert_geq(b, (size_t)4 << 40);
        cr_assert_eq(rung(i)->workspace(&huge, 1, &b), i == 0 ? -EOVERFLOW : 0);
    }
}

/* Whichever allocation fails: -ENOMEM, nothing written, nothing forgotten. */
Test(cuda_contract, too_little_device_memory_changes_nothing)
{
    struct at_problem p = problem_of(9, 9, 8);
    p.type = AT_BF16;
    emulated_on = true;
    for (int i = 0; i < 3; i++)
        for (uint32_t n = 1; n <= (i == 0 ? 7u : 6u); n++) {
            struct world w;
            size_t bytes = 0;
            world_make(&w, &p, 1, 1, 0);
            memset(w.memory[3], 0x55, (w.result_floats + w.lse_floats) * sizeof(float));
            cr_assert_eq(rung(i)->workspace(&p, 1, &bytes), 0);
            void *room = aligned_alloc(AT_ALIGN, bytes / AT_ALIGN * AT_ALIGN + AT_ALIGN);
            emulated_fails = n;
            cr_assert_eq(rung(i)->forward(&p, &w.q, &w.k, &w.v, &w.result, 0, 1, room), -ENOMEM, "%s, allocation %u",
                         rungs[i], n);
            cr_assert_eq(emulated_bytes, 0);
            for (size_t x = 0; x < (w.result_floats + w.lse_floats) * sizeof(float); x++)
                if (((unsigned char *)w.memory[3])[x] != 0x55)
                    cr_assert(false, "expected: nothing written");
            emulated_fails = 0;
            free(room);
            world_end(&w);
        }
}

/* Compute capability 8.0: 163 KiB a block, 164 a multiprocessor, 2,048 threads; 9.0 has more of everything. A block
 * takes 1 KiB more than it asks for. */
Test(cuda_contract, tiles_fit_the_devices)
{
    for (uint32_t d = 1; d <= AT_MAX_D; d++) {
        struct gpu_tiles t = gpu_tiles(GPU_FLASH, 1000, d);
        cr_assert(t.shared <= SHARED_LIMIT && t.rows >= 8 && t.threads % 32 == 0, "d %u: %zu bytes, %u rows", d,
                  t.shared, t.rows);
        cr_assert_eq(t.tiles, (1000 + t.rows - 1) / t.rows);
        cr_assert_eq(t.rows == 32, d <= 317, "d %u", d);
    }
    for (uint32_t d = 64; d <= 128; d += 64) {
        struct gpu_tiles t = gpu_tiles(GPU_TENSOR, 129, d);
        cr_assert(2 * (t.shared + 1024) <= 164 * 1024, "expected: two blocks on a multiprocessor");
        cr_assert_eq(t.tiles, 2);
    }
    cr_assert_eq(gpu_tiles(GPU_TENSOR, 0, 64).tiles, 0);
    cr_assert_eq(gpu_tiles(GPU_TENSOR, UINT32_MAX, 64).tiles, 1u << 25);
}

Test(cuda_contract, every_tile_of_every_pair_has_one_block)
{
    bool met[5 * 7] = {false};
    for (uint32_t block = 0; block < 5 * 7; block++) {
        uint32_t tile = gpu_tile_of(block, 7), pair = block / 7;
        cr_assert(tile < 7 && !met[pair * 7 + tile]);
        met[pair * 7 + tile] = true;
    }
    cr_assert_eq(gpu_tile_of(0, 7), 6, "expected: the longest first");
}
