/* tracing.h: wrappers that trace a rank: when it computes, when it waits, how far it is. Blocks and link stay what
 * they are; they are called through functions that take the time.
 */
#ifndef TRACING_H
#define TRACING_H

#include "job.h"

struct tracing {
    const struct job *job;
    struct job_rank *rank;
    struct at_link inner, link; /* the rank is given `link` */
    bool virtual_clock;         /* loop_now; and computing takes a unit of work for each pair that is seen */
    uint32_t step;
    uint64_t met, all;
};

/* The rank that runs on this thread is traced from now on; NULL: none is. */
void tracing_begin(struct tracing *watch, const struct job *job, struct job_rank *rank, const struct at_link *link,
                   bool virtual_clock);
void tracing_workspace(const struct job *job); /* for a call of ring_workspace: without a rank */
void tracing_end(void);

extern const struct at_ops tracing_blocks; /* the job's, traced */

#endif
