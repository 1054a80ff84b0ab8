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
#include "segments.h"

enum { PROBATION, PROTECTED, LISTS };

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct segments), LISTS, 0, cache);
}

static uint32_t victim(const struct store *s)
{
    const uint32_t n = list_last(s, PROBATION);
    return n == PROBATION ? list_last(s, PROTECTED) : n;
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct segments *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time)) {
        segment_protect(c, n, PROTECTED, PROBATION, s->capacity * 4 / 5);
        return CM_HIT;
    }
    if (n)
        segment_remove(c, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size))
        segment_evict(c, victim(s), evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    segment_enter(c, PROBATION, n);
    store_foresee(s, victim(s));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(slru, "slru", "LRU of two segments: what was hit again is protected", &ops);
