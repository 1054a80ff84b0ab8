/* A wrong answer to token-bucket: a token takes T / N nanoseconds, in whole numbers.
 *
 * Its author believed that a nanosecond is short enough to round to. With 7 in 100 ns a token takes 14.28; rounded to
 * 14 that is 2 % too much, for ever, and at high rates any factor up to 2.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns, burst;
};

/* In nanoseconds: a token takes T/N of them. What is missing is kept
 * rather than what is there, so that zeros are a full bucket. */
struct state {
    wide missing;
    uint64_t since;
};

static wide missing(const struct state *s, uint64_t now)
{
    const wide fell = now - s->since;
    return s->missing > fell ? s->missing - fell : 0;
}

static bool idle(const void *limiter, const void *state, uint64_t now)
{
    (void)limiter;
    return missing(state, now) == 0;
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
    const uint64_t token = l->window_ns / l->limit ? l->window_ns / l->limit : 1;
    const wide full = (wide)l->burst * token, wanted = (wide)cost * token;
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    s->missing = missing(s, now);
    s->since = now;
    const uint64_t left = (uint64_t)((full - s->missing) / token);
    if (cost > l->burst)
        return refused(RL_NEVER, left);
    if (s->missing + wanted > full)
        return refused((uint64_t)(s->missing + wanted - full), left);
    s->missing += wanted;
    return allowed(left - cost);
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = keys_bytes,
};
RL_ENTRY(token_bucket, "token-bucket", "a bucket of B tokens, into which N fall in T", &ops);
