/* demo: exact attention over as many tokens as you have patience for, in a ring of threads on this machine.
 *
 *     demo --tokens N [--d 64] [--ranks P] [--type bfloat16|float32] [--causal yes|no] [--layout contiguous|striped|zigzag]
 *          [--check ROWS] [--json FILE] [--seed N] [--quiet]
 *
 * N may end in K, M or G: powers of 1,024. Every number of q, k and v follows from the seed. When all is computed, some
 * rows of every rank are computed again in float64, from the seed, and compared.
 */
#include "job.h"
#include "nan_max.h"
#include "runs.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/terminal.h"
#include "base/text.h"
#include "measure/topology.h"
#include "report/table.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST_TOKENS ((uint64_t)1 << 32)
#define TICK_PAIRS  ((uint64_t)1 << 30) /* about so many pairs between two looks at the progress */
/* Errors allowed, as a share of the output's root mean square: the mean of a million random values is near 0, so an
 * absolute bound would say nothing. bfloat16 has 8 bits: inputs are exact in it, weights are rounded. */
#define MOST_FLOAT 1e-4
#define MOST_BF16  2e-2

static struct {
    uint64_t tokens, d, ranks, check, seed;
    enum at_type type;
    enum at_layout layout;
    bool causal, typed, quiet;
    const char *json;
} run = {.d = 64, .check = 64, .seed = 1};

/* ---- what was asked for ---- */

static void parse(int argc, char **argv)
{
    static const char *const types[] = {"float32", "bfloat16", NULL}, *const yes[] = {"no", "yes", NULL};
    static const char *const layouts[] = {"contiguous", "striped", "zigzag", NULL};
    int type = 0, causal = 0, layout = 0;
    bool laid_out = false;
    const struct option_row rows[] = {
        {.name = "tokens", .argument = "N", .kind = OPTION_NUMBER, .to = &run.tokens, .least = 2, .most = MOST_TOKENS},
        {.name = "d", .argument = "N", .kind = OPTION_NUMBER, .to = &run.d, .least = 1, .most = AT_MAX_D},
        {.name = "ranks", .argument = "P", .kind = OPTION_NUMBER, .to = &run.ranks, .least = 1, .most = 64},
        {.name = "check", .argument = "ROWS", .kind = OPTION_NUMBER, .to = &run.check, .least = 1, .most = 65536},
        {.name = "type", .argument = "T", .kind = OPTION_WORD, .to = &type, .words = types, .given = &run.typed},
        {.name = "causal", .argument = "yes|no", .kind = OPTION_WORD, .to = &causal, .words = yes},
        {.name = "layout", .argument = "L", .kind = OPTION_WORD, .to = &layout, .words = layouts, .given = &laid_out},
        {.name = "json", .argument = "FILE", .kind = OPTION_TEXT, .to = &run.json},
        {.name = "seed", .argument = "N", .kind = OPTION_NUMBER, .to = &run.seed},
        {.name = "quiet", .kind = OPTION_FLAG, .to = &run.quiet}};
    struct option_table table = {
        .program = "demo", .see = "faultline demo 08 --help", .row = rows, .rows = COUNT(rows)};
    options_read_or_leave(&table, argc, argv);
    if (run.tokens == 0)
        error_exit(EXIT_WRONG_USE, "demo: over how many tokens? For example: --tokens 1M");
    run.type = type ? AT_BF16 : AT_F32;
    run.causal = causal == 1;
    run.layout = run.causal && !laid_out ? AT_ZIGZAG : (enum at_layout)layout;
}

/* ---- progress ---- */

static struct {
    pthread_mutex_t lock;
    struct progress bar;
    uint64_t met[64];
} shown = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void tick(void *context, uint32_t rank, uint64_t met, uint64_t all)
{
    (void)context, (void)all;
    pthread_mutex_lock(&shown.lock);
    shown.met[rank] = met;
    uint64_t sum = 0;
    for (uint32_t r = 0; r < run.ranks; r++)
        sum += shown.met[r];
    progress_set(&shown.bar, sum);
    pthread_mutex_unlock(&shown.lock);
}

/* ---- the run ---- */

static double peak_mib(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_maxrss / 1024;
}

static uint32_t cores(void)
{
    struct topology *t;
    struct error err;
    if (topology_load(&t, &err) != 0)
        return 1;
    const uint32_t n = topology_usable_cores(t);
    topology_destroy(t);
    return n > 64 ? 64 : n ? n : 1;
}

static void must(int code, const char *what)
{
    if (code)
        error_exit(code == -EINVAL ? EXIT_WRONG_USE : EXIT_CANNOT_TELL, "demo: %s: %s", what, strerror(-code));
}

static struct job_error check(const struct job *job, const struct job_rank *ranks)
{
    struct job_error worst = {.size = INFINITY};
    const uint32_t each = (uint32_t)((run.check + run.ranks - 1) / run.ranks);
    struct progress bar;
    progress_start(&bar, "checking in float64", run.ranks, run.quiet);
    for (uint32_t r = 0; r < run.ranks; r++) {
        struct job_error e;
        must(job_rank_check(job, &ranks[r], each, &e), "the check");
        worst.out = nan_max(worst.out, e.out);
        worst.lse = nan_max(worst.lse, e.lse);
        worst.size = fmin(worst.size, e.size);
        progress_set(&bar, r + 1);
    }
    progress_end(&bar);
    return worst;
}

static void cell(struct table *t, const char *what, const char *value, const char *source)
{
    table_cell(t, "%s", what);
    table_cell(t, "%s", value);
    table_cell(t, "%s", source);
}

__attribute__((format(printf, 2, 3))) static const char *put(char *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out, 160, format, args);
    va_end(args);
    return out;
}

static void print(const struct job *job, const struct job_rank *ranks, const char *entry, double seconds,
                  const struct job_error *error, double relative, double most)
{
    char text[160], number[TEXT_NUMBER];
    struct table *t = table_create();
    double waited = 0, sent = 0;
    for (uint32_t r = 0; r < run.ranks; r++) {
        sent += (double)ranks[r].sent;
        for (uint32_t i = 0; i < ranks[r].spans; i++)
            waited += ranks[r].span[i].what == JOB_WAIT ? (double)(ranks[r].span[i].end - ranks[r].span[i].begin) : 0;
    }
    const double all = (double)run.tokens, one = run.type == AT_BF16 ? 2 : 4, mib = 1 << 20;
    table_column(t, "what", TABLE_LEFT);
    table_column(t, "figure", TABLE_LEFT);
    table_column(t, "source", TABLE_LEFT);
    cell(t, "tokens", text_count(number, run.tokens), "asked for");
    cell(t, "attention", put(text, "%s, d = %llu%s", entry, (unsigned long long)run.d, run.causal ? ", causal" : ""),
         "");
    cell(t, "time", put(text, "%.1f s", seconds), "measured, clock");
    cell(t, "speed", put(text, "%.4g GFLOP/s", job_operations(&job->ring) / seconds / 1e9),
         "4 d operations a pair / time");
    cell(t, "waiting for the ring", put(text, "%.2f %% of the ranks' time", waited / 1e7 / seconds / (double)run.ranks),
         "measured, clock");
    cell(t, "sent by all ranks", put(text, "%.4g MiB", sent / mib), "counted");
    cell(t, "peak memory, all", put(text, "%.4g MiB", peak_mib()), "measured, kernel");
    cell(t, "the matrix would take", put(text, "%.4g MiB", 4 * all * all / mib), "4 N^2 bytes");
    cell(t, "q, k, v and output take", put(text, "%.4g MiB", all * (double)run.d * (3 * one + 4) / mib),
         run.type == AT_BF16 ? "(3 x 2 + 4) N d bytes" : "4 x 4 N d bytes");
    cell(t, put(number, "largest error, %llu rows", (unsigned long long)run.check),
         put(text, "%.2g, %.2g %% of the output's size (at most %g %%)", error->out, 100 * relative, 100 * most),
         "against float64");
    cell(t, "their log-sum-exp", put(text, "%.2g (at most %g)", error->lse, most), "against float64");
    table_print(stdout, t, 0);
    table_destroy(t);
}

static void write_json(const struct job *job, const char *entry, double seconds, const struct job_error *error,
                       bool right)
{
    struct error err;
    json_t *json = json_pack(
        "{s:i, s:s, s:s, s:I, s:I, s:I, s:b, s:f, s:f, s:f, s:f, s:f, s:I, s:b}", "faultline", 1, "lab", "08", "entry",
        entry, "tokens", (json_int_t)run.tokens, "d", (json_int_t)run.d, "ranks", (json_int_t)run.ranks, "causal",
        run.causal, "seconds", seconds, "gflops", job_operations(&job->ring) / seconds / 1e9, "peak_mib", peak_mib(),
        "error_out", error->out, "error_lse", error->lse, "rows_checked", (json_int_t)run.check, "right", right);
    if (json_file_write(run.json, json, &err) != 0)
        error_exit(EXIT_WRONG_USE, "demo: %s", err.text);
    json_decref(json);
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    runs_load();
    if (!run.ranks)
        run.ranks = cores();
    if (!run.typed)
        run.type = runs_fastest(AT_BF16) == runs_fastest(AT_F32) ? AT_F32 : AT_BF16;
    const struct plugin_entry *entry = runs_fastest(run.type);
    const uint64_t least = (run.layout == AT_ZIGZAG ? 2 : 1) * run.ranks;
    if (run.tokens < least)
        error_exit(EXIT_WRONG_USE, "demo: %llu ranks need at least %llu tokens", (unsigned long long)run.ranks,
                   (unsigned long long)least);
    struct job job = {.ops = runs_entry("ring"),
                      .ring = {.total = run.tokens,
                               .ranks = (uint32_t)run.ranks,
                               .layout = run.layout,
                               .causal = run.causal,
                               .batch = 1,
                               .heads = 1,
                               .kv_heads = 1,
                               .d = (uint32_t)run.d,
                               .scale = (float)(1 / sqrt((double)run.d)),
                               .type = run.type,
                               .partial = AT_F32,
                               .blocks = entry->ops},
                      .seed = run.seed,
                      .tick = tick};
    const uint64_t block = run.tokens / run.ranks * (run.tokens / run.ranks);
    job.parts = (uint32_t)fmin(1024, 1 + (double)block / (double)TICK_PAIRS);
    if (!run.quiet)
        printf("Exact attention over %llu tokens, %llu rank%s, blocks by %s (%s).\n", (unsigned long long)run.tokens,
               (unsigned long long)run.ranks, run.ranks == 1 ? "" : "s, a thread each", entry->name,
               run.type == AT_BF16 ? "bfloat16" : "float32");
    fflush(stdout);
    struct job_rank *ranks;
    struct job_way way = {.transport = JOB_THREADS};
    uint64_t ns;
    must(job_make(&job, &ranks), "making the numbers");
    progress_start(&shown.bar, "attention", job_pairs(&job.ring), run.quiet);
    int code = job_run(&job, ranks, &way, &ns);
    progress_end(&shown.bar);
    must(code, "the ring");
    const struct job_error error = check(&job, ranks);
    const double relative = error.out / error.size, seconds = (double)ns / 1e9;
    const double most = run.type == AT_BF16 ? MOST_BF16 : MOST_FLOAT;
    const bool right = relative <= most && error.lse <= most;
    print(&job, ranks, entry->name, seconds, &error, relative, most);
    if (run.json)
        write_json(&job, entry->name, seconds, &error, right);
    job_free(&job, ranks);
    if (!right)
        printf("%sthe result is not attention%s: the error is beyond what rounding explains\n",
               terminal_style(STYLE_BAD), terminal_style(STYLE_PLAIN));
    return right ? EXIT_FINE : EXIT_FAILED;
}
