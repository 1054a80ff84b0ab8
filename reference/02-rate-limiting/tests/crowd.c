/* crowd.c: several threads at one limiter, and what each key got. */
#include "crowd.h"

#include "sim/rng.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

struct member {
    struct crowd *crowd;
    const struct rl_ops *ops;
    void *limiter;
    uint32_t number;
    pthread_t thread;
    pthread_barrier_t *start;
};

/* Waits until each thread has come here `times` times. */
static void meet(struct crowd *c, uint64_t times)
{
    __atomic_fetch_add(&c->arrived, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&c->arrived, __ATOMIC_ACQUIRE) < times * c->threads)
        sched_yield();
}

static void *member_run(void *argument)
{
    const struct member *m = argument;
    struct crowd *c = m->crowd;
    struct rng r;
    uint64_t place = (uint64_t)m->number * c->keys / c->threads;
    rng_seed(&r, c->seed, m->number);
    pthread_barrier_wait(m->start);
    for (uint64_t i = 0; i < c->calls; i++) {
        uint64_t turn = i / (c->calls / c->keys), key = c->order == AT_RANDOM ? rng_below(&r, c->keys)
                                                        : c->order == APART   ? (place + turn) % c->keys
                                                                              : turn;
        if (c->order == TOGETHER && i % (c->calls / c->keys) == 0)
            meet(c, key + 1);
        uint32_t cost = 1 + rng_below(&r, c->most_cost);
        if (m->ops->allow(m->limiter, c->first_key + key, c->now, cost, 0).allowed)
            __atomic_fetch_add(&c->units[key], cost, __ATOMIC_RELAXED);
    }
    return NULL;
}

void crowd_run(struct crowd *c, const struct rl_ops *ops, void *limiter)
{
    struct member member[RL_MAX_THREADS];
    pthread_barrier_t start;
    c->arrived = 0;
    c->units = calloc(c->keys, sizeof *c->units);
    if (!c->units)
        abort();
    pthread_barrier_init(&start, NULL, c->threads);
    for (uint32_t i = 0; i < c->threads; i++) {
        member[i] = (struct member){.crowd = c, .ops = ops, .limiter = limiter, .number = i, .start = &start};
        if (pthread_create(&member[i].thread, NULL, member_run, &member[i]) != 0)
            abort();
    }
    for (uint32_t i = 0; i < c->threads; i++)
        pthread_join(member[i].thread, NULL);
    pthread_barrier_destroy(&start);
}

void crowd_end(struct crowd *c)
{
    free(c->units);
    c->units = NULL;
}

void crowd_move(void)
{
    static cpu_set_t all; /* that the thread could run on at first */
    static bool known;
    static size_t last;
    cpu_set_t one;
    if (!known && sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    known = true;
    do
        last = (last + 1) % CPU_SETSIZE;
    while (!CPU_ISSET(last, &all));
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}
