/* 2Q: a queue for what is new, a memory of what left it, and LRU for what came back.
 *
 * Idea       A new object comes into the queue A1in, and hits there count nothing: they are one burst. What leaves it
 *            is forgotten but for its key, in A1out. Who is asked for while its key is there is wanted again after the
 *            burst: it goes to Am, which is an LRU list.
 *            Out goes the oldest of A1in while that is larger than its share, else the last of Am.
 * Variant    "Full" 2Q with the paper's advice: A1in 25 % of the capacity, keys in A1out for 50 % of it, each counted
 *            with its object's size.
 * Cost       A hit in A1in reads only. Keys that are remembered take 40 bytes each, as objects do.
 * Gets wrong The shares are fixed: no one share suits all. An object is fetched twice before it is believed.
 * Source     Johnson & Shasha 1994, "2Q: a low overhead high performance buffer management replacement algorithm".
 */
#include "store.h"

enum { A1IN, A1OUT, AM, LISTS };

struct cache {
    struct store store;   /* an object's note is its list */
    uint64_t size[LISTS]; /* what is on each */
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

static void drop_ghosts(struct cache *c)
{
    struct store *s = &c->store;
    while (c->size[A1OUT] > s->capacity / 2) {
        const uint32_t n = list_last(s, A1OUT);
        leave(c, n);
        store_forget(s, n);
    }
}

static uint32_t victim(const struct cache *c)
{
    const struct store *s = &c->store;
    return c->size[A1IN] > s->capacity / 4 || list_last(s, AM) == AM ? list_last(s, A1IN) : list_last(s, AM);
}

static void evict(struct cache *c, struct cm_evicted *evicted)
{
    struct store *s = &c->store;
    const uint32_t n = victim(c);
    cm_evict(evicted, s->object[n].key);
    leave(c, n);
    if (s->object[n].note == AM) {
        store_release(s, n);
        return;
    }
    s->kept -= s->object[n].size;
    enter(c, A1OUT, n);
    drop_ghosts(c);
}

/* Whether `n`, which is not usable, is a key that is remembered; in any case it is forgotten. */
static bool recall(struct cache *c, uint32_t n)
{
    struct store *s = &c->store;
    const bool remembered = s->object[n].note == A1OUT;
    leave(c, n);
    s->kept -= remembered ? 0 : s->object[n].size;
    store_forget(s, n);
    return remembered;
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    const bool here = n && s->object[n].note != A1OUT;
    if (here && store_usable(s, n, r->time)) {
        if (s->object[n].note == AM) {
            list_unlink(s, n);
            list_push(s, AM, n);
        }
        return CM_HIT;
    }
    if (r->size > s->capacity) {
        if (here)
            recall(c, n);
        return CM_BYPASS;
    }
    const bool again = n && recall(c, n);
    while (store_lacks(s, r->size))
        evict(c, evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    enter(c, again ? AM : A1IN, n);
    store_foresee(s, victim(c));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(two_q, "2q", "a queue for the new, LRU for what comes back after it", &ops);
