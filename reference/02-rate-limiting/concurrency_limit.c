/* Concurrency limit: at most N units of a key under way at one time.
 *
 * Idea       Count not what comes in but what is inside. A rate says nothing about work: a hundred requests a second
 *            are one at a time if each takes 10 ms, and a thousand at a time if each takes 10 s. What exhausts a
 *            server (threads, memory, connections) is the second number.
 * Invariant  The sum of the costs of all that were allowed and have not ended is at most N. By Little's law the rate
 *            that passes is at most N / mean latency: when the server becomes slow, less is let in, without anybody
 *            measuring.
 * Cost       A count a key: 8 bytes.
 * Retry      RL_UNKNOWN: it depends on when others end.
 * Gets wrong Whoever forgets to report an end, on one path out of many, loses a unit for good. And N has to be right:
 *            adaptive_concurrency.c finds it.
 * Source     Little 1961; Netflix concurrency-limits (FixedLimit); "bulkhead" in Nygard, Release It! (2007).
 */
#include "keys.h"

struct slot {
    uint64_t id, in_flight;
};

struct limiter {
    struct keys keys;
    uint64_t limit;
};

static bool idle(void *limiter, void *slot, uint64_t now)
{
    (void)limiter, (void)now;
    return ((struct slot *)slot)->in_flight == 0;
}

static int create(const struct rl_config *config, void **out)
{
    int code = config_check(config, false);
    if (code == 0)
        code = keys_create(sizeof(struct limiter), sizeof(struct slot), idle, out);
    if (code == 0)
        ((struct limiter *)*out)->limit = config->limit;
    return code;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    struct slot *s = keys_find(&l->keys, sizeof *s, key, now);
    (void)node;
    if (!s)
        return answer_no_memory();
    if (s->in_flight + cost > l->limit)
        return answer_refused(cost > l->limit ? RL_NEVER : RL_UNKNOWN, l->limit - s->in_flight);
    s->in_flight += cost;
    return answer_allowed(l->limit - s->in_flight);
}

static void done(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint64_t latency, enum rl_outcome outcome)
{
    struct limiter *l = limiter;
    struct slot *s = keys_find(&l->keys, sizeof *s, key, now);
    (void)latency, (void)outcome; /* however it ended */
    if (s)
        s->in_flight -= cost;
}

static const struct rl_ops ops = {
    .create = create, .destroy = keys_end, .allow = allow, .done = done, .bytes = keys_bytes};
RL_ENTRY(concurrency_limit, "concurrency-limit", "at most N of a key under way at one time", &ops);
