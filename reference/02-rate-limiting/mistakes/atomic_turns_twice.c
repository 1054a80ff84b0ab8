/* A wrong answer to atomic-window: whoever sees an old window begins the new one.
 *
 * Its author believed that beginning a window is not part of counting. Two threads see the old one; the first begins
 * the new one and counts itself; then the second begins it again, and the first was never there.
 */
#include "slots.h"

static struct rl_answer no(const struct limiter *l, uint64_t window, uint64_t count, uint64_t now, uint32_t cost)
{
    return refused(cost > l->limit ? RL_NEVER : (window + 1) * l->window_ns - now,
                   l->limit > count ? l->limit - count : 0);
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    struct slot *s = slots_find(l, key);
    (void)node;
    const uint64_t window = now / l->window_ns;
    if (atomic_load(&s->window) < window) {
        atomic_store(&s->count, 0);
        atomic_store(&s->window, window);
    }
    uint64_t count = atomic_load(&s->count);
    do
        if (count + cost > l->limit)
            return no(l, atomic_load(&s->window), count, now, cost);
    while (!atomic_compare_exchange_weak(&s->count, &count, count + cost));
    return allowed(l->limit - count - cost);
}

static const struct rl_ops ops = {
    .create = slots_create, .destroy = free, .allow = allow, .bytes = slots_bytes, .thread_safe = true};
RL_ENTRY(fixed_window_atomic, "fixed-window-atomic", "a fixed window for threads", &ops);
