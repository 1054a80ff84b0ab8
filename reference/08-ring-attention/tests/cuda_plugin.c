/* cuda_plugin.c: the real cuda.so: that a machine without a GPU loads it and is told why it is of no use there, and, where
 * there is one, that its entries and its ring are right. (The other cuda_*.c need neither nvcc nor a GPU.) */
#include "cuda/gpu.h"
#include "host/host.h"
#include "oracle.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

TestSuite(cuda_plugin, .timeout = 300);

#define FINE 1e-6
#define BF16 (0x1p-8 + 1e-5)

static const struct plugin *plugin;
static const struct at_gpu *gpu;

/* Is there a plugin? Says once why not. */
static bool load(void)
{
    const char *build = getenv("FAULTLINE_BUILD");
    char path[4096];
    snprintf(path, sizeof path, "%s/labs/08-ring-attention/cuda.so", build ? build : "build");
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "   left out: cuda.so is not built here (make cuda does it, with nvcc of the CUDA toolkit)\n");
        return false;
    }
    fclose(file);
    struct error err = {""};
    plugin = host_load_trusted(path, &err);
    cr_assert_not_null(plugin, "%s", err.text);
    gpu = dlsym(dlopen(path, RTLD_NOW | RTLD_LOCAL), AT_GPU_SYMBOL);
    cr_assert(gpu && strcmp(plugin->lab, "08") == 0);
    return true;
}

static bool device(void)
{
    if (!load())
        return false;
    if (gpu->missing())
        fprintf(stderr, "   left out: %s\n", gpu->missing());
    return !gpu->missing();
}

static const struct at_ops *entry(const char *name)
{
    const struct at_ops *ops = plugin_find(plugin, name);
    cr_assert_not_null(ops, "there is no entry %s", name);
    return ops;
}

Test(cuda_plugin, it_loads_anywhere_and_says_what_is_missing)
{
    static const char *const names[] = {"cuda-naive", "cuda-flash", "cuda-tensor"};
    struct at_problem p = problem_of(4, 4, 4), bad = p;
    bad.kv_heads = 2;
    cr_assert(true);
    if (!load())
        return;
    cr_assert_eq(plugin->last - plugin->first, 3);
    for (int i = 0; i < 3; i++) {
        size_t bytes = 77;
        const struct at_ops *ops = entry(names[i]);
        cr_assert_eq(ops->here(), gpu->missing() == NULL);
        cr_assert_eq(ops->workspace(&bad, 1, &bytes), -EINVAL);
        cr_assert_eq(bytes, 77);
        if (!ops->here()) {
            double seconds;
            cr_assert_eq(ops->workspace(&p, 1, &bytes), -ENOTSUP);
            cr_assert_gt(strlen(gpu->missing()), 10, "expected: a sentence");
            cr_assert_eq(gpu->gemm(64, AT_F32, 1, &seconds), -ENOTSUP);
        }
    }
}

/* What cuDNN says of a device that isn't here. Its description is as cuDNN 9.19 writes it; another release may want
 * another one. Without a driver it comes as far as loading what it has compiled, or as wanting to compile. */
#define H100                                                                                                           \
    "{\"maxGridSize\":[2147483647,65535,65535],\"maxBlockSize\":[1024,1024,64],\"cudaDeviceId\":0,\"deviceVer\":900,"  \
    "\"driverVer\":13000,\"isTccDriver\":0,\"l2CacheSize\":52428800,\"maxCtasPerSM\":32,\"maxRegistersPerSM\":65536,"  \
    "\"maxSharedMemoryPerBlock\":49152,\"maxSharedMemoryPerBlockOptin\":232448,\"maxThreadsPerBlock\":1024,"           \
    "\"maxThreadsPerSM\":2048,\"memClockRateKHz\":2619000,\"multiProcessorCount\":132,\"pciDeviceId\":9008,"           \
    "\"regsPerBlock\":65536,\"reservedSharedMemoryPerBlock\":1024,\"smClockRateKHz\":1980000,"                         \
    "\"supportCoopLaunch\":1,\"totalGlobalMem\":85000000000,\"warpSize\":32,\"deviceName\":\"NVIDIA H100\"}"

static bool told(const char *what)
{
    return strstr(gpu->complaint(), what) != NULL;
}

Test(cuda_plugin, cudnn_has_a_plan_for_a_gpu_that_is_not_here)
{
    struct at_problem p = problem_of(16384, 16384, 128);
    cr_assert(true);
    if (!load())
        return;
    p.type = AT_BF16;
    int code = gpu->cudnn_plans(&p, H100);
    if (code && (told("is not there") || told("built without") || told("the device's description"))) {
        fprintf(stderr, "   left out: a plan of cuDNN: %s\n", gpu->complaint());
        return;
    }
    const bool no_driver = told("libcuda") || told("PREREQUISITE_MISSING") || told("cuLibraryLoadData");
    cr_assert(code == 0 || no_driver, "%d: %s", code, gpu->complaint());
    p.kv_heads = 3; /* of one head: no problem at all */
    cr_assert_eq(gpu->cudnn_plans(&p, H100), -EINVAL);
    p.kv_heads = 1;
    p.type = AT_F32;
    cr_assert_eq(gpu->cudnn_plans(&p, H100), -ENOTSUP);
}

/* ---- where there is a GPU ------------------------------------------------------------------------------------------ */

static void expect_right(const char *name, const struct at_problem *p, uint64_t seed, uint32_t gap)
{
    struct world w;
    double most = p->type == AT_BF16 && strcmp(name, "cuda-flash") != 0 ? BF16 : FINE;
    world_make(&w, p, seed, 1, gap);
    for (uint32_t parts = 1; parts <= 3; parts += 2) {
        world_run(&w, entry(name), parts);
        struct off off = world_off(&w, name);
        cr_assert(off.out <= most && off.lse <= FINE,
                  "%s, %u x %u, d %u, %s: expected: within %g, lse %g; actual: output %g, lse %g", name, p->n_q, p->n_k,
                  p->d, p->causal ? "causal" : "all", most, FINE, off.out, off.lse);
    }
    world_end(&w);
}

Test(cuda_plugin, lengths_and_widths)
{
    static const uint32_t n[] = {1, 7, 63, 64, 65, 129, 500}, d[] = {1, 7, 40, 64, 100, 128};
    cr_assert(true);
    if (!device())
        return;
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++)
            for (int type = AT_F32; type <= AT_BF16; type++) {
                struct at_problem p = problem_of(n[i], n[j], d[(i + j) % 6]);
                p.causal = (i + j) % 2;
                p.type = (enum at_type)type;
                expect_right("cuda-naive", &p, (uint64_t)i, 0);
                expect_right("cuda-flash", &p, (uint64_t)i, 0);
                if (type == AT_BF16)
                    expect_right("cuda-tensor", &p, (uint64_t)i, 0);
            }
}

Test(cuda_plugin, heads_strides_shards_and_rows_that_see_nothing)
{
    static const char *const names[] = {"cuda-naive", "cuda-flash", "cuda-tensor"};
    cr_assert(true);
    for (int i = 0; i < 3 && device(); i++) {
        struct at_problem p = problem_of(70, 90, 48);
        p.type = AT_BF16;
        p.batch = 2;
        p.heads = 6;
        p.kv_heads = 2;
        expect_right(names[i], &p, 1, 5);
        p.causal = true;
        p.k = at_positions_from(30, 90);
        expect_right(names[i], &p, 2, 3);
        p.q = (struct at_positions){{{3, 4, 70}, {0, 1, 0}}};
        p.k = (struct at_positions){{{20, 1, 45}, {100, 1, 45}}};
        expect_right(names[i], &p, 3, 0);
        p.n_k = 0;
        p.k = at_positions_from(0, 0);
        expect_right(names[i], &p, 4, 0);
        p = problem_of(50, 200, 64);
        p.type = AT_BF16;
        p.scale = -2;
        expect_right(names[i], &p, 5, 0);
    }
}

Test(cuda_plugin, cudnn_computes_the_same)
{
    struct at_problem p = problem_of(500, 700, 128);
    struct world w;
    struct held *held = NULL;
    double seconds;
    cr_assert(true);
    if (!device())
        return;
    p.type = AT_BF16;
    p.heads = 4;
    p.kv_heads = 2;
    world_make(&w, &p, 1, 1, 0);
    world_run(&w, entry("cuda-tensor"), 1); /* writes the guards */
    int code = gpu->upload("cudnn", &p, &w.q, &w.k, &w.v, &held);
    if (code == -ENOTSUP) {
        fprintf(stderr, "   left out: %s\n", gpu->complaint());
    } else {
        cr_assert_eq(code, 0, "%d: %s", code, gpu->complaint());
        cr_assert_eq(gpu->forward(held, 2, &seconds), 0, "%s", gpu->complaint());
        cr_assert_eq(gpu->download(held, &w.result), 0, "%s", gpu->complaint());
        gpu->end(held);
        struct off off = world_off(&w, "cudnn");
        cr_assert(off.out <= 2 * BF16 && off.lse <= 1e-4, "off by %g, %g", off.out, off.lse);
    }
    world_end(&w);
}

static void expect_ring(const struct at_ring *ring, const char *name, uint32_t devices, double most)
{
    struct at_problem p = problem_of((uint32_t)ring->total, (uint32_t)ring->total, ring->d);
    struct world w;
    struct at_gpu_ring *r = NULL;
    double seconds;
    p.batch = ring->batch;
    p.heads = ring->heads;
    p.kv_heads = ring->kv_heads;
    p.scale = ring->scale;
    p.type = ring->type;
    p.causal = ring->causal;
    world_make(&w, &p, 1, 1, 0);
    world_run(&w, entry(name), 1); /* writes the guards */
    int code = gpu->ring_upload(name, ring, &w.q, &w.k, &w.v, devices, &r);
    if (devices > 1 && (code == -ENODEV || code == -ENOTSUP)) {
        fprintf(stderr, "   left out: the ring over %u GPUs: %s\n", devices, gpu->complaint());
        world_end(&w);
        return;
    }
    cr_assert_eq(code, 0, "%d: %s", code, gpu->complaint());
    code = gpu->ring_forward(r, 3, &seconds);
    cr_assert_eq(code, 0, "%d: %s", code, gpu->complaint());
    cr_assert_eq(gpu->ring_download(r, &w.result), 0);
    gpu->ring_end(r);
    struct off off = world_off(&w, name);
    cr_assert(off.out <= most && off.lse <= FINE, "%s, %u ranks: off by %g, %g", name, ring->ranks, off.out, off.lse);
    world_end(&w);
}

Test(cuda_plugin, the_ring_is_the_whole)
{
    cr_assert(true);
    for (uint32_t ranks = 1; ranks <= 8 && device(); ranks *= 2)
        for (int layout = 0; layout < 3; layout++)
            for (int causal = 0; causal < 2; causal++) {
                struct at_ring ring = {.total = 531,
                                       .ranks = ranks,
                                       .layout = (enum at_layout)layout,
                                       .causal = causal,
                                       .batch = 1,
                                       .heads = 4,
                                       .kv_heads = 2,
                                       .d = 64,
                                       .scale = 0.125f};
                expect_ring(&ring, "cuda-flash", 1, FINE);
                ring.type = AT_BF16;
                expect_ring(&ring, "cuda-tensor", 1, BF16);
                if (ranks > 1)
                    expect_ring(&ring, "cuda-tensor", ranks, BF16);
            }
}
