/* A wrong answer to gcra: a time in the past is left in the past.
 *
 * Its author believed that the time only ever moves by T/N. After a pause it lies far back, and everything fits until
 * it has caught up: the bucket without a rim, in another dress.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns, burst;
};

/* When the bucket would be full again if nobody asked, in 1/N ns: then a token takes T of them, a nanosecond N. */
struct state {
    wide full_at;
};

static bool idle(const void *limiter, const void *state, uint64_t now)
{
    const struct limiter *l = limiter;
    return ((const struct state *)state)->full_at <= (wide)now * l->limit;
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
    const wide present = (wide)now * l->limit, latest = present + (wide)l->burst * l->window_ns;
    const wide from = s->full_at, to = from + (wide)cost * l->window_ns;
    const uint64_t left = latest - from < (wide)RL_MAX_TIME ? (uint64_t)((latest - from) / l->window_ns) : RL_MAX_TIME;
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (to > latest)
        return refused((uint64_t)divide_up(to - latest, l->limit), left);
    s->full_at = to;
    return allowed(left - cost);
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = keys_bytes,
};
RL_ENTRY(gcra, "gcra", "the same bucket in one time a key", &ops);
