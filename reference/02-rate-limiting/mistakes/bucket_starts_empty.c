/* A wrong answer to token-bucket: a new key's bucket is empty.
 *
 * Its author believed that tokens have to be earned first. Every client's first request is then refused; and a key that
 * was forgotten because its bucket was full comes back empty.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns, burst;
};

/* In 1/T of a token: N of these fall into the bucket in a nanosecond, and a token is T of them. */
struct state {
    wide tokens;
    uint64_t since;
    bool known;
};

static wide level(const struct limiter *l, const struct state *s, uint64_t now)
{
    const wide full = (wide)l->burst * l->window_ns;
    if (!s->known)
        return 0;
    const wide tokens = s->tokens + (wide)(now - s->since) * l->limit;
    return tokens < full ? tokens : full;
}

static bool idle(const void *limiter, const void *state, uint64_t now)
{
    const struct limiter *l = limiter;
    return level(l, state, now) == (wide)l->burst * l->window_ns;
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
    const wide wanted = (wide)cost * l->window_ns;
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    s->tokens = level(l, s, now);
    s->since = now;
    s->known = true;
    const uint64_t left = (uint64_t)(s->tokens / l->window_ns);
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (s->tokens < wanted)
        return refused((uint64_t)divide_up(wanted - s->tokens, l->limit), left);
    s->tokens -= wanted;
    return allowed(left - cost);
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = keys_bytes,
};
RL_ENTRY(token_bucket, "token-bucket", "a bucket of B tokens, into which N fall in T", &ops);
