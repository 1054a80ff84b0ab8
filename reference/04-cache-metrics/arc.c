/* ARC: recency against frequency, and the ghosts say which is short of room.
 *
 * Idea       T1 holds what was asked for once of late, T2 what was asked for twice or more; both are LRU lists. B1 and
 *            B2 are the keys of what left them last. A request for a key in B1 says that T1 was too small: its target p
 *            grows. One in B2 says the same of T2, and p shrinks. Out goes the last of T1 when that is above p, else
 *            the last of T2.
 * Invariant  T1 and T2 together at most c; T1 and B1 at most c; all four at most 2 c.
 * Variant    As published, for pages: p moves by 1 or by the ratio of the two ghost lists if that is more. Objects of
 *            different sizes are counted by their sizes, and p moves by so many times the size of the one that was
 *            asked for; T1's last go without a ghost where T1 alone would not leave room for the new one.
 * Cost       As LRU; ghosts for as much as the cache holds, 40 bytes each.
 * Gets wrong Two requests in a short while count as frequency, as with SLRU. It learns only from objects that come back
 *            while their ghosts are there: a loop of more than 2 c is a scan to it.
 * Source     Megiddo & Modha 2003, "ARC: a self-tuning, low overhead replacement cache" (FAST).
 */
#include "segments.h"

enum { T1, T2, B1, B2, LISTS };

struct cache {
    struct segments lists;
    double target; /* p: what T1 should have; the ratios of the paper are no whole numbers */
};

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct cache), LISTS, 0, cache);
}

static uint32_t victims(const struct cache *c, bool from_b2)
{
    const double t1 = (double)c->lists.size[T1];
    return segment_empty(&c->lists, T2) ||
                   (!segment_empty(&c->lists, T1) && (t1 > c->target || (from_b2 && t1 == c->target)))
               ? T1
               : T2;
}

/* The paper's REPLACE. */
static void replace(struct cache *c, bool from_b2, struct cm_evicted *evicted)
{
    const uint32_t list = victims(c, from_b2), n = list_last(&c->lists.store, list);
    segment_haunt(&c->lists, list == T1 ? B1 : B2, n, evicted);
}

/* Room for an object whose key nobody remembers: the paper's case IV. */
static void room_for_new(struct cache *c, uint64_t size, struct cm_evicted *evicted)
{
    struct store *s = &c->lists.store;
    while (!segment_empty(&c->lists, B1) && c->lists.size[T1] + c->lists.size[B1] + size > s->capacity)
        segment_drop(&c->lists, list_last(s, B1));
    while (!segment_empty(&c->lists, T1) && c->lists.size[T1] + size > s->capacity)
        segment_evict(&c->lists, list_last(s, T1), evicted);
    while (store_lacks(s, size))
        replace(c, false, evicted);
}

/* Ghosts go until all four lists have room for one of this size. */
static void trim(struct cache *c, uint64_t size)
{
    const uint64_t *on = c->lists.size, most = 2 * c->lists.store.capacity;
    while (on[B1] + on[B2] && on[T1] + on[T2] + on[B1] + on[B2] + size > most)
        segment_drop(&c->lists, list_last(&c->lists.store, on[B2] ? B2 : B1));
}

/* A key of B1 or B2 is asked for: which list is short of room? Cases II and III. */
static void learn(struct cache *c, uint32_t ghosts, uint32_t size)
{
    const double b1 = (double)c->lists.size[B1], b2 = (double)c->lists.size[B2], most = (double)c->lists.store.capacity;
    if (ghosts == B1) {
        c->target += (double)size * (b2 > b1 ? b2 / b1 : 1);
        c->target = c->target < most ? c->target : most;
    } else {
        c->target -= (double)size * (b1 > b2 ? b1 / b2 : 1);
        c->target = c->target > 0 ? c->target : 0;
    }
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->lists.store;
    uint32_t n = store_find(s, r->key), into = T1;
    const bool here = n && s->object[n].note <= T2;
    if (here && store_usable(s, n, r->time)) {
        segment_leave(&c->lists, n);
        segment_enter(&c->lists, T2, n);
        return CM_HIT;
    }
    if (here) {
        segment_remove(&c->lists, n);
        n = 0;
    }
    if (r->size > s->capacity)
        return CM_BYPASS;
    if (n) {
        const uint32_t ghosts = s->object[n].note;
        learn(c, ghosts, r->size);
        segment_drop(&c->lists, n);
        while (store_lacks(s, r->size))
            replace(c, ghosts == B2, evicted);
        into = T2;
    } else {
        room_for_new(c, r->size, evicted);
    }
    trim(c, r->size);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    segment_enter(&c->lists, into, n);
    store_foresee(s, list_last(s, victims(c, false)));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(arc, "arc", "recency and frequency share the room as their ghosts say", &ops);
