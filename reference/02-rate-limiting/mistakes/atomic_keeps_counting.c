/* A wrong answer to atomic-window: add first, then look, and leave it at that.
 *
 * Its author believed that what is added above the limit harms nobody. A refused request of cost 5 takes the place of a
 * smaller one that would fit; a refused request changes nothing, says the contract.
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
    const uint64_t count = atomic_fetch_add(&s->count, cost) + cost;
    return count <= l->limit ? allowed(l->limit - count) : no(l, atomic_load(&s->window), count, now, cost);
}

static const struct rl_ops ops = {
    .create = slots_create, .destroy = free, .allow = allow, .bytes = slots_bytes, .thread_safe = true};
RL_ENTRY(fixed_window_atomic, "fixed-window-atomic", "a fixed window for threads", &ops);
