/* loop_parts.h: what the two parts of the loop share: ranks, and what is on its way between them. */
#ifndef LOOP_PARTS_H
#define LOOP_PARTS_H

#include "loop.h"

#include <ucontext.h>

/* On the link from a rank to the next: in its queue until the receiver takes it. */
struct message {
    struct message *next;
    const void *data; /* the sender's, who has to wait while it is needed; or ... */
    void *copy;       /* ... the link's, and the sender has gone on */
    size_t bytes;
    uint64_t from, end; /* when the sender was there; when all has arrived, once that is known (timed) */
    bool held, timed, taken;
};

/* What a rank has said that it takes. */
struct expected {
    void *data;
    size_t bytes;
    uint64_t from;
    bool now; /* else none */
};

struct rank {
    struct loop *loop;
    struct at_link link;
    uint32_t number;
    ucontext_t context;
    void *stack;
    uint64_t now;
    bool begun, ended, at_barrier;
    struct expected in;
    struct message *out; /* not let go yet; also in the queue, until it is taken */

    struct message *queue; /* to the next rank; the oldest first */
    size_t holds;          /* bytes of those messages that are held */
    uint64_t link_free, room_since;
    struct loop_rank told;
};

struct loop {
    const struct loop_settings *settings;
    int (*body)(void *context, const struct at_link *link);
    void *context;
    struct loop_record *record;
    ucontext_t scheduler;
    struct rank *turn;
    const struct rank *failed; /* the first that did */
    uint64_t changes;
    int broken; /* what calls fail with from now on */
    uint32_t arrived;
    uint64_t barrier_end;
    struct rank rank[];
};

struct at_link loop_link(struct rank *r);
void loop_forget(struct rank *r);
uint64_t loop_add_time(struct loop *l, uint64_t from, uint64_t amount, double per_ns); /* from + amount / per_ns */
void loop_note(struct rank *r, uint32_t what, uint64_t amount, uint64_t begin, uint64_t end);

static inline uint64_t loop_later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
