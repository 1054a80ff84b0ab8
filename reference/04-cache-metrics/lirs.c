/* LIRS: not how long ago the last request was, but how far apart the last two were.
 *
 * Idea       An object's recency is how many others were asked for since its last request; its inter-reference recency
 *            (IRR) how many between its last two. Objects with the smallest IRRs, the LIR set, have 99 % of the
 *            capacity and are not evicted. All others, HIR, share 1 % in a queue Q, and its front goes.
 *            The stack S holds LIR and HIR objects, and keys of HIR objects that were evicted, by recency; its bottom
 *            is always a LIR object. Who is in S and asked for again has a smaller IRR than the bottom has recency:
 *            it becomes LIR, and the bottom one HIR.
 * Invariant  What is below the lowest LIR object in S is taken off ("pruning"): so being in S is the comparison.
 * Variant    1 % for HIR, and at least 1. The paper lets S grow without bound; here keys of evicted objects are kept
 *            for as much as the cache holds, and the one that was evicted first goes.
 * Cost       O(1) over the long run. A second pair of links: 48 bytes an object or key, index included.
 * Gets wrong The LIR set is slow to change: after a shift of popularity it takes two requests in a short while for
 *            each new one, and the old ones go one by one. A queue of 1 % forgives no second request that is late.
 * Source     Jiang & Zhang 2002, "LIRS: an efficient low inter-reference recency set replacement policy" (SIGMETRICS).
 */
#include "store.h"

enum state {
    LIR,
    HIR, /* kept, in Q and in S */
    OUT, /* kept, in Q, not in S any more */
    GONE /* evicted: a key in S */
};

enum { Q, EVICTED, QUEUES }; /* S is the store's list 0 */

struct links {
    uint32_t prev, next;
};

struct cache {
    struct store store; /* an object's note is its state; `more` are its links in Q or EVICTED */
    uint64_t lir, gone; /* sizes */
    uint64_t most_lir;
};

static int create(const struct cm_config *config, void **cache)
{
    int code = store_create(config, sizeof(struct cache), QUEUES, sizeof(struct links), cache);
    if (code == 0) {
        struct cache *c = *cache;
        ((struct links *)c->store.more)[EVICTED] = (struct links){EVICTED, EVICTED};
        c->most_lir = config->capacity - (config->capacity < 100 ? 1 : config->capacity / 100);
    }
    return code;
}

static uint32_t queue_front(const struct cache *c, uint32_t queue)
{
    return ((const struct links *)c->store.more)[queue].next;
}

static void queue_append(struct cache *c, uint32_t queue, uint32_t n)
{
    struct links *l = c->store.more;
    l[n] = (struct links){.prev = l[queue].prev, .next = queue};
    l[l[queue].prev].next = n;
    l[queue].prev = n;
}

static void queue_unlink(struct cache *c, uint32_t n)
{
    struct links *l = c->store.more;
    l[l[n].prev].next = l[n].next;
    l[l[n].next].prev = l[n].prev;
}

/* Off all lists. */
static void leave(struct cache *c, uint32_t n)
{
    const struct object *o = &c->store.object[n];
    if (o->note != OUT)
        list_unlink(&c->store, n);
    if (o->note != LIR)
        queue_unlink(c, n);
    c->lir -= o->note == LIR ? o->size : 0;
    c->gone -= o->note == GONE ? o->size : 0;
}

/* Until the bottom of S is LIR. */
static void prune(struct cache *c)
{
    struct store *s = &c->store;
    for (uint32_t n = list_last(s, 0); n && s->object[n].note != LIR; n = list_last(s, 0))
        if (s->object[n].note == GONE) {
            leave(c, n);
            store_forget(s, n);
        } else {
            list_unlink(s, n);
            s->object[n].note = OUT;
        }
}

static void forget(struct cache *c, uint32_t n)
{
    leave(c, n);
    store_release(&c->store, n);
    prune(c);
}

/* The bottom of S becomes HIR, and is the last in Q. */
static void demote(struct cache *c)
{
    struct store *s = &c->store;
    const uint32_t n = list_last(s, 0);
    c->lir -= s->object[n].size;
    list_unlink(s, n);
    s->object[n].note = OUT;
    queue_append(c, Q, n);
    prune(c);
}

/* n, on no list, becomes LIR; if that are too many, others become HIR. */
static void promote(struct cache *c, uint32_t n)
{
    struct store *s = &c->store;
    s->object[n].note = LIR;
    c->lir += s->object[n].size;
    list_push(s, 0, n);
    prune(c); /* n may be the only LIR object that there is */
    while (c->lir > c->most_lir)
        demote(c);
}

static void enter_hir(struct cache *c, uint32_t n)
{
    c->store.object[n].note = HIR;
    list_push(&c->store, 0, n);
    queue_append(c, Q, n);
}

static void hit(struct cache *c, uint32_t n)
{
    struct store *s = &c->store;
    const uint32_t was = s->object[n].note;
    if (was == LIR) {
        list_unlink(s, n);
        list_push(s, 0, n);
        prune(c);
        return;
    }
    leave(c, n);
    if (was == HIR)
        promote(c, n);
    else
        enter_hir(c, n);
}

static void evict(struct cache *c, struct cm_evicted *evicted)
{
    struct store *s = &c->store;
    if (queue_front(c, Q) == Q)
        demote(c);
    uint32_t n = queue_front(c, Q);
    cm_evict(evicted, s->object[n].key);
    queue_unlink(c, n);
    if (s->object[n].note == OUT) {
        store_release(s, n);
        return;
    }
    s->kept -= s->object[n].size;
    s->object[n].note = GONE;
    c->gone += s->object[n].size;
    queue_append(c, EVICTED, n);
    while (c->gone > s->capacity) {
        n = queue_front(c, EVICTED);
        leave(c, n);
        store_forget(s, n);
    }
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    const bool here = n && s->object[n].note != GONE;
    bool again = false;
    if (here && store_usable(s, n, r->time)) {
        hit(c, n);
        return CM_HIT;
    }
    if (here)
        forget(c, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    if (n && !here) {
        leave(c, n);
        store_forget(s, n);
        again = true;
    }
    while (store_lacks(s, r->size))
        evict(c, evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    if (again || c->lir + r->size <= c->most_lir)
        promote(c, n);
    else
        enter_hir(c, n);
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(lirs, "lirs", "keeps what was asked for twice at a small distance", &ops);
