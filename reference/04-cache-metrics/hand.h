/* hand.h: a hand goes round a list and takes what was not hit: CLOCK and SIEVE, which differ in where new objects go.
 *
 * A hit sets its object's note. The hand goes from the back to the front, and round again; the end of the list counts
 * as a place where nobody is. Where the note is set it clears it and goes on, and else it evicts.
 */
#ifndef HAND_H
#define HAND_H

#include "store.h"

struct hand_cache {
    struct store store;
    uint32_t hand; /* the next to be looked at */
};

static inline void hand_evict(struct hand_cache *c, struct cm_evicted *evicted)
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

/* A new object goes behind the hand, where it is looked at last, or to the front of the list. */
static inline enum cm_answer hand_request(struct hand_cache *c, const struct cm_request *r, struct cm_evicted *evicted,
                                          bool behind_the_hand)
{
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
        hand_evict(c, evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    s->object[n].note = 0;
    list_insert(s, behind_the_hand ? c->hand : 0, n);
    store_foresee(s, c->hand);
    return CM_MISS;
}

#endif
