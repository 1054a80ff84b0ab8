/* count.h: how the supervisor counts the instructions that the runner executes.
 *
 * Time says little on a busy machine, and a counter in the submission's own address space says what the submission
 * wants. So the supervisor, which runs no code of the submission, has the kernel stop the runner after each instruction
 * (ptrace, single-step) and counts the stops. That costs some microseconds an instruction, and gives the same number on
 * every run.
 *
 *   before the marker   everything runs at full speed: loading, constructors, what the scenario says to prepare
 *   the marker          one harmless system call, log_count_from_here() in log.h, which the system-call filter turns
 *                       into a stop; only the first counts. The bytes of the scenario that were held back until here
 *                       are put in their place, so that nothing can be computed ahead from them
 *   after it            every instruction in user space, the C library's too, until the process is gone. There is no
 *                       end marker: nothing that the runner does ends the count early
 *
 * What could escape the count is refused: threads, processes, tracing. An instruction is what the processor steps over:
 * a vector instruction is one, a repeated string instruction is one for each repetition. What the kernel does is not
 * counted. Later markers begin a new stretch for lines.h; where the judge named stretches (struct host_stretch), each
 * begins one whose bytes come then, and which is counted or not. Which are, the supervisor reads when the runner is gone
 * its own way: it stands nowhere in the runner's memory. Addresses are not randomised in a counted
 * run, so that code that depends on them counts the same each time.
 */
#ifndef HOST_COUNT_H
#define HOST_COUNT_H

#include "host/shared.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct count_order {
    uint64_t limit;       /* the run is stopped at so many */
    uint64_t cpu_seconds; /* from the marker on; before it the runner's own limit holds */
    unsigned char *late;  /* where the bytes go that were held back; shared with the runner */
    size_t late_size;
    off_t late_at; /* their place in HOST_FD_SCENARIO; behind all of them stand the stretches (struct host_stretch) */
    uint32_t stretches; /* 0: everything is counted from the first marker on */
    bool lines;         /* count lines of memory too (lines.h) */
};

/* Why nothing can be counted here whatever is tried, or NULL. */
const char *count_impossible(void);

/* Supervisor, first of all: starts the program anew, without randomised addresses and bound to its libraries, and stays
 * on one processor, where a stop is cheapest. Does what it can: where either is refused, counting goes on without. */
void count_settle(char **argv);

/* Runner, before it gives up its rights: has itself traced, and waits until the supervisor is there. 0 or -errno. */
int count_join(void);

/* Supervisor: sees the runner to its end and fills in how it was. status->trouble is -errno when it could not count. */
struct rusage;
void count_supervise(pid_t runner, const struct count_order *order, struct host_status *status, struct rusage *usage);

#endif
