/* Token bucket: tokens drip into a bucket, N in T, and it holds at most B of them; a request takes out what it costs.
 *
 * Idea       No timer drips. When somebody asks, what has dripped since the last time is added: elapsed x N / T tokens,
 *            up to B. A new key's bucket is full.
 * Invariant  In any interval of length L at most B + L N / T units are allowed (rounded down, since units are whole).
 *            With B = N and L = T that is 2 N: a bucket of a window's size doesn't bound the window. B + N is the
 *            bound, so who must keep to N' in any T has to choose B + N <= N'.
 * Exactness  Whole tokens won't do. Who adds floor(elapsed x N / T) and notes `now` loses a fraction at each look;
 *            asked often enough the bucket never fills. Floating point drifts instead. Here the level is a count of
 *            the pieces of rate.h, p of which are a token and q of which drip in a nanosecond: nothing is rounded,
 *            and it doesn't matter how often anybody looks.
 * Cost       A level and a time a key: 24 bytes; two products, a division for what is left.
 * Gets wrong After a quiet time B come at once. That is the point of it, and what the servers behind must stand.
 * Source     J. Turner, "New directions in communications" (1986); RFC 2697 (2 buckets); Linux tc-tbf(8).
 */
#include "keys.h"

struct slot {
    uint64_t id;
    uint64_t seen; /* when the level was right, plus 1; 0: never, and the bucket is full */
    wide level;    /* in 1/q ns */
};

struct limiter {
    struct keys keys;
    struct rate rate;
};

static wide level_at(const struct limiter *l, const struct slot *s, uint64_t now)
{
    if (s->seen == 0)
        return l->rate.full;
    wide level = s->level + (wide)(now + 1 - s->seen) * l->rate.q;
    return level < l->rate.full ? level : l->rate.full;
}

static bool idle(void *limiter, void *slot, uint64_t now)
{
    struct limiter *l = limiter;
    return now >= RL_MAX_TIME || level_at(l, slot, now) == l->rate.full;
}

static int create(const struct rl_config *config, void **out)
{
    struct rate rate;
    int code = rate_init(&rate, config, false);
    if (code == 0)
        code = keys_create(sizeof(struct limiter), sizeof(struct slot), idle, out);
    if (code == 0)
        ((struct limiter *)*out)->rate = rate;
    return code;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    const struct rate *r = &l->rate;
    struct slot *s = keys_find(&l->keys, sizeof *s, key, now);
    wide price = (wide)cost * r->p;
    (void)node;
    if (!s)
        return answer_no_memory();
    s->level = level_at(l, s, now);
    s->seen = now + 1;
    if (price <= s->level) {
        s->level -= price;
        return answer_allowed(wide_over(s->level, r->p));
    }
    uint64_t retry = cost > r->burst ? RL_NEVER : wide_over_up(price - s->level, r->q);
    return answer_refused(retry, wide_over(s->level, r->p));
}

static const struct rl_ops ops = {.create = create, .destroy = keys_end, .allow = allow, .bytes = keys_bytes};
RL_ENTRY(token_bucket, "token-bucket", "N tokens drip in each T, at most B are kept", &ops);
