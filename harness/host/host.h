/* host.h: runs one entry of a plugin on one scenario, in a process of its own, and says how that ended.
 *
 * Judge's side. The scenario goes in through sealed memory, the decisions come back through a log of sealed size;
 * nothing else does. When host_run returns, every process of the run is gone. What the entry's code wrote into the log
 * is data to be checked, no more: the verdict here only says how the run ended; whether the decisions are right, the
 * judge finds out by replaying them.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict {
    VERDICT_FINISHED,   /* came to its end with as many decisions as were asked for */
    VERDICT_WRONG,      /* finished, and the judge found a decision wrong (said by a lab's test, never by the host) */
    VERDICT_CRASHED,    /* a signal; where is in the sentence */
    VERDICT_CPU_TIME,   /* used more processor time than allowed */
    VERDICT_WALL_TIME,  /* waited for something that never came */
    VERDICT_MEMORY,     /* asked for more memory than allowed */
    VERDICT_LEFT_EARLY, /* ended the process itself before the run was over */
    VERDICT_SHORT_LOG,  /* finished, with too few decisions */
    VERDICT_TOO_MANY,   /* more decisions than were asked for */
    VERDICT_FORBIDDEN_CALL, /* a system call that is not allowed, or an instruction that hides what it does */
    VERDICT_COST,     /* took more instructions than it may; or all is right, and the figure that a test measured is not
                     good enough for full points (said by the grader) */
    VERDICT_NO_BUILD, /* does not compile or link */
    VERDICT_NO_ENTRY, /* the plugin can't be loaded or has no entry of that name */
    VERDICT_GRADER_FAULT, /* our fault: no verdict about the entry */
    VERDICT_COUNT
};
const char *verdict_name(enum verdict verdict);             /* "left early" */
const char *verdict_id(enum verdict verdict);               /* "left-early", for files */
int verdict_from_id(const char *id, enum verdict *verdict); /* 0 or -EINVAL */

struct host_limits {
    uint64_t cpu_seconds;
    uint64_t wall_ms; /* so long it may go without using the processor; a busy machine takes nothing from it */
    uint64_t memory_bytes;
};

/* A stretch of a run begins at a marker. Its bytes of the scenario come there, so that nothing can be computed ahead; and
 * whether it is counted nobody in the runner can tell, so that nothing can be prepared in those that are not. */
struct host_stretch {
    uint64_t bytes;
    uint64_t counted; /* 0 or 1 */
};

struct host_request {
    const char *world;  /* path of the lab's world */
    const char *plugin; /* path of the shared object with entries */
    const char *entry;
    const void *scenario;
    size_t scenario_size;
    uint32_t record_size;
    uint64_t records;       /* how many decisions a whole run has */
    uint64_t least_records; /* where that is not known beforehand: a whole run has this many to `records`; 0: exactly
                               `records` */
    struct host_limits limits;
    uint64_t count_limit; /* 0: nothing is counted. Else the run's instructions are (count.h), and it is stopped at so
                             many; `limits` then hold until the marker, and the time after it is taken from the count */
    uint64_t data_bytes;  /* 0: no limit of its own. Else so much memory that can be written may it have, libraries and
                             all: the kernel's count of it is exact, and who was refused any has the verdict memory */
    size_t late_bytes;    /* when counting: so many bytes at the end of the scenario are zero until the marker */
    const struct host_stretch *stretch; /* when counting: NULL, and all is counted from the first marker on; or one for
                                           each marker, whose bytes together are late_bytes, in order. Another number
                                           of markers than stretches is the submission's doing */
    uint32_t stretches;
    bool count_lines; /* when counting: the lines of memory as well (lines.h) */
};

struct host_outcome {
    enum verdict verdict;
    char sentence[1024]; /* what happened, for a person; may quote the entry's own words, cleaned */
    void *records;  /* [count], the caller's to free with host_outcome_free; there also when the run did not finish */
    uint64_t count; /* never more than asked for */
    char output[2048]; /* what the entry printed: head and tail, cleaned */
    uint64_t cpu_ns, wall_ns, peak_bytes;
    bool counted;          /* the marker was reached, and instructions are what came after it */
    uint64_t instructions; /* the same on every run */
    uint64_t lines;        /* likewise: different lines touched between two markers, all stretches together */
};

/* 0 when there is a verdict about the entry, -errno (and VERDICT_GRADER_FAULT) when there is none: that is also the end
 * of a run that was to be counted where nothing can be. */
int host_run(const struct host_request *request, struct host_outcome *outcome);
void host_outcome_free(struct host_outcome *outcome);

/* Without sandbox, limits, count or a process of its own: loads the plugin into this process. For a debugger only
 * (FAULTLINE_DEBUG=1 makes host_run do it). */
int host_run_inline(const struct host_request *request, struct host_outcome *outcome);

/* Loads a plugin that we trust into this process (claims, costs, replay, list), with the world that it was linked with.
 */
struct plugin;
const struct plugin *host_load_trusted(const char *path, struct error *err);

#endif
