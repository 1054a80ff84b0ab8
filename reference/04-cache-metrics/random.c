/* Random: out goes anyone.
 *
 * Idea       Nothing is remembered of requests. Each object is evicted with the same probability.
 * Law        Independent requests: exactly FIFO's miss ratio in the long run (Gelenbe 1973). A loop over n objects with
 *            room for c: h = exp(-n (1 - h) / c), where LRU and FIFO hit nothing as soon as n > c.
 * Cost       A hit writes nothing at all. 4 bytes an object for the list that is drawn from; the last of it fills the
 *            gap.
 * Gets wrong It evicts what was hit a moment ago as readily as what nobody wants.
 * Source     Gelenbe 1973, "A unified approach to the evaluation of a class of replacement algorithms".
 */
#include "store.h"

struct cache {
    struct store store; /* its `more`: the numbers of all kept objects, in any order; an object's note is its place */
    struct rng random;
    uint32_t count;
};

static int create(const struct cm_config *config, void **cache)
{
    int code = store_create(config, sizeof(struct cache), 1, sizeof(uint32_t), cache);
    if (code == 0)
        ((struct cache *)*cache)->random = config->random;
    return code;
}

static void forget(struct cache *c, uint32_t n)
{
    struct store *s = &c->store;
    uint32_t *all = s->more, place = s->object[n].note, last = all[--c->count];
    all[place] = last;
    s->object[last].note = place;
    store_release(s, n);
}

static void evict(struct cache *c, struct cm_evicted *evicted)
{
    const uint32_t *all = c->store.more, n = all[rng_below(&c->random, c->count)];
    cm_evict(evicted, c->store.object[n].key);
    forget(c, n);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time))
        return CM_HIT;
    if (n)
        forget(c, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size))
        evict(c, evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    ((uint32_t *)s->more)[c->count] = n;
    s->object[n].note = c->count++;
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes, .can = CM_RANDOM};
CM_CACHE(random, "random", "evicts anyone", &ops);
