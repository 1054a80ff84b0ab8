/* getrusage: page faults and context switches of the calling thread, exact, for any user. */
#include "measure/counters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct set {
    bool counts[COUNTERS];
    struct rusage begin;
};

static void *set_open(void)
{
    return calloc(1, sizeof(struct set));
}

static int64_t field(const struct rusage *u, enum counter_id id)
{
    switch (id) {
    case COUNTER_PAGE_FAULTS:
        return u->ru_minflt + u->ru_majflt;
    case COUNTER_VOLUNTARY:
        return u->ru_nvcsw;
    case COUNTER_INVOLUNTARY:
        return u->ru_nivcsw;
    default:
        return -1;
    }
}

static int set_add(void *set, enum counter_id id, char *reason, size_t size)
{
    struct set *s = set;
    if (field(&s->begin, id) < 0) {
        snprintf(reason, size, "-");
        return -ENOENT;
    }
    s->counts[id] = true;
    return 0;
}

static int set_start(void *set)
{
    struct set *s = set;
    return getrusage(RUSAGE_THREAD, &s->begin) == 0 ? 0 : -errno;
}

static int set_stop(void *set, int64_t value[COUNTERS])
{
    const struct set *s = set;
    struct rusage end;
    if (getrusage(RUSAGE_THREAD, &end) != 0)
        return -errno;
    for (int id = 0; id < COUNTERS; id++)
        if (s->counts[id])
            value[id] = field(&end, (enum counter_id)id) - field(&s->begin, (enum counter_id)id);
    return 0;
}

const struct counter_provider counter_rusage = {"getrusage", SOURCE_SOFTWARE, set_open, set_add,
                                                set_start,   set_stop,        free};
