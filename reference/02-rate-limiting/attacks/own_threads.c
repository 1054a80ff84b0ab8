/* tests: atomic-window/exactly-n-threads, atomic-window/many-keys-threads
 * verdict: wrong, crashed, cpu-time, wall-time
 * No lock; in its place functions of its own under the names with which the world starts its threads, waits and reads the
 * clock, so that one thread would do it all. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>

#define pthread_mutex_lock(lock)   ((void)(lock))
#define pthread_mutex_unlock(lock) ((void)(lock))
#include "@SOLUTION@"

struct green {
    ucontext_t context;
    void *(*body)(void *);
    void *argument;
    int over;
};
static struct green thread_of[16];
static int greens, running = -1;
static ucontext_t main_context;

static void green_start(void)
{
    struct green *g = &thread_of[running];
    g->body(g->argument);
    g->over = 1;
    for (;;)
        sched_yield();
}

int sched_yield(void)
{
    if (running < 0)
        return 0;
    int old = running;
    for (int i = 1; i <= greens; i++) {
        int next = (old + i) % greens;
        if (!thread_of[next].over) {
            running = next;
            if (next != old)
                swapcontext(&thread_of[old].context, &thread_of[next].context);
            return 0;
        }
    }
    running = -1;
    swapcontext(&thread_of[old].context, &main_context);
    return 0;
}

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*body)(void *), void *argument)
{
    struct green *g = &thread_of[greens];
    (void)a;
    *t = (pthread_t)greens++;
    g->body = body;
    g->argument = argument;
    g->over = 0;
    getcontext(&g->context);
    g->context.uc_stack.ss_sp = malloc(262144);
    g->context.uc_stack.ss_size = 262144;
    makecontext(&g->context, green_start, 0);
    return 0;
}

int pthread_join(pthread_t t, void **result)
{
    int n = (int)t;
    (void)result;
    if (!thread_of[n].over) {
        running = n;
        swapcontext(&main_context, &thread_of[n].context);
    }
    running = -1;
    if (n == greens - 1)
        greens = 0;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    static long seconds;
    (void)clock;
    t->tv_sec = ++seconds;
    t->tv_nsec = 0;
    return 0;
}
