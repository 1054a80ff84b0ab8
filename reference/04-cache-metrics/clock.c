/* CLOCK: a ring, a bit for each object, and a hand: LRU from far away.
 *
 * Idea       The objects stand in a ring, and the hand points at the oldest. A hit sets the object's bit. The hand
 *            clears the bit of the object that it points at and goes on, or evicts it when it has none. A new object
 *            takes the place behind the hand, where it comes by last.
 *            The same as a queue in which what was hit comes in again in front ("second chance", "FIFO reinsertion").
 * Cost       A hit writes one word. An eviction looks at as many objects as hits set bits, so at most one more a hit;
 *            nothing is moved.
 * Gets wrong A new object stays for a whole turn, also one that nobody asks for again, in between those that survived:
 *            there SIEVE does better. One bit does not tell once from a thousand times. When everything has been hit
 *            it is FIFO.
 * Source     Corbato 1968, "A paging experiment with the Multics system".
 */
#include "store.h"

struct cache {
    struct store store;
    uint32_t hand; /* the next to be looked at; the list's end counts as a place where nobody is */
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
    list_insert(s, c->hand, n);
    store_foresee(s, c->hand);
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(clock, "clock", "a hand gives what was hit a second chance", &ops);
