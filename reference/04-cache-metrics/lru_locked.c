/* LRU behind one lock: what most programs have.
 *
 * Idea       A mutex round every request. It has to be round hits too: a hit moves its object to the front, and the
 *            front is the same line of memory for all threads.
 * Cost       One lock and one unlock a request; with more than one thread they wait for each other, and the lines of
 *            the list's front travel between the cores.
 * Gets wrong Nothing, at any number of threads; it only gets no faster with more of them (concurrent_sieve.c does).
 * Source     memcached before 1.4.24; Zhang et al. 2024 measure 16 threads of it.
 */
#include "lru.h"

#include <pthread.h>

struct cache {
    pthread_mutex_t lock;
    void *lru;
};

static int create(const struct cm_config *config, void **cache)
{
    void *lru;
    int code = lru_create(config, &lru);
    if (code)
        return code;
    struct cache *c = malloc(sizeof *c);
    if (!c) {
        store_destroy(lru);
        return -ENOMEM;
    }
    pthread_mutex_init(&c->lock, NULL);
    c->lru = lru;
    *cache = c;
    return 0;
}

static void destroy(void *cache)
{
    struct cache *c = cache;
    pthread_mutex_destroy(&c->lock);
    store_destroy(c->lru);
    free(c);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    pthread_mutex_lock(&c->lock);
    enum cm_answer answer = lru_request(c->lru, r, evicted);
    pthread_mutex_unlock(&c->lock);
    return answer;
}

static size_t bytes(const void *cache)
{
    return sizeof(struct cache) + store_bytes(((const struct cache *)cache)->lru);
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = destroy, .request = request, .bytes = bytes, .can = CM_THREADS};
CM_CACHE(lru_locked, "lru-locked", "lru behind one lock, for several threads", &ops);
