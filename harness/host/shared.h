/* shared.h: what the three processes of a run share: judge, supervisor, runner.
 *
 *   judge        --fork, bubblewrap-->   supervisor (process 1 inside)   --fork-->   runner (loads the plugin)
 *     |                                        |                                         |
 *     |<------- struct host_status, pipe ------|                                         |
 *     |<------- struct host_note + log, shared memory -----------------------------------|
 *
 * The status comes from the supervisor, which runs no code of the entry, can't be killed from inside, and has closed
 * nothing over to it: it is believed. So is what the runner told the supervisor before the plugin was loaded, through a
 * pipe that it then closed: that it failed to prepare the run, or that it is about to load. The note comes from the
 * runner's process: it chooses among verdicts about the submission and fills in words, never whose fault it was.
 */
#ifndef HOST_SHARED_H
#define HOST_SHARED_H

#include "host/log.h"

enum { HOST_FD_SCENARIO = 3, HOST_FD_SHARED = 4, HOST_FD_STATUS = 5 };

enum host_stage { STAGE_LOADING, STAGE_RUNNING, STAGE_RETURNED };

/* What the supervisor itself did to a run. */
enum host_stopped {
    STOPPED_NOT,
    STOPPED_LIMIT,   /* at the limit of instructions */
    STOPPED_IDLE,    /* it used no processor time for as long as it may */
    STOPPED_LINES,   /* it touched more lines than can be told apart */
    STOPPED_HIDES,   /* it hid what memory it touches */
    STOPPED_UNKNOWN, /* it carried out an instruction that could not be decoded */
};

struct host_status {
    uint64_t magic;
    int32_t wait_status;
    int32_t trouble; /* the supervisor's own -errno, or 0 */
    uint64_t cpu_ns, peak_bytes;
    uint64_t instructions, lines;
    uint32_t counted; /* the marker was reached */
    uint32_t markers; /* how many were */
    uint32_t stopped; /* enum host_stopped */
    int32_t crashed;  /* the signal of a crash while counting: the run's end, even if the runner went on */
    uint32_t loading; /* the runner had given up its rights and came to load the plugin */
    char failed[300]; /* or else why not */
};
#define HOST_STATUS_MAGIC 0x5354415455533033u

#define NOTE_FRAMES 8

struct host_note {
    uint32_t stage;   /* enum host_stage */
    int32_t run_code; /* what the plugin's run returned */
    int32_t signal;
    int32_t call; /* number of the refused system call; -1: not noted (signals were blocked, as the C library does in
                     fork) */
    uint64_t address; /* the fault's */
    uint64_t stack;   /* the stack pointer at the fault */
    uint64_t refused; /* bytes of an allocation that failed */
    uint32_t frames, pad;
    uint64_t frame[NOTE_FRAMES]; /* offsets into the plugin, innermost first */
    char message[512];
};

struct host_shared {
    struct host_note note;
    struct decision_log log;
};

#endif
