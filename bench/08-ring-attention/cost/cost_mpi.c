/* cost_mpi.c: the ring of MPI processes, which needs a program that mpirun starts. It runs the ring of threads too, turn
 * by turn with that of the processes, so what is compared was measured in the same seconds (ranks --threads). */
#include "cost_parts.h"

#include "base/file.h"
#include "base/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define MOST_MS 120000u

const char *const cost_mpi_parts[] = {"threads", "MPI", NULL};

static bool has_mpirun(void)
{
    static const char *const argv[] = {"mpirun", "--version", NULL};
    const struct process p = {.argv = argv, .wall_ms = 10000, .output_limit = 1000};
    struct process_result r;
    struct error err;
    if (process_run(&p, &r, &err) != 0)
        return false;
    bool fine = WIFEXITED(r.status) && WEXITSTATUS(r.status) == 0;
    process_result_free(&r);
    return fine;
}

/* "times MPI 3 1234567": every round of every name must be there. */
static int take_times(const char *output, uint32_t rounds, double *ns, struct error *err)
{
    uint32_t taken = 0;
    for (const char *line = output; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        char over[16];
        unsigned round;
        unsigned long long value;
        if (sscanf(line, "times %15s %u %llu", over, &round, &value) != 3 || round >= rounds || value == 0)
            continue;
        for (uint32_t i = 0; cost_mpi_parts[i]; i++)
            if (strcmp(over, cost_mpi_parts[i]) == 0) {
                taken += ns[(size_t)i * rounds + round] == 0;
                ns[(size_t)i * rounds + round] = (double)value;
            }
    }
    return taken == 2 * rounds ? 0
                               : error_set(err, -EIO, "the ring of processes told %u of %u times", taken, 2 * rounds);
}

int cost_mpi_elsewhere(const struct cost_subject *s, uint32_t rounds, double *ns, struct error *err)
{
    char program[FILE_PATH], tokens[24], ranks[12], d[12], repeats[12], seed[24];
    file_build_path(program, "labs/08-ring-attention/ranks");
    if (!file_exists(program))
        return error_set(err, -ENOTSUP, "built without MPI (libopenmpi-dev)");
    if (!has_mpirun())
        return error_set(err, -ENOTSUP, "there is no mpirun here (openmpi-bin)");
    snprintf(tokens, sizeof tokens, "%llu", (unsigned long long)s->size);
    snprintf(ranks, sizeof ranks, "%u", s->threads);
    snprintf(d, sizeof d, "%u", COST_D);
    snprintf(repeats, sizeof repeats, "%u", rounds);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)s->seed);
    const char *const argv[] = {"mpirun",    "--allow-run-as-root",
                                "--bind-to", "none",
                                "-np",       ranks,
                                program,     "--tokens",
                                tokens,      "--d",
                                d,           "--type",
                                "bf16",      "--repeats",
                                repeats,     "--seed",
                                seed,        "--check",
                                "8",         "--threads",
                                "--times",   "--quiet",
                                NULL};
    const struct process p = {.argv = argv, .wall_ms = MOST_MS, .output_limit = 1 << 20};
    struct process_result r;
    int code = process_run(&p, &r, err);
    if (code)
        return code;
    if (r.timed_out)
        code = error_set(err, -ETIME, "the ring of processes took longer than %u s", MOST_MS / 1000);
    else if (!WIFEXITED(r.status) || WEXITSTATUS(r.status) != 0)
        code = error_set(err, -EIO, "the ring of processes failed: %.150s", r.output ? r.output : "");
    else
        code = take_times(r.output, rounds, ns, err);
    process_result_free(&r);
    return code;
}
