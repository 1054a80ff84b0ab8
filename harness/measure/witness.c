/* witness.c: what else happened while a sample was taken. */
#include "measure/witness.h"

#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

const char *const witness_names[WITNESSES] = {[WITNESS_STEAL] = "steal",
                                              [WITNESS_PRESSURE] = "pressure",
                                              [WITNESS_WAIT] = "run-queue wait",
                                              [WITNESS_INVOLUNTARY] = "involuntary switch",
                                              [WITNESS_FAULTS] = "page fault"};

void witness_open(struct witness_reader *reader)
{
    reader->stat = open("/proc/stat", O_RDONLY | O_CLOEXEC);
    reader->pressure = open("/proc/pressure/cpu", O_RDONLY | O_CLOEXEC);
    reader->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void witness_close(struct witness_reader *reader)
{
    const int fds[] = {reader->stat, reader->pressure, reader->schedstat};
    for (size_t i = 0; i < COUNT(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

bool witness_has(const struct witness_reader *reader, enum witness_id id)
{
    switch (id) {
    case WITNESS_STEAL:
        return reader->stat >= 0;
    case WITNESS_PRESSURE:
        return reader->pressure >= 0;
    case WITNESS_WAIT:
        return reader->schedstat >= 0;
    default:
        return true;
    }
}

/* The first line of a file of /proc, read anew from its begin; "" where there is none. */
static const char *line_of(int fd, char *line, size_t size)
{
    ssize_t n = fd >= 0 ? pread(fd, line, size - 1, 0) : 0;
    line[n > 0 ? n : 0] = '\0';
    return line;
}

void witness_read(const struct witness_reader *reader, struct witness *now)
{
    char line[256];
    struct rusage usage;
    unsigned long long value = 0;
    memset(now, 0, sizeof *now);
    if (sscanf(line_of(reader->stat, line, sizeof line), "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &value) == 1)
        now->value[WITNESS_STEAL] = value;
    const char *total = strstr(line_of(reader->pressure, line, sizeof line), "total=");
    if (total && sscanf(total, "total=%llu", &value) == 1)
        now->value[WITNESS_PRESSURE] = value;
    if (sscanf(line_of(reader->schedstat, line, sizeof line), "%*u %llu", &value) == 1)
        now->value[WITNESS_WAIT] = value;
    if (getrusage(RUSAGE_THREAD, &usage) == 0) {
        now->value[WITNESS_INVOLUNTARY] = (uint64_t)usage.ru_nivcsw;
        now->value[WITNESS_FAULTS] = (uint64_t)(usage.ru_minflt + usage.ru_majflt);
    }
}
