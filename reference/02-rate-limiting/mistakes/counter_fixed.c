/* A wrong answer to sliding-counter: a fixed window, handed in again.
 *
 * Its author believed that nobody asks at the edge of a window. Somebody always does: everybody who was refused before.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns;
};

struct state {
    uint64_t window; /* the number of the window that `current` belongs to; `previous` belongs to the one before */
    uint32_t current, previous;
};

static bool idle(const void *limiter, const void *state, uint64_t now)
{
    const struct limiter *l = limiter;
    const struct state *s = state;
    return now / l->window_ns > s->window + 1;
}

static int create(const struct rl_config *config, void **limiter)
{
    const int code = limiter_create(sizeof(struct limiter), sizeof(struct state), idle, limiter);
    if (code)
        return code;
    struct limiter *l = *limiter;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    return 0;
}

/* How old a window has to be so that `previous` of the one before it leaves room for `cost` beside `current`:
 * the least e with previous x (T - e) <= (N - current - cost) x T. */
static uint64_t least_age(const struct limiter *l, uint64_t previous, uint64_t current, uint64_t cost)
{
    const wide room = (wide)(l->limit - current - cost) * l->window_ns;
    return room >= (wide)previous * l->window_ns ? 0 : l->window_ns - (uint64_t)(room / previous);
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    struct state *s = keys_find(&l->keys, key, now);
    const uint64_t window = now / l->window_ns, age = now % l->window_ns;
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    if (s->window != window)
        *s = (struct state){.window = window, .previous = 0};
    const uint64_t used = s->current + (uint64_t)divide_up((wide)s->previous * (l->window_ns - age), l->window_ns);
    if (used + cost <= l->limit) {
        s->current += cost;
        return allowed(l->limit - used - cost);
    }
    if (cost > l->limit)
        return refused(RL_NEVER, l->limit - used);
    if (s->current + cost <= l->limit)
        return refused(least_age(l, s->previous, s->current, cost) - age, l->limit - used);
    return refused(l->window_ns - age + least_age(l, s->current, 0, cost), l->limit - used);
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = keys_bytes,
};
RL_ENTRY(sliding_counter, "sliding-counter", "two windows, the older one by what is left of it", &ops);
