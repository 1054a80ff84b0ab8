/* claims_memory.c: the memory that attention takes: the matrix and its square, blocks, a rank of the ring.
 *
 * Peaks are those of a process of its own: what it was given over what it had before it began. The largest length is
 * found by trying, under a limit that the kernel enforces.
 */
#include "parts.h"
#include "runs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB   ((uint64_t)1 << 20)
#define LIMIT (64 * MIB) /* for everything that is taken after the start */

/* ---- one attention in a process of its own ---- */

/* How much this process may still take. */
static bool limit(uint64_t bytes)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long long pages = 0;
    if (!f)
        return false;
    bool known = fscanf(f, "%llu", &pages) == 1;
    fclose(f);
    uint64_t all = pages * (uint64_t)sysconf(_SC_PAGESIZE) + bytes;
    return known && setrlimit(RLIMIT_AS, &(struct rlimit){all, all}) == 0;
}

static uint64_t peak_now(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (uint64_t)used.ru_maxrss * 1024;
}

/* Every number of q, k, v and the output is there; the first part of `parts` is computed, which takes all the workspace
 * and all keys. Ends the process: 0 when it was done. */
static _Noreturn void child(const char *entry, uint32_t n, uint32_t d, uint32_t parts, uint64_t most, int report)
{
    const struct at_ops *ops = runs_entry(entry);
    struct at_problem p = {.batch = 1, .heads = 1, .kv_heads = 1, .n_q = n, .n_k = n, .d = d, .scale = 1};
    size_t floats = (size_t)n * d, bytes = 0;
    if (most && !limit(most))
        _exit(3);
    uint64_t before = peak_now();
    float *all = malloc((4 * floats + n) * sizeof(float));
    if (!all || ops->workspace(&p, parts, &bytes) != 0)
        _exit(1);
    for (size_t i = 0; i < 4 * floats + n; i++)
        all[i] = (float)(i % 7) / 7;
    void *work = aligned_alloc(AT_ALIGN, (bytes + AT_ALIGN) / AT_ALIGN * AT_ALIGN);
    if (!work)
        _exit(1);
    struct at_in q = {all, 0, 0, d}, k = {all + floats, 0, 0, d}, v = {all + 2 * floats, 0, 0, d};
    struct at_result result = {{all + 3 * floats, 0, 0, d}, all + 4 * floats};
    int code = ops->forward(&p, &q, &k, &v, &result, 0, parts, work);
    uint64_t peak = peak_now() - before;
    _exit(code == 0 && write(report, &peak, sizeof peak) == sizeof peak ? 0 : 1);
}

/* Did it pass? *peak: bytes that it took. -errno when it could not be tried. */
static int tried(const char *entry, uint32_t n, uint32_t d, uint32_t parts, uint64_t most, uint64_t *peak)
{
    int ends[2], status;
    fflush(NULL);
    if (pipe(ends) != 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        child(entry, n, d, parts, most, ends[1]);
    close(ends[1]);
    bool said = pid > 0 && read(ends[0], peak, sizeof *peak) == sizeof *peak;
    close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -ECHILD;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
        return -EPERM;
    return said && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void cannot(struct claim_here *here, int code)
{
    *here = (struct claim_here){.value = NAN};
    snprintf(here->why, sizeof here->why, "no process could be started or limited: %s", strerror(-code));
}

static void tell(struct claim_here *here, double value)
{
    *here = (struct claim_here){.value = value, .low = value, .high = value};
}

/* ---- where it dies ---- */

static double wall_tokens(void)
{
    return sqrt((double)LIMIT / 4);
}

/* The largest length that passes, to a fiftieth; no more than 4 times the predicted one is tried. */
static void longest(const struct claim_run *run, struct claim_here *here)
{
    double low = wall_tokens() / 8, high = 4 * wall_tokens();
    uint64_t peak;
    while (high / low > 1.02) {
        double n = sqrt(low * high);
        int code = tried(run->entry, (uint32_t)n, 8, 1, LIMIT, &peak);
        if (code < 0) {
            cannot(here, code);
            return;
        }
        *(code ? &low : &high) = n;
    }
    tell(here, low);
}

/* x times the length at which the matrix is as large as the limit. */
static double walls(const struct claim_run *run)
{
    return run->x * wall_tokens();
}

/* ---- how it grows ---- */

/* log-log slope of the peak between two lengths 8 times apart. */
static void slope(const char *entry, uint32_t n, uint32_t parts, struct claim_here *here)
{
    uint64_t few = 0, many = 0;
    int code = tried(entry, n, 16, parts, 0, &few);
    if (code > 0)
        code = tried(entry, 8 * n, 16, parts, 0, &many);
    if (code <= 0)
        cannot(here, code < 0 ? code : -ENOMEM);
    else
        tell(here, log((double)many / (double)few) / log(8));
}

/* Naive's matrix is far larger than its rows from 1,024 tokens on. Blockwise computes 1 part of many: its workspace is
 * a part's, whatever it is, and the rest is inputs and output. */
static void peak_slope(const struct claim_run *run, struct claim_here *here)
{
    if (strcmp(run->entry, "naive") == 0)
        slope("naive", 1024, 1, here);
    else
        slope("blockwise", 32768, 1024, here);
}
/* ---- a rank ---- */

static size_t rank_bytes(const char *entry, uint32_t ranks, uint32_t each, enum at_type type, uint32_t d)
{
    const struct at_ops *ops = runs_entry(entry);
    struct at_ring ring = {.total = (uint64_t)ranks * each,
                           .ranks = ranks,
                           .batch = 1,
                           .heads = 1,
                           .kv_heads = 1,
                           .d = d,
                           .scale = 1,
                           .type = type,
                           .blocks = runs_entry("blockwise")};
    struct at_ranked mine = {{NULL, 0, 0, d}, {NULL, 0, 0, d}, {NULL, 0, 0, d}, {{NULL, 0, 0, d}, NULL}, NULL};
    size_t bytes = 0;
    int code = ops->ring_workspace(&ring, &mine, &bytes);
    if (code)
        run_failed("ring_workspace", code);
    return bytes;
}

/* From 2 ranks to 32, 1,024 tokens each: the sequence grows 16-fold. */
static double rank_slope(const struct claim_run *run)
{
    double few = (double)rank_bytes(run->entry, 2, 1024, AT_F32, 64);
    double many = (double)rank_bytes(run->entry, 32, 1024, AT_F32, 64);
    return log(many / few) / log(16);
}

/* ---- the article's own figure ---- */

#define TOKENS 100000000.0
#define HIDDEN 1024.0
#define CARD   141e9

static double cards(const struct claim_run *run)
{
    (void)run;
    /* Two blocks of keys and values and the queries in bfloat16, output and partial result in float32. */
    return ceil(TOKENS * HIDDEN * (5 * 2 + 2 * 4) / CARD);
}

/* The fewest cards on each of which a rank's shard, result and workspace fit. */
static double cards_needed(const struct claim_run *run)
{
    for (uint32_t ranks = 1; ranks < 1000; ranks++) {
        uint32_t each = (uint32_t)(TOKENS / ranks);
        size_t bytes = rank_bytes(run->entry, ranks, each, AT_BF16, (uint32_t)HIDDEN);
        /* The rank's queries and output stand outside of its workspace; so do its keys and values, of which it makes
         * the first block: they are not needed after that. */
        double all = (double)bytes + each * HIDDEN * (2 + 4);
        if (all <= CARD)
            return ranks;
    }
    return 1000;
}

/* ---- plots ---- */

static double length(uint32_t i)
{
    return 1024 * pow(2, i);
}

static double naive_bytes(const struct claim_run *run)
{
    return 4 * run->x * run->x / MIB;
}

static double workspace(const struct claim_run *run)
{
    struct at_problem p = {.batch = 1, .heads = 1, .kv_heads = 1, .d = 64, .scale = 1};
    size_t bytes = 0;
    p.n_q = p.n_k = (uint32_t)run->x;
    int code = runs_entry(run->entry)->workspace(&p, 1, &bytes);
    if (code)
        run_failed(run->entry, code);
    return (double)bytes / MIB;
}

static double inputs(const struct claim_run *run)
{
    return 4 * run->x * 64 * 4 / MIB;
}

static double ring_asks(const struct claim_run *run)
{
    /* Ranks of 1,024 tokens: q, k, v, output and what they compute in. */
    return ((double)rank_bytes("ring", (uint32_t)(run->x / 1024), 1024, AT_F32, 64) + 4 * 1024 * 64 * 4) / MIB;
}

static const struct claim_series memory_series[] = {
    {.name = "4 N^2 bytes", .line = true, .points = 11, .x = length, .y = naive_bytes},
    {.name = "naive: workspace", .points = 11, .x = length, .of = {.entry = "naive"}, .y = workspace},
    {.name = "blockwise: workspace", .points = 11, .x = length, .of = {.entry = "blockwise"}, .y = workspace},
    {.name = "q, k, v and output", .line = true, .points = 11, .x = length, .y = inputs},
    {.name = "all of a rank with 1,024 tokens", .points = 11, .x = length, .y = ring_asks},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "memory",
     .title = "Memory of attention over N tokens (one head, d = 64, float32)",
     .reading =
         "The matrix grows with the square, and is past any card at a million tokens. Blocks take it away: what "
         "is left are the rows themselves, and they grow too. A rank of the ring keeps what it has: the sequence "
         "grows by ranks.",
     .x = "sequence length",
     .x_unit = "tokens",
     .y = "memory",
     .y_unit = "MiB",
     .log_x = true,
     .log_y = true,
     .seeds = 1,
     .series = memory_series},
};

static const struct claim claims[] = {
    {.id = "naive-dies",
     .statement = "With 64 MiB to take, attention with the whole matrix dies at 4 N^2 = 64 MiB: from 4,096 tokens on.",
     .formula = "sqrt(64 MiB / 4 bytes), less what inputs and the C library take",
     .unit = "tokens",
     .source = "measured",
     .broken = "blockwise in place of naive",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "naive", .x = 1},
     .instead = {.entry = "blockwise"},
     .predict = walls,
     .measure_here = longest,
     .slack = 250,
     .slack_why = "q, k, v, output and what malloc keeps are taken from the same 64 MiB"},
    {.id = "blocks-live",
     .statement = "Under the same limit blockwise attention passes at every length tried, up to four times that one.",
     .formula = "4 x sqrt(64 MiB / 4 bytes), to a fiftieth",
     .unit = "tokens",
     .source = "measured",
     .broken = "naive in place of blockwise",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.entry = "blockwise", .x = 3.9},
     .instead = {.entry = "naive"},
     .predict = walls,
     .measure_here = longest},
    {.id = "naive-slope",
     .statement = "Peak memory of naive attention grows with the square of the length.",
     .formula = "log-log slope 2",
     .unit = "",
     .source = "measured",
     .broken = "blockwise in place of naive",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "naive"},
     .instead = {.entry = "blockwise"},
     .predicted = 2,
     .measure_here = peak_slope,
     .slack = 0.1,
     .slack_why = "inputs and output grow with the length itself"},
    {.id = "blocks-slope",
     .statement = "Peak memory of blockwise attention, inputs and output included, grows with the length.",
     .formula = "log-log slope 1",
     .unit = "",
     .source = "measured",
     .broken = "naive in place of blockwise",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "blockwise"},
     .instead = {.entry = "naive"},
     .predicted = 1,
     .measure_here = peak_slope,
     .slack = 0.15,
     .slack_why = "its workspace, and pages of the C library, don't grow"},
    {.id = "rank-constant",
     .statement = "Memory of a rank of the ring does not grow with the sequence, as long as its own shard doesn't.",
     .formula = "log-log slope 0 from 2 to 32 ranks",
     .unit = "",
     .source = "counted",
     .broken = "a ring that gathers all keys and values first",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "ring"},
     .instead = {.entry = "ring-gather"},
     .predicted = 0,
     .measure = rank_slope,
     .slack = 0.001,
     .slack_why = "rounding to lines of memory"},
    {.id = "article-cards",
     .statement =
         "100 million tokens, hidden size 1,024: one tensor in bfloat16 takes 205 GB, six take 1,229 GB, and a "
         "card has 141. Ours takes nine times 205 GB, since output and partial results are float32: cut over 14 "
         "cards it fits on each.",
     .formula = "ceil(10^8 x 1,024 x (5 x 2 + 2 x 4) bytes / 141 GB)",
     .unit = "cards",
     .source = "counted",
     .broken = "a ring that gathers all keys and values first",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "ring"},
     .instead = {.entry = "ring-gather"},
     .predict = cards,
     .measure = cards_needed},
};

const struct claim_part part_memory = {claims, COUNT(claims), plots, COUNT(plots)};
