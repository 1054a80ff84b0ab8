#include "ranks_options.h"

#include "base/file.h"
#include "base/text.h"
#include "host/host.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char ranks_help[] =
    "ranks: ring attention over MPI processes, on one machine or on many\n"
    "\n"
    "    mpirun -np 2 build/labs/08-ring-attention/ranks --tokens 16384 --causal --layout zigzag\n"
    "\n"
    "Each process makes its own shard of the sequence from the seed, and never sees the whole. What a row should be "
    "is\n"
    "computed in float64 by making all keys again, a few at a time.\n"
    "\n"
    "    --tokens N        length of the whole sequence, 16384; 1M is 2^20\n"
    "    --d N             width of a head, 64\n"
    "    --heads N, --kv-heads N, --batch N    1, as many as heads, 1\n"
    "    --layout L        contiguous, striped or zigzag: who holds which positions\n"
    "    --causal          a token sees itself and those before it; zigzag then, if no layout is said\n"
    "    --type T          f32 or bf16: q, k and v, and so what is sent\n"
    "    --partial T       f32 or bf16: what results are rounded to before they are merged\n"
    "    --entry NAME      ring, ring-blocking, ring-in-turns or ring-gather\n"
    "    --blocks NAME     what a rank computes with (faultline bench 08 has their names); auto: the fastest here\n"
    "    --check N         rows that are checked, 64; 0: none\n"
    "    --repeats N       runs it N times and tells the best, 1\n"
    "    --parts N         a block is computed in so many parts, with a look at the network after each, 8\n"
    "    --threads         also runs it over threads, in the first process, turn by turn (--bind-to none)\n"
    "    --times           also tells each repetition, for programs: times MPI 0 1234567, in ns\n"
    "    --seed N          1\n"
    "    --quiet           no progress\n"
    "\n"
    "Over several machines: the same build at the same path on each, or on a file system that they share, Open MPI of\n"
    "the same release, and ssh without a password:\n"
    "\n"
    "    mpirun --host one:1,two:1 -np 2 --mca btl_tcp_if_include 10.0.0.0/8 .../ranks --tokens 1M --type bf16\n"
    "\n"
    "One rank a machine or one a socket; memory and bytes of a rank don't depend on how many there are. Exit code: 0;\n"
    "1, a checked row is wrong; 2, wrong use; 3, it could not be run.\n";

struct option {
    const char *name;
    uint64_t most; /* of a number */
    uint32_t *number;
};

static int tokens_of(const char *text, uint64_t *tokens, struct error *err)
{
    size_t n = text_scaled(text, UINT64_C(1) << 40, tokens);
    if (n == 0 || text[n] || *tokens == 0)
        return error_set(err, -EINVAL, "--tokens takes a number, 4096, 64K or 1M, not \"%s\"", text);
    return 0;
}

static int type_of(const char *name, const char *text, enum at_type *type, struct error *err)
{
    if (strcmp(text, "f32") != 0 && strcmp(text, "bf16") != 0)
        return error_set(err, -EINVAL, "%s takes f32 or bf16, not \"%s\"", name, text);
    *type = strcmp(text, "f32") == 0 ? AT_F32 : AT_BF16;
    return 0;
}

static int layout_of(const char *text, enum at_layout *layout, struct error *err)
{
    static const char *const names[] = {"contiguous", "striped", "zigzag"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *layout = (enum at_layout)i;
            return 0;
        }
    return error_set(err, -EINVAL, "--layout takes contiguous, striped or zigzag, not \"%s\"", text);
}

/* An option that takes a word; 1: it is none of these. */
static int word_option(struct ranks_options *o, const char *name, const char *value, bool *layout, struct error *err)
{
    if (strcmp(name, "--tokens") == 0)
        return tokens_of(value, &o->job.ring.total, err);
    if (strcmp(name, "--layout") == 0) {
        *layout = true;
        return layout_of(value, &o->job.ring.layout, err);
    }
    if (strcmp(name, "--type") == 0)
        return type_of(name, value, &o->job.ring.type, err);
    if (strcmp(name, "--partial") == 0)
        return type_of(name, value, &o->job.ring.partial, err);
    if (strcmp(name, "--entry") == 0)
        o->entry = value;
    else if (strcmp(name, "--blocks") == 0)
        o->blocks = value;
    else if (strcmp(name, "--seed") == 0)
        return text_number(value, &o->job.seed) ? 0
                                                : error_set(err, -EINVAL, "--seed takes a number, not \"%s\"", value);
    else
        return 1;
    return 0;
}

static int number_option(struct ranks_options *o, const char *name, const char *value, struct error *err)
{
    struct at_ring *ring = &o->job.ring;
    const struct option options[] = {{"--d", AT_MAX_D, &ring->d},     {"--heads", 4096, &ring->heads},
                                     {"--batch", 4096, &ring->batch}, {"--kv-heads", 4096, &ring->kv_heads},
                                     {"--check", 4096, &o->check},    {"--repeats", 10000, &o->repeats},
                                     {"--parts", 4096, &o->job.parts}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        uint64_t number, least = strcmp(name, "--check") != 0;
        if (strcmp(name, options[i].name) != 0)
            continue;
        if (!text_number(value, &number) || number < least || number > options[i].most)
            return error_set(err, -EINVAL, "%s takes a number from %llu to %llu, not \"%s\"", name,
                             (unsigned long long)least, (unsigned long long)options[i].most, value);
        *options[i].number = (uint32_t)number;
        return 0;
    }
    return error_set(err, -EINVAL, "\"%s\" is not understood; see --help", name);
}

static int flag(struct ranks_options *o, const char *name)
{
    if (strcmp(name, "--causal") == 0)
        o->job.ring.causal = true;
    else if (strcmp(name, "--quiet") == 0)
        o->quiet = true;
    else if (strcmp(name, "--threads") == 0)
        o->threads = true;
    else if (strcmp(name, "--times") == 0)
        o->times = true;
    else
        return 0;
    return 1;
}

int ranks_parse(int argc, char **argv, struct ranks_options *o, struct error *err)
{
    bool layout = false;
    *o = (struct ranks_options){.entry = "ring", .blocks = "auto", .check = 64, .repeats = 1};
    o->job = (struct job){.seed = 1, .parts = 8};
    o->job.ring = (struct at_ring){.total = 16384, .batch = 1, .heads = 1, .d = 64};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (flag(o, name))
            continue;
        if (strncmp(name, "--", 2) != 0)
            return error_set(err, -EINVAL, "\"%s\" is not understood; see --help", name);
        const char *value = i + 1 < argc ? argv[++i] : "";
        int code = word_option(o, name, value, &layout, err);
        if (code > 0)
            code = number_option(o, name, value, err);
        if (code)
            return code;
    }
    struct at_ring *ring = &o->job.ring;
    ring->kv_heads = ring->kv_heads ? ring->kv_heads : ring->heads;
    if (ring->heads % ring->kv_heads)
        return error_set(err, -EINVAL, "--kv-heads %u does not divide --heads %u", ring->kv_heads, ring->heads);
    if (!layout && ring->causal)
        ring->layout = AT_ZIGZAG;
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
    for (size_t i = 0; i < sizeof best_first / sizeof *best_first && any; i++)
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
