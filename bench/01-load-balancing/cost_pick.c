/* cost_pick.c: what a pick and its answer cost, an operation of lab 01's bench, and whether an entry may be timed. */
#include "cost_parts.h"

#include "adapter.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_A_PICK  1000u
#define LATENCY_NS 1000000u
#define LINE       128 /* two lines: neighbours are fetched in pairs */

enum { FEW = 7, GONE = 3, IDLE_WEIGHT = 5 }; /* backends when an entry is verified */

struct driver {
    void *balancer;
    uint32_t *window; /* [mask + 1]: backends of the requests in flight, oldest at `at` */
    uint32_t *held;   /* [backends]: requests in flight; for entries that hear of idle backends */
    uint64_t at, mask, now;
    uint32_t backends, next_report;
    char pad[LINE];
};

struct picks {
    const struct lb_ops *ops, *inner;
    struct lb_config config, inner_config;
    pthread_mutex_t lock;
    unsigned threads;
    struct driver driver[];
};

static struct lb_config config_of(const struct cost_subject *s, unsigned thread)
{
    struct lb_config c = {.max_backends = (uint32_t)s->size,
                          .ewma_decay_ns = 1000000000,
                          .eject_after = 5,
                          .eject_max_percent = 50,
                          .eject_for_ns = 5000000000};
    rng_seed(&c.random, s->seed, thread);
    return c;
}

/* Unequal ones for what is timed; equal ones for what is verified, since an entry that looks at load and weight may
 * rightly pass over a small backend as long as few requests are in flight. */
static uint32_t weight_of(const struct cost_subject *s, uint32_t backend)
{
    return s->size == FEW ? 2 : 1 + backend % 3;
}

/* ---- a balancer at work ---- */

static inline uint32_t pick(const struct lb_ops *ops, struct driver *d)
{
    d->now += NS_A_PICK;
    return ops->pick(d->balancer, d->now);
}

/* The new pick takes the place of the oldest, which ends. */
static inline uint32_t end_oldest(const struct lb_ops *ops, struct driver *d, uint32_t backend)
{
    uint32_t *slot = &d->window[d->at++ & d->mask], oldest = *slot;
    *slot = backend;
    if (ops->done && oldest != LB_NONE)
        ops->done(d->balancer, oldest, LB_OK, LATENCY_NS + (d->at & 1023) * 1000, d->now);
    return oldest;
}

static void listen(const struct lb_ops *ops, struct driver *d, uint32_t backend, uint32_t oldest)
{
    if (backend != LB_NONE)
        d->held[backend]++;
    if (oldest != LB_NONE && --d->held[oldest] == 0 && ops->idle)
        ops->idle(d->balancer, oldest, d->now);
    if (ops->report) {
        ops->report(d->balancer, d->next_report, d->held[d->next_report], d->now);
        d->next_report = d->next_report + 1 < d->backends ? d->next_report + 1 : 0;
    }
}

static inline void drive(const struct lb_ops *ops, struct driver *d, uint64_t n)
{
    if (!ops->done && !ops->report && !ops->idle) {
        uint32_t sum = 0;
        for (uint64_t i = 0; i < n; i++)
            sum ^= pick(ops, d);
        __asm__ volatile("" : : "r"(sum));
    } else if (!ops->report && !ops->idle) {
        for (uint64_t i = 0; i < n; i++)
            end_oldest(ops, d, pick(ops, d));
    } else {
        for (uint64_t i = 0; i < n; i++) {
            uint32_t backend = pick(ops, d);
            listen(ops, d, backend, end_oldest(ops, d, backend));
        }
    }
}

void pick_run(void *state, unsigned thread, uint64_t n)
{
    struct picks *p = state;
    drive(p->ops, &p->driver[thread], n);
}

void pick_locked_run(void *state, unsigned thread, uint64_t n)
{
    struct picks *p = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++) {
        pthread_mutex_lock(&p->lock);
        drive(p->ops, &p->driver[0], 1);
        pthread_mutex_unlock(&p->lock);
    }
}

/* ---- made and ended ---- */

static int make_driver(struct picks *p, const struct cost_subject *s, unsigned thread)
{
    struct driver *d = &p->driver[thread];
    uint64_t window = 2;
    while (window < 2 * s->size)
        window *= 2;
    d->backends = (uint32_t)s->size;
    d->mask = window - 1;
    d->window = malloc(window * sizeof *d->window);
    d->held = calloc(s->size, sizeof *d->held);
    p->config = config_of(s, thread);
    p->inner_config = config_of(s, thread);
    p->config.inner = p->inner;
    p->config.inner_config = p->inner ? &p->inner_config : NULL;
    if (!d->window || !d->held)
        return -ENOMEM;
    memset(d->window, 0xff, window * sizeof *d->window);
    int code = p->ops->create(&p->config, &d->balancer);
    for (uint32_t b = 0; b < d->backends && code == 0; b++)
        code = p->ops->add(d->balancer, b, weight_of(s, b), d->now);
    if (code == 0)
        drive(p->ops, d, window);
    return code;
}

void pick_destroy(void *state)
{
    struct picks *p = state;
    for (unsigned t = 0; t < p->threads; t++) {
        if (p->driver[t].balancer)
            p->ops->destroy(p->driver[t].balancer);
        free(p->driver[t].window);
        free(p->driver[t].held);
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int pick_create(const struct cost_subject *subject, void **state, struct error *err)
{
    struct picks *p = calloc(1, sizeof *p + subject->threads * sizeof *p->driver);
    if (!p)
        return -ENOMEM;
    p->threads = subject->threads;
    p->ops = adapter_find(subject->plugin, subject->name, &p->inner);
    if (!p->ops) {
        free(p);
        return error_set(err, -ENOENT, "there is no entry %s", subject->name);
    }
    pthread_mutex_init(&p->lock, NULL);
    int code = 0;
    for (unsigned t = 0; t < subject->threads && code == 0; t++)
        code = make_driver(p, subject, t);
    if (code) {
        pick_destroy(p);
        return code;
    }
    *state = p;
    return 0;
}

/* ---- is it right at all? ---- */

static int wrong(char *why, size_t size, const char *what, uint32_t backend)
{
    snprintf(why, size, "it is wrong: %s (backend %u)", what, backend);
    return -1;
}

static int watch_picks(const struct lb_ops *ops, struct driver *d, bool after, char *why, size_t size)
{
    uint32_t count[FEW] = {0};
    for (int i = 0; i < 20000; i++) {
        uint32_t backend = pick(ops, d);
        if (backend >= FEW)
            return wrong(why, size, "a pick named no backend", backend);
        if (after && (backend == GONE || backend == IDLE_WEIGHT))
            return wrong(why, size, "a pick named a backend that left or has weight 0", backend);
        count[backend]++;
        listen(ops, d, backend, end_oldest(ops, d, backend));
    }
    for (uint32_t b = 0; b < FEW; b++)
        if (count[b] == 0 && !(after && (b == GONE || b == IDLE_WEIGHT)))
            return wrong(why, size, "a member got none of 20,000 picks", b);
    return 0;
}

int pick_verify(const struct cost_subject *subject, char *why, size_t size)
{
    struct cost_subject few = *subject;
    struct error err = {""};
    void *state = NULL;
    few.size = FEW;
    few.threads = 1;
    int code = pick_create(&few, &state, &err);
    if (code || !state) {
        snprintf(why, size, "it cannot be made: %.150s", err.text[0] ? err.text : strerror(-code));
        return -1;
    }
    struct picks *p = state;
    struct driver *d = &p->driver[0];
    memset(d->held, 0, FEW * sizeof *d->held);
    for (uint64_t i = 0; i <= d->mask; i++)
        if (d->window[i] != LB_NONE)
            d->held[d->window[i]]++;
    code = watch_picks(p->ops, d, false, why, size);
    if (code == 0) {
        p->ops->remove(d->balancer, GONE, d->now);
        if (p->ops->set_weight(d->balancer, IDLE_WEIGHT, 0, d->now) != 0)
            code = wrong(why, size, "a weight of 0 was refused", IDLE_WEIGHT);
    }
    /* Weight 0 means something to entries with weights only. */
    if (code == 0 && !(p->ops->can & LB_WEIGHTS))
        p->ops->remove(d->balancer, IDLE_WEIGHT, d->now);
    if (code == 0)
        code = watch_picks(p->ops, d, true, why, size);
    pick_destroy(p);
    return code;
}
