/* A wrong answer to token-bucket: tokens are a double.
 *
 * Its author believed that a small error stays small. A tenth, added ten times, is not 1, so the token that is due now
 * is refused; and after a billion requests the error is no longer small.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns, burst;
};

/* In 1/T of a token: N of these fall into the bucket in a nanosecond, and a token is T of them. What is missing is kept
 * rather than what is there, so that zeros are a full bucket. */
struct state {
    double missing; /* tokens */
    uint64_t since;
};

static double missing(const struct limiter *l, const struct state *s, uint64_t now)
{
    const double fell = (double)(now - s->since) * ((double)l->limit / (double)l->window_ns);
    return s->missing > fell ? s->missing - fell : 0;
}

static bool idle(const void *limiter, const void *state, uint64_t now)
{
    return missing(limiter, state, now) <= 0;
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
    const double full = (double)l->burst, wanted = cost;
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    s->missing = missing(l, s, now);
    s->since = now;
    const uint64_t left = (uint64_t)(full - s->missing);
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (s->missing + wanted > full)
        return refused((uint64_t)((s->missing + wanted - full) * (double)l->window_ns / (double)l->limit) + 1, left);
    s->missing += wanted;
    return allowed(left > cost ? left - cost : 0);
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = keys_bytes,
};
RL_ENTRY(token_bucket, "token-bucket", "a bucket of B tokens, into which N fall in T", &ops);
