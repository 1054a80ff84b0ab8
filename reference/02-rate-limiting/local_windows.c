/* Local windows: every node keeps a fixed window of its own, with the whole limit.
 *
 * Idea       None: it is what one gets by starting a second copy of a service that limits. No node knows of the others.
 * Invariant  Each node allows at most N in a window, so all together nodes x N; and a client whose requests always
 *            come to the same node gets N.
 * Cost       A count a node and key; no message.
 * Gets wrong The limit, by the number of nodes, which changes with every deployment. Giving each node N / nodes instead
 *            refuses clients that are not spread evenly: distributed_window.c.
 * Source     folklore; envoy's local rate limit filter is documented as being of this kind.
 */
#include "keys.h"

#define MOST_NODES 4096u

struct slot {
    uint64_t id, window;
    uint32_t count[]; /* [nodes] */
};

struct limiter {
    struct keys keys;
    struct windows windows;
    uint64_t limit;
    uint32_t nodes;
};

static bool idle(void *limiter, void *slot, uint64_t now)
{
    struct limiter *l = limiter;
    return ((struct slot *)slot)->window != now / l->windows.length;
}

static int create(const struct rl_config *config, void **out)
{
    if (config_check(config, false) || config->nodes < 1 || config->nodes > MOST_NODES)
        return -EINVAL;
    size_t slot_size = (sizeof(struct slot) + config->nodes * sizeof(uint32_t) + 7) / 8 * 8;
    int code = keys_create(sizeof(struct limiter), slot_size, idle, out);
    if (code)
        return code;
    struct limiter *l = *out;
    l->limit = config->limit;
    l->windows.length = config->window_ns;
    l->nodes = config->nodes;
    return 0;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t window = windows_at(&l->windows, now);
    struct slot *s = keys_find(&l->keys, l->keys.slot_size, key, now);
    if (!s)
        return answer_no_memory();
    if (s->window != window) {
        s->window = window;
        memset(s->count, 0, l->nodes * sizeof *s->count);
    }
    uint64_t left = l->limit - s->count[node];
    if (cost > left)
        return answer_refused(cost > l->limit ? RL_NEVER : l->windows.start + l->windows.length - now, left);
    s->count[node] += cost;
    return answer_allowed(left - cost);
}

static const struct rl_ops ops = {.create = create, .destroy = keys_end, .allow = allow, .bytes = keys_bytes};
RL_ENTRY(local_windows, "local-windows", "each node a fixed window of its own: nodes x N", &ops);
