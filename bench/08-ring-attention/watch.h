/* watch.h: looks over a rank's shoulder: when it computes, when it waits, how far it is. Blocks and link stay what they
 * are; they are called through functions that take the time.
 */
#ifndef WATCH_H
#define WATCH_H

#include "job.h"

struct watch {
    const struct job *job;
    struct job_rank *rank;
    struct at_link inner, link; /* the rank is given `link` */
    bool virtual_clock;         /* loop_now; and computing takes a unit of work for each pair that is seen */
    uint32_t step;
    uint64_t met, all;
};

/* The rank that runs on this thread is watched from now on; NULL: none is. */
void watch_begin(struct watch *watch, const struct job *job, struct job_rank *rank, const struct at_link *link,
                 bool virtual_clock);
void watch_workspace(const struct job *job); /* for a call of ring_workspace: without a rank */
void watch_end(void);

extern const struct at_ops watch_blocks; /* the job's, watched */

#endif
