/* link_edge.h: from one rank to the next: what is offered, what is wanted, and who moves it. */
#ifndef LINK_EDGE_H
#define LINK_EDGE_H

#include "link_threads.h"

#include <pthread.h>
#include <stdatomic.h>

/* Each edge is written by two threads at most (three with link_slow), all of it under its lock. */
struct edge {
    _Alignas(64) pthread_mutex_t lock;
    pthread_cond_t changed;
    _Atomic uint32_t version; /* one more with each change: who waits looks at it for a while before he sleeps */
    const void *out;
    void *in;
    size_t out_bytes, in_bytes;
    bool offered, wanted; /* by the sender; by the receiver. Both end when all is copied, or withdrawn */
    bool moving;          /* somebody copies, without the lock: neither side may go */
    bool no_sender, no_receiver;
    bool broken;
    bool spins; /* each rank has a processor of its own */

    struct link_transfer *transfer;
    uint32_t transfers, room;

    double bytes_per_second; /* not 0: only `mover` copies */
    uint64_t ready;          /* when both sides were there, clock_now_ns: a card would begin then */
    bool closing;
    pthread_t mover;
};

void edge_changed(struct edge *e); /* under the lock */

/* Copies what is offered to where it is wanted, under the lock, which it lets go meanwhile. Nobody else does then. */
void edge_move(struct edge *e, void (*copy)(struct edge *e));

/* link_slow.c: a thread that moves, at the edge's speed, until link_slow_end. 0 or -errno. */
int link_slow_begin(struct edge *e);
void link_slow_end(struct edge *e);

#endif
