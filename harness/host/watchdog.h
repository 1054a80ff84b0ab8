/* watchdog.h: ends a process that waits for something that never comes.
 *
 * A deadline by the wall clock ends whoever the machine has no time for. So what is looked at is progress: a process
 * that used less than a hundredth of the time since the last look was not kept waiting by others (with thirty of them
 * beside it, it still gets more), it slept or waits for itself. Whoever computes without end meets its limit of
 * processor time instead.
 */
#ifndef HOST_WATCHDOG_H
#define HOST_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Looks at the child every so many ms from now on, by SIGALRM, and kills it when it was idle. One at a time. 0 or
 * -errno. */
int watchdog_start(pid_t child, uint64_t ms);
bool watchdog_killed(void);

#endif
