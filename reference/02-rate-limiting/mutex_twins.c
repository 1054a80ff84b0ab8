/* A mutex round an entry that knows no threads: what the others have to be better than.
 *
 * Idea       One lock for the whole limiter, one caller inside at a time. Correct without further thought, and the
 *            measure for what atomics gain.
 * Invariant  Calls happen one after the other, as the entry inside wants them. Its time must not go back; an older
 *            `now` counts as the newest that came in, and the wait is told by the caller's own clock.
 * Cost       Two locked instructions without contention. With it every caller waits for every other one, of whatever
 *            key, and the lock's line and the limiter's travel at each call: adding cores makes it slower.
 * Gets wrong A thread that is stopped inside stops all.
 */
#include "rate.h"

#include <pthread.h>
#include <stdlib.h>

struct limiter {
    pthread_mutex_t lock;
    const struct rl_ops *ops;
    void *inside;
    uint64_t newest;
};

static int create(const char *name, const struct rl_config *config, void **out)
{
    const struct rl_ops *ops = NULL;
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++)
        if (strcmp((*e)->name, name) == 0)
            ops = (*e)->ops;
    if (!ops || config_check(config, true))
        return -EINVAL;
    struct limiter *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    struct rl_config alone = *config;
    alone.threads = 1;
    l->ops = ops;
    int code = ops->create(&alone, &l->inside);
    if (code) {
        free(l);
        return code;
    }
    pthread_mutex_init(&l->lock, NULL);
    *out = l;
    return 0;
}

static void destroy(void *limiter)
{
    struct limiter *l = limiter;
    l->ops->destroy(l->inside);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    pthread_mutex_lock(&l->lock);
    uint64_t late = l->newest > now ? l->newest - now : 0;
    l->newest = now + late;
    struct rl_answer answer = l->ops->allow(l->inside, key, now + late, cost, node);
    pthread_mutex_unlock(&l->lock);
    if (!answer.allowed && answer.retry_ns != RL_NEVER && answer.retry_ns != RL_UNKNOWN)
        answer.retry_ns += late;
    return answer;
}

static size_t bytes(const void *limiter)
{
    const struct limiter *l = limiter;
    return sizeof *l + l->ops->bytes(l->inside);
}

/* ---- the twins -------------------------------------------------------------------------------------------------- */

static int create_gcra(const struct rl_config *config, void **out)
{
    return create("gcra", config, out);
}

static int create_fixed_window(const struct rl_config *config, void **out)
{
    return create("fixed-window", config, out);
}

static const struct rl_ops gcra = {
    .create = create_gcra, .destroy = destroy, .allow = allow, .bytes = bytes, .thread_safe = true};
RL_ENTRY(gcra_mutex, "gcra-mutex", "gcra, one caller at a time", &gcra);

static const struct rl_ops fixed_window = {
    .create = create_fixed_window, .destroy = destroy, .allow = allow, .bytes = bytes, .thread_safe = true};
RL_ENTRY(fixed_window_mutex, "fixed-window-mutex", "fixed window, one caller at a time", &fixed_window);
