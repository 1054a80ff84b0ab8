/* ranks.c: rings of MPI processes, started here, against the same ring on the loop. */
#include "job.h"
#include "ranks/ranks_options.h"
#include "runs.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(ranks, .timeout = 120);

/* The program; false, with a line, where it or mpirun is not here. */
static bool find_ranks(char *path)
{
    static const char *const argv[] = {"mpirun", "--version", NULL};
    struct process p = {.argv = argv, .wall_ms = 20000, .output_limit = 1000};
    struct process_result r;
    struct error err;
    bool here = file_exists(file_build_path(path, "labs/08-ring-attention/ranks"));
    if (here && process_run(&p, &r, &err) == 0) {
        here = r.status == 0;
        process_result_free(&r);
    }
    if (!here)
        fprintf(stderr, "  ranks: left out, there is no Open MPI here (libopenmpi-dev, openmpi-bin)\n");
    return here;
}

static char *mpirun(const char *program, const char *np, const char *const *options, int *status)
{
    const char *argv[40] = {"mpirun", "--oversubscribe", "--allow-run-as-root", "--bind-to", "none", "-np", np,
                            program};
    struct process p = {.argv = argv, .wall_ms = 60000, .output_limit = 1 << 16};
    struct process_result r;
    struct error err;
    for (int n = 8; *options && n < 39; n++)
        argv[n] = *options++;
    int code = process_run(&p, &r, &err);
    cr_assert_eq(code, 0, "%s", err.text);
    cr_assert_not(r.timed_out, "mpirun -np %s: not done in a minute:\n%s", np, r.output);
    *status = r.status;
    return r.output;
}

static void expect_same(const char *program, const char *entry, uint32_t ranks, enum at_layout layout,
                        enum at_type type)
{
    static const char *const layouts[] = {"contiguous", "striped", "zigzag"};
    char np[12], hash[20];
    int status;
    snprintf(np, sizeof np, "%u", ranks);
    const char *options[] = {"--tokens",
                             "501",
                             "--d",
                             "24",
                             "--heads",
                             "2",
                             "--kv-heads",
                             "1",
                             "--causal",
                             "--layout",
                             layouts[layout],
                             "--type",
                             type == AT_F32 ? "f32" : "bf16",
                             "--entry",
                             entry,
                             "--blocks",
                             "blockwise",
                             "--check",
                             "16",
                             "--seed",
                             "7",
                             NULL};
    char *output = mpirun(program, np, options, &status);
    cr_assert_eq(status, 0, "%s", output);
    struct job job = {.ops = runs_entry("ring"), .seed = 7};
    job.ring = (struct at_ring){.total = 501,
                                .ranks = ranks,
                                .layout = layout,
                                .causal = true,
                                .batch = 1,
                                .heads = 2,
                                .kv_heads = 1,
                                .d = 24,
                                .scale = (float)(1 / sqrt(24)),
                                .type = type,
                                .blocks = runs_entry("blockwise")};
    struct job_rank *rank = NULL;
    struct job_way way = {.transport = JOB_LOOP};
    uint64_t ns;
    cr_assert_eq(job_make(&job, &rank), 0);
    cr_assert_eq(job_run(&job, rank, &way, &ns), 0);
    for (uint32_t r = 0; r < ranks; r++) {
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)job_rank_hash(&job, &rank[r]));
        cr_assert(strstr(output, hash), "%s, %u ranks, %s: expected: rank %u has %s; actual:\n%s", entry, ranks,
                  layouts[layout], r, hash, output);
    }
    job_free(&job, rank);
    free(output);
}

Test(ranks, the_same_bits_over_mpi)
{
    char program[FILE_PATH];
    static const uint32_t ranks[] = {1, 2, 4, 8};
    cr_assert(true);
    if (!find_ranks(program))
        return;
    runs_load();
    for (int i = 0; i < 4; i++)
        expect_same(program, "ring", ranks[i], (enum at_layout)(i % 3), i % 2 ? AT_BF16 : AT_F32);
    /* send and receive; three ranks, of which two neighbours send first */
    expect_same(program, "ring-in-turns", 2, AT_ZIGZAG, AT_F32);
    expect_same(program, "ring-in-turns", 3, AT_STRIPED, AT_BF16);
}

Test(ranks, wrong_use_is_told_once)
{
    char program[FILE_PATH];
    static const struct {
        const char *option[4], *says;
    } wrong[] = {{{"--tokens", "3", "--causal"}, "zigzag over 2 ranks takes 4"},
                 {{"--blocks", "none-such"}, "there is no entry \"none-such\""},
                 {{"--entry", "blockwise"}, "is no ring"}};
    cr_assert(true);
    if (!find_ranks(program))
        return;
    for (int i = 0; i < 3; i++) {
        int status;
        char *output = mpirun(program, "2", wrong[i].option, &status), *found = strstr(output, wrong[i].says);
        cr_assert_eq(status >> 8 & 255, EXIT_WRONG_USE, "%s", output);
        cr_assert(found && !strstr(found + 1, wrong[i].says), "expected, once: %s; actual:\n%s", wrong[i].says, output);
        free(output);
    }
}

/* ---- what needs no MPI ---- */

static int parse(struct ranks_options *o, const char *const *word, struct error *err)
{
    char *argv[10] = {(char *)(uintptr_t) "ranks"};
    int argc = 1;
    for (; word[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)word[argc - 1];
    return ranks_parse(argc, argv, o, err);
}

Test(ranks, options)
{
    struct ranks_options o;
    struct error err;
    cr_assert_eq(
        parse(&o, (const char *[]){"--tokens", "1M", "--causal", "--type", "bf16", "--heads", "8", NULL}, &err), 0);
    cr_assert(o.job.ring.total == 1 << 20 && o.job.ring.causal && o.job.ring.layout == AT_ZIGZAG &&
              o.job.ring.type == AT_BF16 && o.job.ring.kv_heads == 8 && o.job.ring.d == 64);
    cr_assert_eq(parse(&o, (const char *[]){"--layout", "striped", "--causal", "--tokens", "64K", NULL}, &err), 0);
    cr_assert(o.job.ring.layout == AT_STRIPED && o.job.ring.total == 65536);
    static const char *const bad[][5] = {{"--tokens", "x"},
                                         {"--tokens", "0"},
                                         {"--tokens", "99999999M"},
                                         {"--tokens"},
                                         {"--layout", "round"},
                                         {"--type", "f16"},
                                         {"--d", "1025"},
                                         {"--d", "0"},
                                         {"--repeats", "0"},
                                         {"tokens"},
                                         {"--what", "1"},
                                         {"--seed", "-1"},
                                         {"--heads", "3", "--kv-heads", "2"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        cr_assert_eq(parse(&o, bad[i], &err), -EINVAL, "%s", bad[i][0]);
        cr_assert(strlen(err.text) > 10);
    }
}
