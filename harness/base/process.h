/* process.h: runs one child program, takes what it prints, and never waits for it longer than it was told to.
 *
 * The child is the leader of a process group of its own and dies with its parent. At the deadline the whole group gets
 * SIGKILL. What it prints on standard output and standard error is kept together up to a limit: the first half of it
 * and the last, with a line between that says how much was left out; the rest is read and thrown away, so that a flood
 * neither fills memory nor blocks. Standard input is /dev/null. Not for a process with other threads that hold locks
 * (it forks).
 */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_FDS 4

struct process {
    const char *const *argv;        /* ends with NULL; argv[0] is looked up in PATH */
    const char *const *environment; /* NULL: the parent's; else exactly these "NAME=value", ends with NULL */
    const char *folder;             /* working folder; NULL: the parent's */
    int pass[PROCESS_FDS]; /* descriptors that the child gets as 3, 4, …; ends with -1 or the array's end (0 counts as
                              the end too) */
    uint64_t wall_ms;      /* 0: no deadline */
    size_t output_limit;   /* bytes kept; 0: the child prints to where the parent prints */
    uint64_t output_most;  /* killed when it has printed so many bytes; 0: it may print for ever */
    bool output_first;     /* keep the first bytes only (for programs whose output is data) */
};

struct process_result {
    int status;     /* as waitpid gives it */
    bool timed_out; /* killed at the deadline */
    bool flooded;   /* killed for what it printed */
    uint64_t wall_ns;
    char *output; /* what was kept, with a NUL; NULL without a limit */
    size_t output_size;
    uint64_t output_total;
};

/* 0 when the child was started and has ended, however it ended; -errno when it could not be started. */
int process_run(const struct process *process, struct process_result *result, struct error *err);
void process_result_free(struct process_result *result);

/* "exit code 3", "signal 11 (Segmentation fault)" into out; returns out. */
const char *process_status_text(int status, char *out, size_t size);

uint64_t process_clock_ns(void); /* CLOCK_MONOTONIC */

#endif
