/* SIEVE: a queue, a bit for each object, and a hand that sifts.
 *
 * Idea       New objects come in front. A hit sets the object's bit and moves nothing. The hand goes from the back to
 *            the front: where the bit is set it clears it and goes on, and what it finds without one is evicted. The
 *            hand stays there: what is behind it has survived, what is in front of it came later.
 * Against CLOCK: the survivors stay where they are, so new objects do not come between them, and one that is never
 *            asked for again meets the hand soon. That is quick demotion.
 * Law        Until the hand first comes round, it evicts exactly what LFU does that counts only while objects are kept
 *            and takes the oldest among equals: both evict the oldest of those that were never hit.
 * Cost       A hit writes one word. An eviction looks at as many objects as hits set bits, so at most one more a hit.
 * Gets wrong A scan is let in, and sweeps out what has not been hit since the hand was there last. A working set that
 *            comes back period after period, each object hit once, can drive its hit ratio towards zero.
 * Source     Zhang, Yang, Yue, Vigfusson & Rashmi 2024, "SIEVE is simpler than LRU" (NSDI).
 */
#include "store.h"

struct cache {
    struct store store;
    uint32_t hand; /* the next to be looked at; 0: the back of the queue */
};

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct cache), 1, 0, cache);
}

static void evict(struct cache *c, struct cm_evicted *evicted)
{
    struct object *o = c->store.object;
    uint32_t hand = c->hand ? c->hand : list_last(&c->store, 0);
    while (o[hand].note) {
        o[hand].note = 0;
        hand = o[hand].prev;
        if (hand == 0)
            hand = list_last(&c->store, 0);
    }
    c->hand = o[hand].prev;
    store_evict(&c->store, hand, evicted);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time)) {
        s->object[n].note = 1;
        return CM_HIT;
    }
    if (n) {
        if (c->hand == n)
            c->hand = s->object[n].prev;
        store_remove(s, n);
    }
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size))
        evict(c, evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    s->object[n].note = 0;
    list_push(s, 0, n);
    store_foresee(s, c->hand);
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(sieve, "sieve", "a hand sifts a queue: what was hit stays where it is", &ops);
