/* cost: how fast attention is, and what share that is of what this machine can do: forward, backward, rings of threads
 * and of processes, on a GPU. Numbers are uniform in (-1, 1), of one head but for backward; the scale is 1 / sqrt(d). */
#include "cost_parts.h"
#include "runs.h"

#include "base/memory.h"

#define CHUNK_NS        2000000 /* longer than the shortest call */
#define SHORT_CHUNK_NS  100000
#define MIDDLE_CHUNK_NS 60000000  /* one call, or two */
#define LONG_CHUNK_NS   100000000 /* calls that take longer: one at a time */
#define GPU_CHUNK_NS    5000000   /* many calls in a row: starting one takes some us */
#define ROUNDS          12        /* enough for the verdicts on six entries */
#define FEW_ROUNDS      8         /* ... and on two */

static const uint64_t lengths[] = {512, 2048, 0}, middle[] = {2048, 0}, long_ones[] = {4096, 0}, gradient[] = {512, 0},
                      few[] = {8, 16, 32, 64, 128, 0}, longest[] = {16384, 0};
static const unsigned one_thread[] = {1, 0}, both[] = {1, 2, 0}, two[] = {2, 0};
static const char *const shown[] = {"naive",         "rows", "blockwise", "blockwise-avx2", "blockwise-avx512",
                                    "blockwise-amx", NULL};
static const char *const whole[] = {"whole", NULL}, *const layouts[] = {"contiguous", "striped", "zigzag", NULL};
static const char *const ring_alone[] = {"ring", NULL};
static const struct cost_shape head = {COST_D, 1, AT_F32, false, false, false},
                               narrow = {64, 1, AT_F32, false, false, false},
                               causal = {COST_D, 1, AT_F32, true, false, false},
                               bf16 = {COST_D, 1, AT_BF16, false, false, false},
                               bf16_tiles = {COST_D, 1, AT_BF16, false, false, true},
                               bf16_narrow = {64, 1, AT_BF16, false, false, false},
                               bf16_causal = {COST_D, 1, AT_BF16, true, false, false},
                               gradients = {COST_D, 2, AT_F32, false, true, false}; /* a head for each of two threads */
static const enum at_type f32_type = AT_F32, bf16_type = AT_BF16;

/* What all tables have in common; the threads share a call, or each ring has its own. */
static struct cost_operation table(const char *name, const char *what, const uint64_t *sizes, const unsigned *threads,
                                   const struct cost_shape *shape)
{
    return (struct cost_operation){.name = name,
                                   .what = what,
                                   .size_name = "tokens",
                                   .sizes = sizes,
                                   .threads = threads,
                                   .rounds = ROUNDS,
                                   .rate = "GFLOP/s",
                                   .arg = shape,
                                   .work = cost_work};
}

static struct cost_operation calls(const char *name, const char *what, const uint64_t *sizes, const unsigned *threads,
                                   const struct cost_shape *shape)
{
    struct cost_operation o = table(name, what, sizes, threads, shape);
    o.threads_what = "a part each";
    o.chunk_ns = CHUNK_NS;
    o.shared = true;
    o.takes = cost_takes;
    o.create = cost_call_create;
    o.run = cost_call_run;
    o.destroy = at_call_free;
    o.limit = cost_limit_of;
    return o;
}

static struct cost_operation rings(const char *name, const char *what, const struct cost_shape *shape)
{
    struct cost_operation o = table(name, what, longest, two, shape);
    o.threads_what = "a rank each";
    o.chunk_ns = MIDDLE_CHUNK_NS;
    o.own_threads = true;
    o.takes = cost_takes_ring;
    o.beside = whole;
    o.against = "whole";
    o.create = cost_ring_create;
    o.run = cost_ring_run;
    o.destroy = cost_ring_destroy;
    o.limit = cost_ring_limit;
    return o;
}

/* Parts, each told as a share of the first. */
static struct cost_operation parts(struct cost_operation o, const char *const *names)
{
    o.parts = true;
    o.takes = NULL;
    o.beside = NULL;
    o.names = names;
    o.against = names[0];
    return o;
}

static struct cost_operation short_calls(void)
{
    struct cost_operation o = calls(
        "short", "attention of one head of 64 over few tokens, float32: what a call costs before it has much to do",
        few, one_thread, &narrow);
    o.chunk_ns = SHORT_CHUNK_NS;
    o.simulated = true;
    o.count = 1; /* each touches everything */
    return o;
}

static struct cost_operation ring_f32(void)
{
    struct cost_operation o =
        rings("ring",
              "a ring of two ranks, each a thread, over the fastest rung for float32; whole: that rung on as many "
              "threads, with all keys in one place",
              &head);
    o.chunk_ns = LONG_CHUNK_NS;
    o.rounds = FEW_ROUNDS;
    o.names = ring_alone; /* half a second each */
    return o;
}

static struct cost_operation mpi(void)
{
    struct cost_operation o = parts(
        table("mpi", "a ring of two ranks, bfloat16, over threads and over MPI processes, in a program of its own",
              longest, two, &bf16),
        cost_mpi_parts);
    o.threads_what = "a rank each";
    o.own_threads = true;
    o.elsewhere = cost_mpi_elsewhere;
    return o;
}

static struct cost_operation gpu(const char *name, const char *what,
                                 int (*create)(const struct cost_subject *, void **, struct error *),
                                 const char *const *names)
{
    struct cost_operation o = parts(table(name, what, longest, one_thread, &bf16), names);
    o.chunk_ns = GPU_CHUNK_NS;
    o.create = create;
    o.run = cost_gpu_run;
    o.destroy = cost_gpu_destroy;
    o.work = cost_gpu_work;
    return o;
}

static const struct cost_quality qualities[] = {
    {.name = "memory",
     .unit = "bytes a token",
     .what = "what a call has in hand: inputs, outputs and workspace; 512 tokens, head of 128, float32",
     .counted = true,
     .operation = "forward",
     .size = 512,
     .measure = cost_memory},
    {.name = "error",
     .unit = "x RMS",
     .what = "the largest difference from float64 in 16 rows, over the root of the mean square of what is right",
     .counted = true,
     .operation = "forward",
     .size = 512,
     .arg = &f32_type,
     .measure = cost_error},
    {.name = "error-bf16",
     .unit = "x RMS",
     .what = "the same with bfloat16 inputs, which count as exact",
     .counted = true,
     .operation = "forward-bf16",
     .size = 2048,
     .arg = &bf16_type,
     .measure = cost_error},
};

/* What neither computes by itself nor is a ring is no entry for any table here. */
static const char *entry_name(const struct plugin_entry *entry)
{
    const struct at_ops *ops = entry->ops;
    return ops->forward || ops->ring_forward ? entry->name : NULL;
}

int main(int argc, char **argv)
{
    const struct cost_operation operations[] = {
        calls("forward",
              "attention of one head of 128, float32: 4 x 128 floating-point operations for each pair of a query and a "
              "key",
              lengths, both, &head),
        calls("forward-64", "the same with a head of 64: as many exponentials, half as much between them", middle,
              one_thread, &narrow),
        calls("forward-causal",
              "the same as forward where a query sees no key behind its own position; the pairs that are seen count",
              middle, one_thread, &causal),
        calls("forward-bf16",
              "attention of one head of 128, bfloat16 in and float32 out; who has no tiles computes in float32", middle,
              both, &bf16),
        calls("forward-bf16-long", "the same on tiles alone", long_ones, both, &bf16_tiles),
        calls("forward-bf16-64", "the same as forward-bf16 with a head of 64", middle, one_thread, &bf16_narrow),
        calls("forward-bf16-causal", "the same as forward-bf16 where a query sees no key behind its own position",
              middle, one_thread, &bf16_causal),
        short_calls(),
        calls(
            "backward",
            "the gradients of two heads of 128, float32, from the log-sum-exp of forward: 10 x 128 operations a pair, "
            "since the scores are computed again",
            gradient, both, &gradients),
        ring_f32(),
        rings("ring-bf16", "the same as ring over the fastest rung for bfloat16", &bf16),
        parts(rings("ring-causal", "a causal ring of two ranks, bfloat16, by layout: who has to wait for whom",
                    &bf16_causal),
              layouts),
        mpi(),
        gpu("gpu",
            "attention of one head of 128, bfloat16, on a GPU, its numbers there already; cudnn: cuDNN's, cublas: a "
            "product of 8,192 x 8,192 in bfloat16",
            cost_gpu_create, cost_gpu_parts),
        gpu("gpu-ring", "the tensor-core entry in one call, and as a ring of eight ranks that are streams of one card",
            cost_gpu_ring_create, cost_gpu_ring_parts),
    };
    const struct cost_suite suite = {
        .lab_folder = "08-ring-attention",
        .operation = operations,
        .operations = COUNT(operations),
        .entry_name = entry_name,
        .verify = cost_verify,
        .quality = qualities,
        .qualities = COUNT(qualities),
        .shown = shown,
    };
    runs_load();
    return cost_main(argc, argv, &suite);
}
