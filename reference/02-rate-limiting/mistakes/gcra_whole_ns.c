/* A wrong answer to gcra: T / N in whole nanoseconds.
 *
 * Its author believed that a nanosecond is short enough to round to. 3,000 a second take 333,333.3 ns each; what is cut
 * off adds up, and above 10^9 a second nothing is left of it.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns, burst;
};

/* When the bucket would be full again if nobody asked, in ns. */
struct state {
    uint64_t full_at;
};

static bool idle(const void *limiter, const void *state, uint64_t now)
{
    (void)limiter;
    return ((const struct state *)state)->full_at <= now;
}

static int create(const struct rl_config *config, void **limiter)
{
    const int code = limiter_create(sizeof(struct limiter), sizeof(struct state), idle, limiter);
    if (code)
        return code;
    struct limiter *l = *limiter;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    l->burst = config->burst;
    return 0;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    struct state *s = keys_find(&l->keys, key, now);
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    const uint64_t token = l->window_ns / l->limit ? l->window_ns / l->limit : 1;
    const wide present = now, latest = present + (wide)l->burst * token;
    const wide from = s->full_at > present ? s->full_at : present, to = from + (wide)cost * token;
    const uint64_t left = (uint64_t)((latest - from) / token);
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (to > latest)
        return refused((uint64_t)(to - latest), left);
    s->full_at = (uint64_t)to;
    return allowed(left - cost);
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = keys_bytes,
};
RL_ENTRY(gcra, "gcra", "the same bucket in one time a key", &ops);
