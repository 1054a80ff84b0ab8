/* A wrong answer to atomic-window: the counts are locked, the table is not.
 *
 * Its author believed that looking a key up changes nothing. It puts new keys in: two threads that both find a key
 * missing both put it in, and one of the two records is never seen again, with all that was counted in it.
 */
#include "table.h"

#include <pthread.h>
#include <stdatomic.h>

#define CHAINS 65536u

struct record {
    struct record *next;
    uint64_t key, window, count;
};

struct limiter {
    uint64_t limit, window_ns;
    pthread_mutex_t lock;
    _Atomic(struct record *) chain[CHAINS];
};

static int create(const struct rl_config *config, void **limiter)
{
    struct limiter *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->limit = config->limit;
    l->window_ns = config->window_ns;
    pthread_mutex_init(&l->lock, NULL);
    *limiter = l;
    return 0;
}

static void destroy(void *limiter)
{
    struct limiter *l = limiter;
    for (size_t i = 0; i < CHAINS; i++)
        for (struct record *r = l->chain[i], *next; r; r = next) {
            next = r->next;
            free(r);
        }
    free(l);
}

static size_t bytes(const void *limiter)
{
    (void)limiter;
    return sizeof(struct limiter);
}

static struct record *find(struct limiter *l, uint64_t key)
{
    _Atomic(struct record *) *chain = &l->chain[key * UINT64_C(0x9e3779b97f4a7c15) >> 48];
    for (struct record *r = atomic_load(chain); r; r = r->next)
        if (r->key == key)
            return r;
    struct record *r = calloc(1, sizeof *r);
    if (r) {
        r->key = key;
        r->next = atomic_load(chain);
        atomic_store(chain, r);
    }
    return r;
}

static struct rl_answer count(const struct limiter *l, struct record *r, uint64_t now, uint32_t cost)
{
    if (r->window < now / l->window_ns) {
        r->window = now / l->window_ns;
        r->count = 0;
    }
    if (r->count + cost > l->limit)
        return refused(cost > l->limit ? RL_NEVER : (r->window + 1) * l->window_ns - now, l->limit - r->count);
    r->count += cost;
    return allowed(l->limit - r->count);
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    struct record *r = find(l, key);
    (void)node;
    if (!r)
        return refused(RL_UNKNOWN, 0);
    pthread_mutex_lock(&l->lock);
    const struct rl_answer answer = count(l, r, now, cost);
    pthread_mutex_unlock(&l->lock);
    return answer;
}

static const struct rl_ops ops = {
    .create = create, .destroy = destroy, .allow = allow, .bytes = bytes, .thread_safe = true};
RL_ENTRY(fixed_window_atomic, "fixed-window-atomic", "a fixed window for threads", &ops);
