/* team.h: so many threads, each on a processor of its own where there are enough, near to each other (hwloc). */
#ifndef TEAM_H
#define TEAM_H

#include <stdint.h>

#define TEAM_MOST 256u

/* Calls `work` once for each number below `threads`, all at the same time; none begins before all are there. *code is
 * 0; what a call leaves there is its error. 0, or the first error by number, -EPIPE only where there is no other: that
 * somebody else has gone is the least that can be said. -EAGAIN: there are no so many threads, and nothing was called.
 * The first call from a thread that is not bound. */
int team_run(uint32_t threads, void (*work)(void *context, uint32_t number, int *code), void *context);

#endif
