/* FIFO: out goes what has been here longest.
 *
 * Idea       A queue. A hit changes nothing.
 * Cost       A hit reads the index and the object. A miss puts one in in front, takes one out behind. 40 bytes an
 *            object, index included.
 * Gets wrong It throws out the most popular object as often as it goes round the queue, and fetches it anew. Under
 *            independent requests it misses exactly as often as evicting at random (Gelenbe 1973). More room may mean
 *            more misses (Belady's anomaly): 1 2 3 4 1 2 5 1 2 3 4 5 misses 9 times with room for 3, 10 with room for
 *            4.
 * Source     Belady, Nelson & Shedler 1969 (the anomaly); Gelenbe 1973.
 */
#include "store.h"

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct store), 1, 0, cache);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct store *s = cache;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time))
        return CM_HIT;
    if (n)
        store_remove(s, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size))
        store_evict(s, list_last(s, 0), evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    list_push(s, 0, n);
    store_foresee(s, list_last(s, 0));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(fifo, "fifo", "evicts what has been here longest", &ops);
