/* log.h: the decisions of an entry, event by event: all that leaves the host process.
 *
 * A log is a piece of shared memory: this header, then `capacity` records of `record_size` bytes. The host appends; the
 * judge reads after every process of the host is gone, and believes nothing in it: records are decisions to be
 * replayed, the header's numbers are bounded by what the judge itself asked for. The memory's size is sealed, so that
 * the host can't pull it from under the judge. One writer, no locks.
 */
#ifndef HOST_LOG_H
#define HOST_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_MAGIC 0x31474f4c544c4146u /* "FALTLOG1" */

struct decision_log {
    uint64_t magic;
    uint32_t record_size;
    uint32_t finished; /* set by the host when the run came to its end */
    uint64_t capacity;
    uint64_t count; /* records appended, also those that did not fit */
};

static inline unsigned char *log_records(struct decision_log *log)
{
    return (unsigned char *)(log + 1);
}

static inline void log_append(struct decision_log *log, const void *record)
{
    if (log->count < log->capacity)
        memcpy(log_records(log) + log->count * log->record_size, record, log->record_size);
    log->count++;
}

/* The marker: from here on the run's instructions are counted, where the judge asked for that (count.h); elsewhere it
 * does nothing. A question about a scheduling policy that does not exist, which nobody else asks. */
#define LOG_COUNT_MARK 0x46617548

static inline void log_count_from_here(void)
{
    syscall(SYS_sched_get_priority_max, LOG_COUNT_MARK);
}

#endif
