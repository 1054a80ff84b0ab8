/* Fixed window: a count for each key, and everybody's count starts at 0 when the window ends.
 *
 * Idea       Time is cut at the multiples of T. A request is counted in the window it falls into, and allowed while
 *            that window's count stays within N. Nothing has to happen at a cut: a count that carries another window's
 *            number is worth 0.
 * Invariant  In [k T, (k+1) T) at most N units are allowed, and no request is refused that would fit.
 * Cost       A number and a count a key: 16 bytes, one comparison, one addition.
 * Gets wrong Nothing is promised about windows that lie elsewhere. N just before a cut and N just after it are 2 N in
 *            no time at all, which is the worst there can be, since an interval of length T meets two windows at
 *            most. And all clients that were refused come back together, at the cut.
 * Source     Redis documentation of INCR ("rate limiter"); envoyproxy/ratelimit counts so too.
 */
#include "keys.h"

struct slot {
    uint64_t id, window, count;
};

struct limiter {
    struct keys keys;
    struct windows windows;
    uint64_t limit;
};

static bool idle(void *limiter, void *slot, uint64_t now)
{
    struct limiter *l = limiter;
    struct slot *s = slot;
    return s->count == 0 || s->window != now / l->windows.length;
}

static int create(const struct rl_config *config, void **out)
{
    int code = config_check(config, false);
    if (code == 0)
        code = keys_create(sizeof(struct limiter), sizeof(struct slot), idle, out);
    if (code)
        return code;
    struct limiter *l = *out;
    l->limit = config->limit;
    l->windows.length = config->window_ns;
    return 0;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t window = windows_at(&l->windows, now);
    struct slot *s = keys_find(&l->keys, sizeof *s, key, now);
    (void)node;
    if (!s)
        return answer_no_memory();
    if (s->window != window) {
        s->window = window;
        s->count = 0;
    }
    if (s->count + cost <= l->limit) {
        s->count += cost;
        return answer_allowed(l->limit - s->count);
    }
    uint64_t until_end = l->windows.start + l->windows.length - now;
    return answer_refused(cost <= l->limit ? until_end : RL_NEVER, l->limit - s->count);
}

static const struct rl_ops ops = {.create = create, .destroy = keys_end, .allow = allow, .bytes = keys_bytes};
RL_ENTRY(fixed_window, "fixed-window", "N in each window, counted from 0 at its start", &ops);
