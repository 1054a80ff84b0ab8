/* slots.h: what the mistakes with threads share: a table of keys that never grows and never moves, so that a slot may
 * be changed without a lock. A key takes a slot with a compare-and-swap. */
#ifndef SLOTS_H
#define SLOTS_H

#include "table.h"

#include <pthread.h>
#include <stdatomic.h>

#define SLOTS 65536u

struct slot {
    _Atomic uint32_t taken; /* 0 free, 1 its key is being written, 2 it has a key */
    uint64_t key;
    _Atomic uint64_t window, count;
};

struct limiter {
    uint64_t limit, window_ns;
    pthread_mutex_t turning;
    struct slot slot[SLOTS];
};

static inline int slots_create(const struct rl_config *config, void **limiter)
{
    struct limiter *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    pthread_mutex_init(&l->turning, NULL);
    *limiter = l;
    return 0;
}

static inline size_t slots_bytes(const void *limiter)
{
    (void)limiter;
    return sizeof(struct limiter);
}

static inline struct slot *slots_find(struct limiter *l, uint64_t key)
{
    for (size_t i = key * UINT64_C(0x9e3779b97f4a7c15) >> 48;; i = (i + 1) % SLOTS) {
        struct slot *s = &l->slot[i];
        uint32_t is_free = 0;
        if (atomic_compare_exchange_strong(&s->taken, &is_free, 1)) {
            s->key = key;
            atomic_store(&s->taken, 2);
            return s;
        }
        while (atomic_load(&s->taken) != 2) {
        }
        if (s->key == key)
            return s;
    }
}

/* One thread at a time moves a key to a new window; until then nobody counts in it. */
static inline void turn(struct limiter *l, struct slot *s, uint64_t window)
{
    pthread_mutex_lock(&l->turning);
    if (atomic_load(&s->window) < window) {
        atomic_store(&s->count, 0);
        atomic_store(&s->window, window);
    }
    pthread_mutex_unlock(&l->turning);
}

#endif
