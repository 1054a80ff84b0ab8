/* job.h: a ring on numbers from a seed, over any transport: who holds what, how it went, whether it is right.
 *
 * Every number of q, k and v follows from the seed and from where it stands. So a rank makes its own shard, no rank ever
 * holds the whole, and still any row can be checked: whoever checks makes all keys again, a few at a time.
 *
 * One job at a time in a process. Functions return 0 or -errno.
 */
#ifndef JOB_H
#define JOB_H

#include "loop.h"
#include "ring_attention.h"

struct job {
    const struct at_ops *ops; /* with ring_forward */
    struct at_ring ring;
    uint64_t seed;
    uint32_t parts; /* a block's attention is computed in so many parts, one after the other; the same bits. 0: 1 */
    bool backward;  /* ring_backward after ring_forward */
    /* After each part, on the rank's thread: pairs of a query and a key that it has met, of how many. NULL: nothing */
    void (*tick)(void *context, uint32_t rank, uint64_t met, uint64_t all);
    void *context;
};

enum job_what { JOB_COMPUTE, JOB_WAIT, JOB_TRANSFER };

/* What a rank did when: ns since the ranks began, of the loop's clock or the one on the wall. A transfer is to the next
 * rank. */
struct job_span {
    uint32_t what, step;
    uint64_t begin, end;
};

/* A rank: what it holds, and what became of it. */
struct job_rank {
    uint32_t rank, n; /* rows */
    struct at_positions at;
    void *q, *k, *v; /* (batch, heads or kv_heads, n, d), dense */
    float *out, *lse;
    float *d_out, *d_q, *d_k, *d_v; /* backward */
    void *work;
    size_t work_bytes;
    uint64_t sent, begin, end; /* bytes; clock */
    struct job_span *span;
    uint32_t spans, room;
};

struct at_ranked job_ranked(const struct job *job, const struct job_rank *r, const struct at_link *link);
int job_rank_make(const struct job *job, uint32_t rank, struct job_rank *r);
void job_rank_free(struct job_rank *r);

/* Runs the ring as this rank: may be called again and again. Spans from clock_now_ns, or loop_now. */
int job_rank_run(const struct job *job, struct job_rank *r, const struct at_link *link, bool virtual_clock);

/* 64 bits of all that came out: equal where it is the same bit for bit. */
uint64_t job_rank_hash(const struct job *job, const struct job_rank *r);

/* The largest error of `rows` of the rank's rows, drawn at random in one head, against float64. */
struct job_error {
    double out, lse; /* absolute; relative where the log-sum-exp is beyond 1 */
    double size;     /* of the right output: root of the mean square */
};
int job_rank_check(const struct job *job, const struct job_rank *r, uint32_t rows, struct job_error *error);

/* Row `position` of q (which = 0), k (1), v (2) or d_out (3) in head h of batch b: d numbers of ring->type; d_out
 * float32. */
void job_row(const struct job *job, int which, uint32_t b, uint32_t h, uint64_t position, void *row);

uint64_t job_pairs(const struct at_ring *ring);    /* that are seen, in one head of one batch */
double job_operations(const struct at_ring *ring); /* 4 d for each of them */
uint64_t job_pairs_of(const struct at_problem *problem);

/* ---- all ranks in this process ---- */

enum job_transport {
    JOB_LOOP,    /* one at a time, on a clock of its own (loop.h) */
    JOB_THREADS, /* a thread each (link_threads.h), on a processor of its own where there are enough */
    JOB_SLOW,    /* the same over links of so many bytes a second (link_slow.c) */
};

struct job_way {
    enum job_transport transport;
    double bytes_per_second;   /* JOB_SLOW */
    struct loop_settings loop; /* JOB_LOOP, but for the ranks */
};

int job_make(const struct job *job, struct job_rank **ranks); /* all of them, each by a thread on its processor */
void job_free(const struct job *job, struct job_rank *ranks);
int job_run(const struct job *job, struct job_rank *ranks, const struct job_way *way, uint64_t *ns);

/* What the ring is measured against: the same numbers in one place, `threads` threads, a part each. */
struct job_whole;
int job_whole_make(const struct job *job, uint32_t threads, struct job_whole **whole);
void job_whole_free(struct job_whole *whole);
int job_whole_run(struct job_whole *whole, uint64_t *ns);
const float *job_whole_out(const struct job_whole *whole); /* (batch, heads, total, d) */

#endif
