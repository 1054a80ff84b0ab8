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
#include "segments.h"

enum { SMALL, MAIN, GHOST, LISTS };
enum { HIT = SEGMENTS_MOST }; /* one more in a note */

struct cache {
    struct segments lists; /* the rest of an object's note are its hits */
    uint64_t most;         /* that the main queue and the ghosts may have each */
};

static int create(const struct cm_config *config, void **cache)
{
    int code = store_create(config, sizeof(struct cache), LISTS, 0, cache);
    if (code == 0)
        ((struct cache *)*cache)->most = config->capacity - config->capacity / 10;
    return code;
}

/* Until one is evicted, or all have gone to the main queue. */
static void evict_small(struct cache *c, struct cm_evicted *evicted)
{
    struct store *s = &c->lists.store;
    for (uint32_t n = list_last(s, SMALL); n != SMALL; n = list_last(s, SMALL)) {
        if (s->object[n].note / HIT <= 1) {
            segment_haunt(&c->lists, GHOST, n, evicted);
            while (c->lists.size[GHOST] > c->most)
                segment_drop(&c->lists, list_last(s, GHOST));
            return;
        }
        segment_leave(&c->lists, n);
        segment_enter(&c->lists, MAIN, n);
    }
}

static void evict_main(struct cache *c, struct cm_evicted *evicted)
{
    struct store *s = &c->lists.store;
    uint32_t n = list_last(s, MAIN);
    while (s->object[n].note / HIT) {
        s->object[n].note -= HIT;
        list_unlink(s, n);
        list_push(s, MAIN, n);
        n = list_last(s, MAIN);
    }
    segment_evict(&c->lists, n, evicted);
}

static bool from_small(const struct cache *c)
{
    return c->lists.size[MAIN] <= c->most && !segment_empty(&c->lists, SMALL);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->lists.store;
    uint32_t n = store_find(s, r->key);
    const bool again = n && segment_of(&c->lists, n) == GHOST, here = n && !again;
    if (here && store_usable(s, n, r->time)) {
        s->object[n].note += s->object[n].note / HIT < 3 ? HIT : 0;
        return CM_HIT;
    }
    if (here)
        segment_remove(&c->lists, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    if (again)
        segment_drop(&c->lists, n);
    while (store_lacks(s, r->size))
        if (from_small(c))
            evict_small(c, evicted);
        else
            evict_main(c, evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    segment_enter(&c->lists, again ? MAIN : SMALL, n);
    store_foresee(s, list_last(s, from_small(c) ? SMALL : MAIN));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(s3_fifo, "s3-fifo", "a small queue in front of a large one, and a queue of ghosts", &ops);
