/* A wrong answer to token-bucket: a token a request, whatever it costs.
 *
 * Its author believed that cost is a detail for later. A request that scans a table pays as much as one that reads a
 * row.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns, burst;
};

/* In 1/T of a token: N of these fall into the bucket in a nanosecond, and a token is T of them. What is missing is kept
 * rather than what is there, so that zeros are a full bucket. */
struct state {
    wide missing;
    uint64_t since;
};

static wide missing(const struct limiter *l, const struct state *s, uint64_t now)
{
    const wide fell = (wide)(now - s->since) * l->limit;
    return s->missing > fell ? s->missing - fell : 0;
}

static bool idle(const void *limiter, const void *state, uint64_t now)
{
    return missing(limiter, state, now) == 0;
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
    const wide full = (wide)l->burst * l->window_ns, wanted = l->window_ns;
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    s->missing = missing(l, s, now);
    s->since = now;
    const uint64_t left = (uint64_t)((full - s->missing) / l->window_ns);
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (s->missing + wanted > full)
        return refused((uint64_t)divide_up(s->missing + wanted - full, l->limit), left);
    s->missing += wanted;
    return allowed(left - 1);
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = keys_bytes,
};
RL_ENTRY(token_bucket, "token-bucket", "a bucket of B tokens, into which N fall in T", &ops);
