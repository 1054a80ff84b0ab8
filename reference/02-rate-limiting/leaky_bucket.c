/* Leaky bucket as a meter: each request pours in what it costs, the bucket leaks N in T, and must not overflow at B.
 *
 * Idea       The token bucket seen from the other side: the water here is the tokens that are missing there. Nothing
 *            waits in it, despite the name: it only measures.
 * Invariant  The level is B less the token bucket's, always, so the two decide alike. In any interval of length L at
 *            most B + L N / T units are allowed.
 * Exactness  As in token_bucket.c: the level is counted in pieces of 1/q ns.
 * Cost       A level and a time a key: 24 bytes.
 * Same as    token_bucket.c and gcra.c, decision for decision. It is the nicer half of the pair to program, since an
 *            empty bucket is all zero, which is also what a new key has.
 * Gets wrong What the token bucket gets wrong. And the name: leaky_queue.c is what half of the books mean by it.
 * Source     ITU-T I.371, annex A (the "continuous-state leaky bucket algorithm"); nginx's limit_req with nodelay.
 */
#include "keys.h"

struct slot {
    uint64_t id;
    uint64_t seen; /* when the level was right */
    wide level;    /* in 1/q ns */
};

struct limiter {
    struct keys keys;
    struct rate rate;
};

static wide level_at(const struct limiter *l, const struct slot *s, uint64_t now)
{
    wide leaked = (wide)(now - s->seen) * l->rate.q;
    return s->level > leaked ? s->level - leaked : 0;
}

static bool idle(void *limiter, void *slot, uint64_t now)
{
    return level_at(limiter, slot, now) == 0;
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
    (void)node;
    if (!s)
        return answer_no_memory();
    s->level = level_at(l, s, now);
    s->seen = now;
    wide after = s->level + (wide)cost * r->p;
    if (after <= r->full) {
        s->level = after;
        return answer_allowed(wide_over(r->full - after, r->p));
    }
    uint64_t retry = cost > r->burst ? RL_NEVER : wide_over_up(after - r->full, r->q);
    return answer_refused(retry, wide_over(r->full - s->level, r->p));
}

static const struct rl_ops ops = {.create = create, .destroy = keys_end, .allow = allow, .bytes = keys_bytes};
RL_ENTRY(leaky_bucket, "leaky-bucket", "requests fill a bucket of B that leaks N in each T", &ops);
