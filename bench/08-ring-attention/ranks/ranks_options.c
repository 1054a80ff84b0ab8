/* ranks_options.c: what `ranks` was asked for. */
#include "ranks_options.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "host/host.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "ranks: ring attention over MPI processes, on one machine or on many\n"
    "\n"
    "    mpirun -np 2 build/labs/08-ring-attention/ranks --tokens 16384 --causal --layout zigzag\n"
    "\n"
    "Each process makes its own shard of the sequence from the seed, and never sees the whole. What a row should be "
    "is\n"
    "computed in float64 by making all keys again, a few at a time.\n"
    "\n"
    "Over several machines: the same build at the same path on each, or on a file system that they share, Open MPI of\n"
    "the same release, and ssh without a password:\n"
    "\n"
    "    mpirun --host one:1,two:1 -np 2 --mca btl_tcp_if_include 10.0.0.0/8 .../ranks --tokens 1M --type bf16\n"
    "\n"
    "One rank a machine or one a socket; memory and bytes of a rank don't depend on how many there are. Exit code: 0;\n"
    "1, a checked row is wrong; 2, wrong use; 3, it could not be run.";

int ranks_parse(int argc, char **argv, struct ranks_options *o, struct error *err)
{
    static const char *const types[] = {[AT_F32] = "f32", [AT_BF16] = "bf16", NULL};
    static const char *const layouts[] = {
        [AT_CONTIGUOUS] = "contiguous", [AT_STRIPED] = "striped", [AT_ZIGZAG] = "zigzag", NULL};
    struct at_ring *ring = &o->job.ring;
    int layout = AT_CONTIGUOUS, type = AT_F32, partial = AT_F32;
    bool laid_out = false;
    *o = (struct ranks_options){.entry = "ring", .blocks = "auto", .check = 64, .repeats = 1};
    o->job = (struct job){.seed = 1, .parts = 8};
    *ring = (struct at_ring){.total = 16384, .batch = 1, .heads = 1, .d = 64};
    const struct option_row rows[] = {
        {.name = "tokens",
         .argument = "N",
         .kind = OPTION_NUMBER,
         .to = &ring->total,
         .least = 1,
         .most = UINT64_C(1) << 40,
         .help = "length of the whole sequence, 16384; 1M is 2^20"},
        {.name = "d",
         .argument = "N",
         .kind = OPTION_NUMBER32,
         .to = &ring->d,
         .least = 1,
         .most = AT_MAX_D,
         .help = "width of a head, 64"},
        {.name = "heads",
         .argument = "N",
         .kind = OPTION_NUMBER32,
         .to = &ring->heads,
         .least = 1,
         .most = 4096,
         .help = "1"},
        {.name = "kv-heads",
         .argument = "N",
         .kind = OPTION_NUMBER32,
         .to = &ring->kv_heads,
         .least = 1,
         .most = 4096,
         .help = "as many as heads"},
        {.name = "batch",
         .argument = "N",
         .kind = OPTION_NUMBER32,
         .to = &ring->batch,
         .least = 1,
         .most = 4096,
         .help = "1"},
        {.name = "layout",
         .argument = "L",
         .kind = OPTION_WORD,
         .to = &layout,
         .words = layouts,
         .given = &laid_out,
         .help = "contiguous, striped or zigzag: who holds which positions"},
        {.name = "causal",
         .kind = OPTION_FLAG,
         .to = &ring->causal,
         .help = "a token sees itself and those before it; zigzag then, if no layout is said"},
        {.name = "type",
         .argument = "T",
         .kind = OPTION_WORD,
         .to = &type,
         .words = types,
         .help = "f32 or bf16: q, k and v, and so what is sent"},
        {.name = "partial",
         .argument = "T",
         .kind = OPTION_WORD,
         .to = &partial,
         .words = types,
         .help = "f32 or bf16: what results are rounded to before they are merged"},
        {.name = "entry",
         .argument = "NAME",
         .kind = OPTION_TEXT,
         .to = &o->entry,
         .help = "ring, ring-blocking, ring-in-turns or ring-gather"},
        {.name = "blocks",
         .argument = "NAME",
         .kind = OPTION_TEXT,
         .to = &o->blocks,
         .help = "what a rank computes with (faultline bench 08 has their names); auto: the fastest here"},
        {.name = "check",
         .argument = "N",
         .kind = OPTION_NUMBER32,
         .to = &o->check,
         .most = 4096,
         .help = "rows that are checked, 64; 0: none"},
        {.name = "repeats",
         .argument = "N",
         .kind = OPTION_NUMBER32,
         .to = &o->repeats,
         .least = 1,
         .most = 10000,
         .help = "runs it N times and tells the best, 1"},
        {.name = "parts",
         .argument = "N",
         .kind = OPTION_NUMBER32,
         .to = &o->job.parts,
         .least = 1,
         .most = 4096,
         .help = "a block is computed in so many parts, with a look at the network after each, 8"},
        {.name = "threads",
         .kind = OPTION_FLAG,
         .to = &o->threads,
         .help = "also runs it over threads, in the first process, turn by turn (--bind-to none)"},
        {.name = "times",
         .kind = OPTION_FLAG,
         .to = &o->times,
         .help = "also tells each repetition, for programs: times MPI 0 1234567, in ns"},
        {.name = "seed", .argument = "N", .kind = OPTION_NUMBER, .to = &o->job.seed, .help = "1"},
        {.name = "quiet", .kind = OPTION_FLAG, .to = &o->quiet, .help = "no progress"}};
    struct option_table table = {
        .program = "ranks", .see = "ranks --help", .usage = about, .row = rows, .rows = COUNT(rows)};
    int code = options_read(&table, argc, argv, err);
    if (code > 0)
        options_print(&table);
    if (code)
        return code;
    ring->type = (enum at_type)type;
    ring->partial = (enum at_type)partial;
    ring->kv_heads = ring->kv_heads ? ring->kv_heads : ring->heads;
    if (ring->heads % ring->kv_heads)
        return error_set(err, -EINVAL, "--kv-heads %u does not divide --heads %u", ring->kv_heads, ring->heads);
    ring->layout = ring->causal && !laid_out ? AT_ZIGZAG : (enum at_layout)layout;
    ring->scale = (float)(1 / sqrt(ring->d));
    return 0;
}

/* ---- entries ---- */

static bool takes(const struct at_ops *ops, enum at_type type)
{
    return ops && ops->forward && (!ops->here || ops->here()) &&
           (type == AT_F32 ? !(ops->can & AT_ONLY_BF16) : (ops->can & AT_TAKES_BF16) != 0);
}

static int choose_blocks(struct ranks_options *o, const struct plugin *plugin, struct error *err)
{
    static const char *const best_first[] = {"blockwise-amx", "blockwise-avx512", "blockwise-avx2", "blockwise-neon",
                                             "blockwise"};
    bool any = strcmp(o->blocks, "auto") == 0;
    for (size_t i = 0; i < COUNT(best_first) && any; i++)
        if (takes(plugin_find(plugin, best_first[i]), o->job.ring.type)) {
            o->blocks = best_first[i];
            break;
        }
    o->job.ring.blocks = plugin_find(plugin, o->blocks);
    if (!o->job.ring.blocks)
        return error_set(err, -EINVAL, "--blocks: there is no entry \"%s\"", o->blocks);
    if (!takes(o->job.ring.blocks, o->job.ring.type))
        return error_set(err, -EINVAL, "--blocks %s: it doesn't compute here, or not with --type %s", o->blocks,
                         o->job.ring.type == AT_F32 ? "f32" : "bf16");
    return 0;
}

int ranks_load(struct ranks_options *o, uint32_t ranks, struct error *err)
{
    char self[FILE_PATH], path[FILE_PATH];
    struct at_positions at;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return error_set(err, -EIO, "/proc/self/exe says not where this program is");
    *slash = '\0';
    const struct plugin *plugin = host_load_trusted(file_path(path, "%s/reference.so", self), err);
    if (!plugin)
        return -EIO;
    int code = choose_blocks(o, plugin, err);
    if (code)
        return code;
    o->job.ops = plugin_find(plugin, o->entry);
    if (!o->job.ops || !o->job.ops->ring_forward)
        return error_set(err, -EINVAL, "--entry: \"%s\" is no ring", o->entry);
    o->job.ring.ranks = ranks;
    if (o->job.ops->shard(&o->job.ring, 0, &at) != 0)
        return error_set(err, -EINVAL,
                         "--tokens %llu: %s over %u ranks takes %llu at least, and fewer than 2^32 a rank",
                         (unsigned long long)o->job.ring.total, o->job.ring.layout == AT_ZIGZAG ? "zigzag" : "a ring",
                         ranks, (unsigned long long)ranks * (o->job.ring.layout == AT_ZIGZAG ? 2 : 1));
    return 0;
}

/* Weights or results that are rounded to bfloat16 are off by some thousandths of what they are. */
bool ranks_right(const struct job *job, const struct job_error *error)
{
    bool rounded = job->ring.partial == AT_BF16 || job->ring.blocks->can & AT_ONLY_BF16;
    return error->out <= (rounded ? 2e-2 * error->size + 1e-6 : 1e-6) && error->lse <= (rounded ? 1e-2 : 1e-5);
}
