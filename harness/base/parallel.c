/* parallel.c: the same function over 0 … n-1, on all cores. */
#include "base/parallel.h"

#include "base/text.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct job {
    uint32_t n;
    void (*body)(uint32_t, void *);
    void *context;
    atomic_uint_fast32_t next, finished;
};

unsigned parallel_threads(void)
{
    uint64_t wanted;
    if (text_number(getenv("FAULTLINE_THREADS"), &wanted) && wanted >= 1 && wanted <= 256)
        return (unsigned)wanted;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    return 1;
}

static void *work(void *argument)
{
    struct job *job = argument;
    uint32_t i;
    while ((i = (uint32_t)atomic_fetch_add(&job->next, 1)) < job->n) {
        job->body(i, job->context);
        atomic_fetch_add(&job->finished, 1);
    }
    return NULL;
}

void parallel_for(uint32_t n, void (*body)(uint32_t, void *), void *context, void (*done)(uint32_t, void *))
{
    struct job job = {.n = n, .body = body, .context = context};
    unsigned threads = parallel_threads(), started = 0;
    if (threads > n)
        threads = n;
    pthread_t ids[256];
    while (started < threads && pthread_create(&ids[started], NULL, work, &job) == 0)
        started++;
    if (started == 0) /* no thread to be had: the caller does it all */
        work(&job);
    while (done && atomic_load(&job.finished) < n) {
        done((uint32_t)atomic_load(&job.finished), context);
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    if (done)
        done(n, context);
}
