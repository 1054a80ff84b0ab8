/* A wrong answer to atomic-window: count++ by several threads.
 *
 * Its author believed that adding 1 is one step. It is three: read, add, write; and what another thread wrote in
 * between is lost. Under load a tenth of all requests are not counted.
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
    if (atomic_load(&s->window) < window)
        turn(l, s, window);
    uint64_t *plain = (uint64_t *)&s->count; /* slots.h has an atomic one, for other mistakes */
    const uint64_t count = *plain;
    if (count + cost > l->limit)
        return no(l, atomic_load(&s->window), count, now, cost);
    *plain = count + cost;
    return allowed(l->limit - count - cost);
}

static const struct rl_ops ops = {
    .create = slots_create, .destroy = free, .allow = allow, .bytes = slots_bytes, .thread_safe = true};
RL_ENTRY(fixed_window_atomic, "fixed-window-atomic", "a fixed window for threads", &ops);
