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
#include "store.h"

enum { T1, T2, B1, B2, LISTS };

struct cache {
    struct store store; /* an object's note is its list */
    uint64_t size[LISTS];
    double target; /* p: what T1 should have; the ratios of the paper are no whole numbers */
};

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct cache), LISTS, 0, cache);
}

static void leave(struct cache *c, uint32_t n)
{
    const struct object *o = &c->store.object[n];
    c->size[o->note] -= o->size;
    list_unlink(&c->store, n);
}

static void enter(struct cache *c, uint32_t list, uint32_t n)
{
    struct object *o = &c->store.object[n];
    o->note = list;
    c->size[list] += o->size;
    list_push(&c->store, list, n);
}

static bool empty(const struct cache *c, uint32_t list)
{
    return list_last(&c->store, list) == list;
}

static void drop_last(struct cache *c, uint32_t list)
{
    const uint32_t n = list_last(&c->store, list);
    leave(c, n);
    store_forget(&c->store, n);
}

static uint32_t victims(const struct cache *c, bool from_b2)
{
    const double t1 = (double)c->size[T1];
    return empty(c, T2) || (!empty(c, T1) && (t1 > c->target || (from_b2 && t1 == c->target))) ? T1 : T2;
}

/* The paper's REPLACE. */
static void replace(struct cache *c, bool from_b2, struct cm_evicted *evicted)
{
    struct store *s = &c->store;
    const uint32_t list = victims(c, from_b2), n = list_last(s, list);
    cm_evict(evicted, s->object[n].key);
    leave(c, n);
    s->kept -= s->object[n].size;
    enter(c, list == T1 ? B1 : B2, n);
}

/* Room for an object whose key nobody remembers: the paper's case IV. */
static void room_for_new(struct cache *c, uint64_t size, struct cm_evicted *evicted)
{
    struct store *s = &c->store;
    while (!empty(c, B1) && c->size[T1] + c->size[B1] + size > s->capacity)
        drop_last(c, B1);
    while (!empty(c, T1) && c->size[T1] + size > s->capacity) {
        const uint32_t n = list_last(s, T1);
        c->size[T1] -= s->object[n].size;
        store_evict(s, n, evicted);
    }
    while (store_lacks(s, size))
        replace(c, false, evicted);
    while (!empty(c, B2) && c->size[T1] + c->size[T2] + c->size[B1] + c->size[B2] + size > 2 * s->capacity)
        drop_last(c, B2);
}

/* A key of B1 or B2 is asked for: which list is short of room? Cases II and III. */
static void learn(struct cache *c, uint32_t ghosts, uint32_t size)
{
    const double b1 = (double)c->size[B1], b2 = (double)c->size[B2], most = (double)c->store.capacity;
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
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key), into = T1;
    bool here = n && s->object[n].note <= T2;
    if (here && store_usable(s, n, r->time)) {
        leave(c, n);
        enter(c, T2, n);
        return CM_HIT;
    }
    if (here) {
        leave(c, n);
        store_release(s, n);
        n = 0;
    }
    if (r->size > s->capacity)
        return CM_BYPASS;
    if (n) {
        const uint32_t ghosts = s->object[n].note;
        learn(c, ghosts, r->size);
        leave(c, n);
        store_forget(s, n);
        while (store_lacks(s, r->size))
            replace(c, ghosts == B2, evicted);
        into = T2;
    } else {
        room_for_new(c, r->size, evicted);
    }
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    enter(c, into, n);
    store_foresee(s, list_last(s, victims(c, false)));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(arc, "arc", "recency and frequency share the room as their ghosts say", &ops);
