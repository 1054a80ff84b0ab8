/* A wrong answer to sliding-log: a request that is exactly T old still counts.
 *
 * Its author believed that > and >= are a matter of taste. A window of length T holds what lies less than T apart, so
 * one request every T must always fit with N = 1; here it is refused, and told to come back in 0 ns.
 */
#include "table.h"

struct limiter {
    struct keys keys;
    uint64_t limit, window_ns;
};

struct request {
    uint64_t at;
    uint32_t cost;
};

struct state {
    struct request *ring; /* [room], a power of two; NULL: nothing */
    uint32_t first, count, room;
    uint64_t used; /* sum of the costs in the ring */
};

static struct request *nth(const struct state *s, uint32_t n)
{
    return &s->ring[(s->first + n) & (s->room - 1)];
}

static bool idle(const void *limiter, const void *state, uint64_t now)
{
    const struct limiter *l = limiter;
    const struct state *s = state;
    return s->count == 0 || now - nth(s, s->count - 1)->at >= l->window_ns;
}

static void drop(void *state)
{
    struct state *s = state;
    free(s->ring);
}

static int create(const struct rl_config *config, void **limiter)
{
    const int code = limiter_create(sizeof(struct limiter), sizeof(struct state), idle, limiter);
    if (code)
        return code;
    struct limiter *l = *limiter;
    l->keys.drop = drop;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    return 0;
}

static bool grow(struct state *s)
{
    const uint32_t room = s->room ? 2 * s->room : 4;
    struct request *ring = malloc(room * sizeof *ring);
    if (!ring)
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        ring[i] = *nth(s, i);
    free(s->ring);
    s->ring = ring;
    s->first = 0;
    s->room = room;
    return true;
}

/* The wait until enough of the oldest are T old. */
static uint64_t retry(const struct limiter *l, const struct state *s, uint64_t now, uint32_t cost)
{
    uint64_t used = s->used;
    for (uint32_t i = 0; i < s->count; i++) {
        used -= nth(s, i)->cost;
        if (used + cost <= l->limit)
            return nth(s, i)->at + l->window_ns - now;
    }
    return RL_NEVER;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    struct state *s = keys_find(&l->keys, key, now);
    (void)node;
    if (!s)
        return refused(RL_UNKNOWN, 0);
    while (s->count > 0 && now - nth(s, 0)->at > l->window_ns) {
        s->used -= nth(s, 0)->cost;
        s->first = (s->first + 1) & (s->room - 1);
        s->count--;
    }
    if (s->used + cost > l->limit)
        return refused(retry(l, s, now, cost), l->limit - s->used);
    if (s->count == s->room && !grow(s))
        return refused(RL_UNKNOWN, 0);
    *nth(s, s->count++) = (struct request){now, cost};
    s->used += cost;
    return allowed(l->limit - s->used);
}

static size_t bytes(const void *limiter)
{
    const struct limiter *l = limiter;
    size_t bytes = keys_bytes(limiter);
    for (size_t i = 0; i < l->keys.slots; i++)
        bytes += ((struct state *)(keys_slot(&l->keys, i) + 1))->room * sizeof(struct request);
    return bytes;
}

static const struct rl_ops ops = {
    .create = create,
    .destroy = keys_destroy,
    .allow = allow,
    .bytes = bytes,
};
RL_ENTRY(sliding_log, "sliding-log", "N in any window: remembers when each was allowed", &ops);
