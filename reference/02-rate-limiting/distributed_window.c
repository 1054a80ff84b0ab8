/* Distributed window: nodes count on their own, and tell each other every S what they counted.
 *
 * Idea       A round trip for each decision costs a hundred times what the decision does. So a node decides by what it
 *            knows: its own count, exactly, and those of the others as they were at the last multiple of S. All nodes
 *            live in this one limiter; `node` says who decides, and it looks at nothing that this node couldn't know.
 * Rules      Allowed in a window of T while own + others' at the last sync + cost <= N. What was counted at the very
 *            instant of a sync is told at the next one. A new window begins at 0 everywhere, for clocks agree.
 * Invariant  A node knows all but what the others allowed since the last sync. If each of M allows at a rate of r,
 *            that is (M - 1) r S at most, and so much can be allowed beyond N. Whatever the rates: each node alone
 *            stays within N, so M N is the most. With S -> 0 it is fixed-window, with S >= T local-windows.
 * Cost       Two counts a node and key; M (M - 1) messages every S, or 2 M through somebody in the middle.
 * Retry      The end of the window: until then, what the node gets to know only makes it stricter.
 * Gets wrong Bursts that are shorter than S. And what fixed_window.c gets wrong.
 * Source     the shape is that of Raghavan et al. 2007 ("Cloud control with distributed rate limiting", which gossips
 *            estimates); Cloudflare 2017 for counting asynchronously; YouTube's Doorman leases shares instead.
 */
#include "keys.h"

#define MOST_NODES 4096u

struct count {
    uint32_t now, told; /* allowed in the window; and until the last sync */
};

struct slot {
    uint64_t id, window;
    uint64_t sync;     /* number of the last sync that the counts know of */
    uint64_t all_told; /* sum */
    struct count node[];
};

struct limiter {
    struct keys keys;
    struct windows windows, syncs;
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
    if (config_check(config, false) || config->nodes < 1 || config->nodes > MOST_NODES || config->sync_ns < 1)
        return -EINVAL;
    size_t slot_size = sizeof(struct slot) + config->nodes * sizeof(struct count);
    int code = keys_create(sizeof(struct limiter), slot_size, idle, out);
    if (code)
        return code;
    struct limiter *l = *out;
    l->limit = config->limit;
    l->windows.length = config->window_ns;
    l->syncs.length = config->sync_ns;
    l->nodes = config->nodes;
    return 0;
}

/* Nothing was allowed since the slot was last looked at; so what it has counted until then is what a sync in between
 * told. */
static void catch_up(const struct limiter *l, struct slot *s, uint64_t window, uint64_t sync)
{
    if (s->window != window) {
        memset(s->node, 0, l->nodes * sizeof *s->node);
        s->all_told = 0;
        s->window = window;
        s->sync = sync;
    }
    if (s->sync == sync)
        return;
    s->sync = sync;
    s->all_told = 0;
    for (uint32_t i = 0; i < l->nodes; i++) {
        s->node[i].told = s->node[i].now;
        s->all_told += s->node[i].now;
    }
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t window = windows_at(&l->windows, now), sync = windows_at(&l->syncs, now);
    struct slot *s = keys_find(&l->keys, l->keys.slot_size, key, now);
    if (!s)
        return answer_no_memory();
    catch_up(l, s, window, sync);
    struct count *own = &s->node[node];
    uint64_t known = s->all_told - own->told + own->now, left = known < l->limit ? l->limit - known : 0;
    if (cost > left)
        return answer_refused(cost > l->limit ? RL_NEVER : l->windows.start + l->windows.length - now, left);
    own->now += cost;
    return answer_allowed(left - cost);
}

static const struct rl_ops ops = {.create = create, .destroy = keys_end, .allow = allow, .bytes = keys_bytes};
RL_ENTRY(distributed_window, "distributed-window", "nodes count alone and tell each other every S", &ops);
