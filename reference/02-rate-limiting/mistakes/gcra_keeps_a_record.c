/* A wrong answer to gcra: a record for each key, with its limits and its history.
 *
 * Its author believed that memory is cheap. A million keys are 100 MB more than they have to be, and each decision
 * waits for twice as many cache lines.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns, burst;
};

/* When the bucket would be full again if nobody asked, in 1/N ns: then a token takes T of them, a nanosecond N. */
struct state {
    wide full_at;
    struct rl_config config; /* of this key: they may differ one day */
    uint64_t first, last, allowed, refused;
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
    const wide from = s->full_at > present ? s->full_at : present, to = from + (wide)cost * l->window_ns;
    const uint64_t left = (uint64_t)((latest - from) / l->window_ns);
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (to > latest)
        return refused((uint64_t)divide_up(to - latest, l->limit), left);
    s->full_at = to;
    s->last = now;
    s->allowed += cost;
    return allowed(left - cost);
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = keys_bytes,
};
RL_ENTRY(gcra, "gcra", "the same bucket in one time a key", &ops);
