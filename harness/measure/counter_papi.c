/* Events of PAPI: those of the processor, and those of the kernel.
 *
 * Gets wrong, if believed: PAPI initialises and lists hundreds of events on a machine that has no PMU at all;
 * PAPI_event_name_to_code succeeds for dead ones. Only PAPI_add_event tells, and only counting proves. Its switch and
 * migration events stay 0 in user mode, so switches come from getrusage (counter_rusage.c).
 */
#include "base/memory.h"
#include "measure/counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <papi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct set {
    int events; /* PAPI's number of the event set */
    int n;
    enum counter_id id[COUNTERS];
};

/* ---- the library ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;

static unsigned long this_thread(void)
{
    return (unsigned long)pthread_self();
}

static void initialise(void)
{
    ready = PAPI_library_init(PAPI_VER_CURRENT) == PAPI_VER_CURRENT && PAPI_thread_init(this_thread) == PAPI_OK;
}

static void *set_open(void)
{
    pthread_once(&once, initialise);
    struct set *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->events = PAPI_NULL;
    if (ready && PAPI_create_eventset(&s->events) != PAPI_OK)
        s->events = PAPI_NULL;
    return s;
}

static void set_close(void *set)
{
    struct set *s = set;
    if (s->events != PAPI_NULL) {
        PAPI_cleanup_eventset(s->events);
        PAPI_destroy_eventset(&s->events);
    }
    free(s);
}

/* ---- why not ---- */

static int paranoid(void)
{
    int level = -99;
    FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "r");
    if (f && fscanf(f, "%d", &level) != 1)
        level = -99;
    if (f)
        fclose(f);
    return level;
}

/* Asks the kernel itself, for cycles of this thread in user mode: PAPI says "no such event" for all causes alike. */
static int say_why_no_hardware(char *reason, size_t size)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof attr,
                                   .config = PERF_COUNT_HW_CPU_CYCLES,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1,
                                   .disabled = 1};
    long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
    if (fd >= 0) {
        close((int)fd);
        snprintf(reason, size, "this processor's PMU has no such event that PAPI knows");
        return -ENOENT;
    }
    switch (errno) {
    case EACCES:
    case EPERM:
        snprintf(reason, size,
                 "refused: /proc/sys/kernel/perf_event_paranoid is %d (2 or less is needed), or a container forbids it",
                 paranoid());
        return -EACCES;
    case ENOSYS:
        snprintf(reason, size, "the kernel has no performance events");
        return -ENOENT;
    default:
        snprintf(reason, size, "no PMU: this machine (a guest?) gives the kernel no hardware counters");
        return -ENOENT;
    }
}

static int add_name(struct set *s, const char *name)
{
    int code = 0;
    char copy[64]; /* PAPI takes a pointer that is not const */
    snprintf(copy, sizeof copy, "%s", name);
    if (PAPI_event_name_to_code(copy, &code) != PAPI_OK)
        return PAPI_ENOEVNT;
    if (code & (int)PAPI_PRESET_MASK && PAPI_query_event(code) != PAPI_OK)
        return PAPI_ENOEVNT;
    return PAPI_add_event(s->events, code);
}

static int add(void *set, enum counter_id id, enum counter_source source, char *reason, size_t size)
{
    struct set *s = set;
    const struct counter_info *info = &counter_info[id];
    if (!info->papi[0] || info->papi_source != source) {
        snprintf(reason, size, "-"); /* never has it: not worth a word */
        return -ENOENT;
    }
    if (s->events == PAPI_NULL) {
        snprintf(reason, size, "PAPI could not be initialised");
        return -ENOENT;
    }
    int code = PAPI_ENOEVNT;
    for (size_t i = 0; i < COUNT(info->papi) && info->papi[i] && code == PAPI_ENOEVNT; i++)
        code = add_name(s, info->papi[i]);
    if (code == PAPI_OK) {
        s->id[s->n++] = id;
        return 0;
    }
    if (code == PAPI_ECNFLCT || code == PAPI_ECOUNT) {
        snprintf(reason, size, "does not fit beside the others without taking turns");
        return -EBUSY;
    }
    if (source == SOURCE_HARDWARE)
        return say_why_no_hardware(reason, size);
    snprintf(reason, size, "PAPI: %s", PAPI_strerror(code));
    return code == PAPI_EPERM ? -EACCES : -ENOENT;
}

static int add_hardware(void *set, enum counter_id id, char *reason, size_t size)
{
    return add(set, id, SOURCE_HARDWARE, reason, size);
}

static int add_software(void *set, enum counter_id id, char *reason, size_t size)
{
    return add(set, id, SOURCE_SOFTWARE, reason, size);
}

/* ---- counting ---- */

static int set_start(void *set)
{
    struct set *s = set;
    return s->n && PAPI_start(s->events) == PAPI_OK ? 0 : -EIO;
}

static int set_stop(void *set, int64_t value[COUNTERS])
{
    struct set *s = set;
    long long count[COUNTERS] = {0};
    if (PAPI_stop(s->events, count) != PAPI_OK)
        return -EIO;
    for (int i = 0; i < s->n; i++)
        value[s->id[i]] = count[i];
    return 0;
}

const struct counter_provider counter_papi_hardware = {"PAPI",    SOURCE_HARDWARE, set_open, add_hardware,
                                                       set_start, set_stop,        set_close};
const struct counter_provider counter_papi_software = {"PAPI",    SOURCE_SOFTWARE, set_open, add_software,
                                                       set_start, set_stop,        set_close};
