/* watchdog.c: kills a child that makes no progress. */
#include "host/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static pid_t watched; /* for the handler */
static clockid_t used_clock;
static uint64_t used_before, least;
static volatile sig_atomic_t killed;

static uint64_t used(void)
{
    struct timespec t;
    return clock_gettime(used_clock, &t) == 0 ? (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec : UINT64_MAX;
}

static void look(int signal_number)
{
    const int before = errno;
    uint64_t now = used(); /* of a child that is gone there is none to be had, and none to be killed */
    (void)signal_number;
    if (now != UINT64_MAX && now - used_before < least) {
        killed = 1;
        kill(watched, SIGKILL);
    }
    used_before = now;
    errno = before;
}

int watchdog_start(pid_t child, uint64_t ms)
{
    const struct timeval each = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    int code = clock_getcpuclockid(child, &used_clock);
    watched = child;
    used_before = 0;
    least = ms * 10000;
    if (code || sigaction(SIGALRM, &(struct sigaction){.sa_handler = look, .sa_flags = SA_RESTART}, NULL) < 0 ||
        setitimer(ITIMER_REAL, &(struct itimerval){each, each}, NULL) < 0)
        return code ? -code : -errno;
    return 0;
}

bool watchdog_killed(void)
{
    return killed;
}
