/* SLRU: what was hit once more is protected.
 *
 * Idea       Two LRU lists. A new object comes into the probationary one. A hit there moves it to the protected one,
 *            which may have 80 % of the capacity; what that pushes out of it goes back to the front of the other. Out
 *            goes the back of the probationary list.
 * Variant    Two segments, 20 % and 80 %: as in Caffeine, and as W-TinyLFU's main part has it. The paper leaves the
 *            shares open. libCacheSim has four segments of equal size.
 * Cost       As LRU, and at most one more object moves.
 * Gets wrong What was hit twice in a short while is protected for long: a burst looks like popularity. A loop that is
 *            longer than the probationary segment gets nothing in.
 * Source     Karedla, Love & Wherry 1994, "Caching strategies to improve disk system performance".
 */
#include "store.h"

enum { PROBATION, PROTECTED, LISTS };

struct cache {
    struct store store; /* an object's note is its list */
    uint64_t guarded;   /* the sizes of all that are protected */
};

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct cache), LISTS, 0, cache);
}

static void leave(struct cache *c, uint32_t n)
{
    const struct object *o = &c->store.object[n];
    c->guarded -= o->note == PROTECTED ? o->size : 0;
    list_unlink(&c->store, n);
}

static void enter(struct cache *c, uint32_t list, uint32_t n)
{
    struct object *o = &c->store.object[n];
    o->note = list;
    c->guarded += list == PROTECTED ? o->size : 0;
    list_push(&c->store, list, n);
}

static void hit(struct cache *c, uint32_t n)
{
    const uint64_t most = c->store.capacity * 4 / 5;
    leave(c, n);
    enter(c, PROTECTED, n);
    while (c->guarded > most) {
        const uint32_t back = list_last(&c->store, PROTECTED);
        leave(c, back);
        enter(c, PROBATION, back);
    }
}

static uint32_t victim(const struct store *s)
{
    const uint32_t n = list_last(s, PROBATION);
    return n == PROBATION ? list_last(s, PROTECTED) : n;
}

static void forget(struct cache *c, uint32_t n)
{
    leave(c, n);
    store_release(&c->store, n);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time)) {
        hit(c, n);
        return CM_HIT;
    }
    if (n)
        forget(c, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size)) {
        n = victim(s);
        cm_evict(evicted, s->object[n].key);
        forget(c, n);
    }
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    enter(c, PROBATION, n);
    store_foresee(s, victim(s));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(slru, "slru", "LRU of two segments: what was hit again is protected", &ops);
