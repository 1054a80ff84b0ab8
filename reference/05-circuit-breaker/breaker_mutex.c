/* Mutex breaker: one lock round the count breaker: what the others for threads have to be better than.
 *
 * Idea       One caller inside at a time. Correct without further thought.
 * Invariant  Calls happen one after the other; a time that is behind the newest counts as that one.
 * Cost       Two locked instructions a question without contention, four a call. With it the lock's line and the window's
 *            travel with each of them: the second core makes it slower.
 * Gets wrong A thread that is stopped inside stops all; and this in front of every call.
 * Source     Folklore; sony/gobreaker and resilience4j's synchronized windows are of this kind.
 */
#include "circuit_breaker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct breaker {
    pthread_mutex_t lock;
    const struct cb_breaker_ops *ops;
    void *inside;
    uint64_t newest;
};

static const struct cb_breaker_ops *count_breaker(void)
{
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++)
        if (strcmp((*e)->name, "count-breaker") == 0)
            return ((const struct cb_ops *)(*e)->ops)->breaker;
    return NULL;
}

static int create(const struct cb_breaker_config *config, void **breaker)
{
    struct breaker *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->ops = count_breaker();
    const int code = b->ops ? b->ops->create(config, &b->inside) : -ENOENT;
    if (code) {
        free(b);
        return code;
    }
    pthread_mutex_init(&b->lock, NULL);
    *breaker = b;
    return 0;
}

static void destroy(void *breaker)
{
    struct breaker *b = breaker;
    b->ops->destroy(b->inside);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static uint64_t newest(struct breaker *b, uint64_t now)
{
    b->newest = now > b->newest ? now : b->newest;
    return b->newest;
}

static struct cb_permit allow(void *breaker, uint64_t now)
{
    struct breaker *b = breaker;
    pthread_mutex_lock(&b->lock);
    const struct cb_permit permit = b->ops->allow(b->inside, newest(b, now));
    pthread_mutex_unlock(&b->lock);
    return permit;
}

static void record(void *breaker, uint64_t ticket, uint64_t now, enum cb_outcome outcome, uint64_t latency)
{
    struct breaker *b = breaker;
    pthread_mutex_lock(&b->lock);
    b->ops->record(b->inside, ticket, newest(b, now), outcome, latency);
    pthread_mutex_unlock(&b->lock);
}

/* For drawing, by one thread: not locked, as the pointer is to what can't be changed. */
static enum cb_state state(const void *breaker)
{
    const struct breaker *b = breaker;
    return b->ops->state(b->inside);
}

static size_t bytes(const void *breaker)
{
    const struct breaker *b = breaker;
    return sizeof *b + b->ops->bytes(b->inside);
}

static const struct cb_breaker_ops ops = {.create = create,
                                          .destroy = destroy,
                                          .allow = allow,
                                          .record = record,
                                          .state = state,
                                          .bytes = bytes,
                                          .can = CB_THREADS};
CB_BREAKER(breaker_mutex, "breaker-mutex", "the count breaker, one caller at a time", &ops);
