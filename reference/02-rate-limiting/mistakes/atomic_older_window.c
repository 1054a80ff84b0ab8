/* A wrong answer to atomic-window: any other window begins anew, an older one too.
 *
 * Its author believed that time does not go back. It does not; but another thread's clock may be a little behind, or a
 * thread may be stopped between looking at the clock and asking. Around every edge the count is then thrown away
 * twice.
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
    if (atomic_load(&s->window) != window) {
        pthread_mutex_lock(&l->turning);
        if (atomic_load(&s->window) != window) {
            atomic_store(&s->count, 0);
            atomic_store(&s->window, window);
        }
        pthread_mutex_unlock(&l->turning);
    }
    uint64_t count = atomic_load(&s->count);
    do
        if (count + cost > l->limit)
            return no(l, window, count, now, cost);
    while (!atomic_compare_exchange_weak(&s->count, &count, count + cost));
    return allowed(l->limit - count - cost);
}

static const struct rl_ops ops = {
    .create = slots_create, .destroy = free, .allow = allow, .bytes = slots_bytes, .thread_safe = true};
RL_ENTRY(fixed_window_atomic, "fixed-window-atomic", "a fixed window for threads", &ops);
