/* loop.h: a ring of ranks in one process, one at a time: the transport that is the same on every run.
 *
 * Each rank has a stack of its own, and runs until it has to wait for another one; then that one's turn comes. So the
 * same events come in the same order on every run, with one thread, and no clock but a virtual one.
 *
 * What goes wrong by luck elsewhere goes wrong always here:
 *
 * - begin fills `in` with 0xFF bytes, which are NaN, and what was sent arrives in `wait`, not a moment before. `out` is
 *   read as late as it may be: when the receiver waits, or when the sender does and the receiver has begun. Who computes
 *   with a block that has not arrived, or writes to one that is still to leave, gets a wrong result.
 * - send waits while a link holds so many bytes that these are too many, unless the other side takes them. Where all
 *   wait, that is found and told: -EDEADLK.
 *
 * Time: each rank has a clock, which loop_work and waiting move on. A transfer takes bytes / bytes_per_ns, and the link
 * from a rank to the next carries one at a time. It begins when both sides are there for it: or with the sender
 * alone, when the link holds it. So what is computed between begin and wait is computed meanwhile.
 *
 * Errors, besides those of struct at_link: -EINVAL for NULL with bytes; -EDEADLK from the call that waited when all did;
 * -ENOBUFS when there are more events than room for them; -EOVERFLOW when a clock is at 2^63 ns. When a rank has ended
 * with an error, all calls of the others fail with -EPIPE. When it has ended without, those fail that need it.
 *
 * Threads: each may run loops of its own. Standing on its stack, a rank must not be left other than by returning.
 */
#ifndef LOOP_H
#define LOOP_H

#include "ring_attention.h"

#define LOOP_MAX_RANKS 64u

struct loop_settings {
    uint32_t ranks;      /* 1 ... LOOP_MAX_RANKS */
    size_t holds;        /* bytes that a link holds before send waits; 0: each waits until the other side takes it */
    double bytes_per_ns; /* of each link, 1 is 1 GB/s; 0: no transfer takes time */
    double work_per_ns;  /* units of loop_work in a ns; 0: work takes no time */
    size_t stack;        /* bytes for each rank; 0: 1 MiB */
};

enum loop_what {
    LOOP_SEND,     /* amount: bytes */
    LOOP_RECEIVE,  /* bytes */
    LOOP_BEGIN,    /* bytes that go out */
    LOOP_WAIT,     /* bytes that come in */
    LOOP_BARRIER,  /* 0 */
    LOOP_WORK,     /* units */
    LOOP_TRANSFER, /* bytes on the link from this rank to the next: no call, but what came of two */
};

/* Virtual ns. A call that failed is none. A rank's own events come in the order of time, one after the other. */
struct loop_event {
    uint32_t rank, what;
    uint64_t amount, begin, end;
};

struct loop_rank {
    int code;          /* what its body returned */
    uint64_t sent;     /* bytes, as link->sent has it */
    uint64_t work;     /* units of loop_work */
    uint64_t end;      /* virtual ns at which it ended */
    bool waited;       /* when all did (-EDEADLK), or the one it waited for had ended (-EPIPE): ... */
    bool out;          /* ... for its own bytes to be taken, rather than others' to come, ... */
    uint32_t what, on; /* ... in which call, for which rank (LOOP_BARRIER: the first that had not come) ... */
    uint64_t amount;   /* ... and so many bytes */
};

struct loop_record {
    struct loop_event *event; /* the caller's, set before; NULL: none wanted */
    size_t room;              /* of `event`, set before */
    size_t events;
    uint64_t total; /* virtual ns until the last rank ended */
    uint32_t first; /* the first rank that failed */
    struct loop_rank rank[LOOP_MAX_RANKS];
};

/* Runs `body` once for each rank. 0; -EDEADLK; what the body of the first rank that failed returned; -EINVAL for
 * settings that are none, -ENOMEM. `record` may be NULL. */
int loop_run(const struct loop_settings *settings, int (*body)(void *context, const struct at_link *link),
             void *context, struct loop_record *record);

/* Within a body, or what it calls: so much is computed. Elsewhere nothing happens. */
void loop_work(uint64_t units);

/* Virtual ns of the rank that runs; 0 elsewhere. */
uint64_t loop_now(void);

/* Who waits for what, in a sentence or some; "" where nobody waited. Returns text. */
const char *loop_tell(const struct loop_settings *settings, const struct loop_record *record, char *text, size_t size);

#endif
