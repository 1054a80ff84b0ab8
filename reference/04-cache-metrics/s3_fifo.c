/* S3-FIFO: three queues, none of which is ever reordered by a hit.
 *
 * Idea       Most objects are asked for once. A new one comes into a small queue, 10 % of the capacity. When it gets to
 *            the end of it, it goes on to the main queue if it was hit twice or more, and out if not; then its key goes
 *            to a third queue, of ghosts. Who is asked for while its ghost is there goes to the main queue at once.
 *            In the main queue, what was hit since it was looked at last comes in again in front, with one hit less.
 * Variant    As published, for full caches: hits are counted up to 3; more than one is needed for the main queue, and
 *            they are forgotten on the way; ghosts for as much as the main queue holds (90 %). The small queue is
 *            looked at while it has its share or more. libCacheSim since 2024 fills the main queue first when the
 *            cache is still empty, and keeps nothing that is larger than the small queue; this here does neither.
 * Cost       A hit writes one word, and that at most three times. A ghost takes 40 bytes, like an object.
 * Gets wrong The shares are fixed. What is asked for twice, with more between than the small queue and the ghosts
 *            hold, is never let in.
 * Source     Yang, Zhang, Qiu, Yue & Rashmi 2023, "FIFO queues are all you need for cache eviction" (SOSP).
 */
#include "store.h"

enum { SMALL, MAIN, GHOST, LISTS };

struct cache {
    struct store store; /* an object's note is 4 x its hits + its list */
    uint64_t size[LISTS];
    uint64_t most; /* that the main queue and the ghosts may have each */
};

static uint32_t list_of(const struct cache *c, uint32_t n)
{
    return c->store.object[n].note % 4;
}

static int create(const struct cm_config *config, void **cache)
{
    int code = store_create(config, sizeof(struct cache), LISTS, 0, cache);
    if (code == 0)
        ((struct cache *)*cache)->most = config->capacity - config->capacity / 10;
    return code;
}

static void leave(struct cache *c, uint32_t n)
{
    c->size[list_of(c, n)] -= c->store.object[n].size;
    list_unlink(&c->store, n);
}

static void enter(struct cache *c, uint32_t list, uint32_t n)
{
    struct object *o = &c->store.object[n];
    o->note = list;
    c->size[list] += o->size;
    list_push(&c->store, list, n);
}

static void remember(struct cache *c, uint32_t n)
{
    struct store *s = &c->store;
    s->kept -= s->object[n].size;
    enter(c, GHOST, n);
    while (c->size[GHOST] > c->most) {
        const uint32_t last = list_last(s, GHOST);
        leave(c, last);
        store_forget(s, last);
    }
}

/* Until one is evicted, or all have gone to the main queue. */
static void evict_small(struct cache *c, struct cm_evicted *evicted)
{
    struct store *s = &c->store;
    for (uint32_t n = list_last(s, SMALL); n != SMALL; n = list_last(s, SMALL)) {
        leave(c, n);
        if (s->object[n].note / 4 <= 1) {
            cm_evict(evicted, s->object[n].key);
            remember(c, n);
            return;
        }
        enter(c, MAIN, n);
    }
}

static void evict_main(struct cache *c, struct cm_evicted *evicted)
{
    struct store *s = &c->store;
    uint32_t n = list_last(s, MAIN);
    while (s->object[n].note / 4) {
        s->object[n].note -= 4;
        list_unlink(s, n);
        list_push(s, MAIN, n);
        n = list_last(s, MAIN);
    }
    c->size[MAIN] -= s->object[n].size;
    store_evict(s, n, evicted);
}

static bool from_small(const struct cache *c)
{
    return c->size[MAIN] <= c->most && list_last(&c->store, SMALL) != SMALL;
}

/* Whether `n`, which is not usable, is a ghost; in any case it is forgotten. */
static bool recall(struct cache *c, uint32_t n)
{
    struct store *s = &c->store;
    const bool ghost = list_of(c, n) == GHOST;
    leave(c, n);
    s->kept -= ghost ? 0 : s->object[n].size;
    store_forget(s, n);
    return ghost;
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    const bool here = n && list_of(c, n) != GHOST;
    if (here && store_usable(s, n, r->time)) {
        s->object[n].note += s->object[n].note / 4 < 3 ? 4 : 0;
        return CM_HIT;
    }
    if (r->size > s->capacity) {
        if (here)
            recall(c, n);
        return CM_BYPASS;
    }
    const bool again = n && recall(c, n);
    while (store_lacks(s, r->size))
        if (from_small(c))
            evict_small(c, evicted);
        else
            evict_main(c, evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    enter(c, again ? MAIN : SMALL, n);
    store_foresee(s, list_last(s, from_small(c) ? SMALL : MAIN));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(s3_fifo, "s3-fifo", "a small queue in front of a large one, and a queue of ghosts", &ops);
