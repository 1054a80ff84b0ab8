/* hammer.c: several threads ask one limiter at once. */
#include "hammer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PATIENT 5000u /* looks at the others: some tens of microseconds; the host has no clock */

enum gate { SHUT, OPEN, GIVEN_UP };

struct side {
    struct side *all; /* [threads] */
    const struct hammer *hammer;
    const struct rl_ops *ops;
    void *limiter;
    struct hammer_count *count; /* [rounds][threads][keys] */
    _Atomic int *gate;
    pthread_t thread;
    uint32_t number;
    _Alignas(64) _Atomic uint64_t done; /* keys, in all rounds */
};

uint64_t hammer_records(const struct hammer *h)
{
    return (uint64_t)h->rounds * h->threads * h->keys;
}

/* ---- side by side ---- */

/* Have so many of the other threads done as much as this one? */
static bool others_are_here(const struct side *s, uint32_t others, uint64_t done)
{
    uint32_t here = 0;
    for (uint32_t i = 0; i < s->hammer->threads; i++)
        here += atomic_load_explicit(&s->all[i].done, memory_order_acquire) >= done;
    return here > others;
}

/* Whoever is ahead waits for one of the others, but not for long: it may not be running. He spins, so that the system
 * sees threads at work and gives them processors of their own. So where two threads run at the same time at all, most
 * keys are asked for by two at once. */
static void stay_together(struct side *s, uint64_t done)
{
    atomic_store_explicit(&s->done, done, memory_order_release);
    if (s->hammer->threads == 1 || others_are_here(s, 1, done))
        return;
    for (uint32_t looks = 0; looks < PATIENT && !others_are_here(s, 1, done); looks++) {
    }
}

/* Whoever waited is a little later. So that the threads are at every place of their calls relative to each other, each
 * then spins: one for 0 … 31 times a little, the next for as many after 32 keys, and so on. */
static void stagger(uint64_t done, uint32_t number)
{
    const uint32_t turns = (uint32_t)(done >> 5 * number & 31) * 8;
    for (uint32_t i = 0; i < turns; i++)
        atomic_signal_fence(memory_order_seq_cst);
}

/* Time may only move on when nobody is in the round before. */
static void meet(const struct side *s, uint64_t done)
{
    while (!others_are_here(s, s->hammer->threads - 1, done))
        sched_yield();
}

/* ---- a thread ---- */

static uint64_t ask(const struct side *s, uint64_t key, uint64_t now)
{
    const struct hammer *h = s->hammer;
    uint64_t admitted = 0;
    for (uint64_t i = 0; i < h->calls; i++)
        admitted += s->ops->allow(s->limiter, key, now, 1, s->number % h->config.nodes).allowed;
    return admitted;
}

static void *hit(void *context)
{
    struct side *s = context;
    const struct hammer *h = s->hammer;
    uint64_t done = 0;
    int gate;
    while ((gate = atomic_load(s->gate)) == SHUT)
        sched_yield();
    for (uint32_t round = 0; gate == OPEN && round < h->rounds; round++) {
        const uint64_t first = 1 + (h->fresh ? (uint64_t)round * h->keys : 0);
        struct hammer_count *count = s->count + ((size_t)round * h->threads + s->number) * h->keys;
        meet(s, done);
        for (uint32_t key = 0; key < h->keys; key++) {
            stagger(done, s->number);
            count[key].admitted = ask(s, first + key, h->now + round * h->step);
            stay_together(s, ++done);
        }
    }
    return NULL;
}

static int start_all(const struct hammer *h, struct side *side, _Atomic int *gate)
{
    uint32_t started = 0;
    while (started < h->threads && pthread_create(&side[started].thread, NULL, hit, &side[started]) == 0)
        started++;
    atomic_store(gate, started == h->threads ? OPEN : GIVEN_UP);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(side[i].thread, NULL);
    return started == h->threads ? 0 : -EAGAIN;
}

/* ---- all ---- */

static bool is_valid(const struct hammer *h)
{
    return h->threads >= 1 && h->threads <= HAMMER_THREADS && h->keys >= 1 && h->keys <= HAMMER_RECORDS &&
           h->rounds >= 1 && h->rounds <= HAMMER_RECORDS / h->keys && hammer_records(h) <= HAMMER_RECORDS &&
           h->now < RL_MAX_TIME && h->now >= (h->warm ? h->step : 0) &&
           h->step <= (RL_MAX_TIME - 1 - h->now) / h->rounds && h->config.nodes > 0;
}

int hammer_run(const struct hammer *h, const struct rl_ops *ops, struct decision_log *log)
{
    struct side side[HAMMER_THREADS];
    _Atomic int gate = SHUT;
    void *limiter;
    if (!is_valid(h))
        return -EINVAL;
    struct hammer_count *count = calloc((size_t)hammer_records(h), sizeof *count);
    int code = count ? ops->create(&h->config, &limiter) : -ENOMEM;
    if (code) {
        free(count);
        return code;
    }
    for (uint32_t i = 0; i < h->threads; i++)
        side[i] = (struct side){
            .all = side, .hammer = h, .ops = ops, .limiter = limiter, .count = count, .gate = &gate, .number = i};
    for (uint64_t key = 1; h->warm && key <= h->keys; key++)
        ops->allow(limiter, key, h->now - h->step, 1, 0);
    code = start_all(h, side, &gate);
    for (uint64_t i = 0; code == 0 && i < hammer_records(h); i++)
        log_append(log, &count[i]);
    ops->destroy(limiter);
    free(count);
    return code;
}
