/* ring_plan.h: in which order the ring runs on streams, and what waits for what; plain C, for the ring and its tests.
 *
 * Idea       A rank has two streams: one computes, one sends. It has three buffers for blocks: HOME with its own, which
 *            stays, and two that blocks come by in, taken in turn. In step s it computes with the block that it holds
 *            and sends it on at once; the next one arrives meanwhile in the other buffer.
 * Invariant  A move waits for three things at most:
 *              ARRIVED   to read a block, by computing or sending: until it is there;
 *              COMPUTED  to write into the next rank's buffer: until that has computed with what is in it;
 *              SENT      and until it has sent that on.
 *            An event stands for the last move that recorded it. Those of the two buffers are apart, so no move of a
 *            step can replace an event that another move of the same step waits for.
 * Cost       P - 1 copies of a block a rank; nothing waits for the host, and no rank for another but where it must.
 * Gets wrong Every block visits every rank, as in ring.c.
 */
#ifndef CUDA_RING_PLAN_H
#define CUDA_RING_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define RING_HOME    2u /* buffers: 0, 1, and this */
#define RING_BUFFERS 3u
#define RING_NONE    UINT32_MAX

/* Streams and events by number. */
static inline uint32_t ring_stream(uint32_t rank, bool sends)
{
    return 2 * rank + (sends ? 1 : 0);
}
static inline uint32_t ring_arrived(uint32_t rank, uint32_t buffer)
{
    return 4 * rank + buffer;
}
static inline uint32_t ring_computed(uint32_t rank, uint32_t buffer)
{
    return 4 * rank + 2 + buffer;
}
#define RING_EVENTS_OF_A_RANK 4u

static inline uint32_t ring_buffer(uint32_t step)
{
    return step == 0 ? RING_HOME : step % 2;
}

struct ring_move {
    bool sends;             /* to the next rank; else it computes */
    uint32_t rank, step;    /* who, when */
    uint32_t whose;         /* block it is */
    uint32_t buffer, there; /* of its own that is read; of the next rank that is written */
    uint32_t stream, wait[3], waits;
    uint32_t records; /* an event; RING_NONE: none */
};

static inline uint32_t ring_moves(uint32_t ranks)
{
    return ranks * (2 * ranks - 1);
}

/* Move `n`, in the order in which they are put into their streams: step by step, in each one first all that send. */
static inline struct ring_move ring_move(uint32_t ranks, uint32_t n)
{
    uint64_t both = 2 * (uint64_t)ranks;
    uint32_t step = (uint32_t)(n / both), i = (uint32_t)(n % both), me = i % ranks, next = (me + 1) % ranks;
    bool last = step == ranks - 1; /* in which nobody sends */
    struct ring_move m = {.sends = !last && i < ranks,
                          .rank = me,
                          .step = step,
                          .whose = (me + ranks - step) % ranks,
                          .buffer = ring_buffer(step)};
    m.there = m.sends ? ring_buffer(step + 1) : RING_NONE;
    m.stream = ring_stream(me, m.sends);
    m.records = m.sends ? ring_arrived(next, m.there) : step ? ring_computed(me, m.buffer) : RING_NONE;
    if (step > 0)
        m.wait[m.waits++] = ring_arrived(me, m.buffer);
    if (m.sends && step > 1) { /* `there` held the block of the step before */
        m.wait[m.waits++] = ring_computed(next, m.there);
        m.wait[m.waits++] = ring_arrived((next + 1) % ranks, m.buffer);
    }
    return m;
}

#endif
