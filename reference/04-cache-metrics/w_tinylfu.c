/* W-TinyLFU: who wants to come in must have been asked for more often than who would have to go.
 *
 * Idea       A new object comes into a window, an LRU list of 1 % of the capacity. What falls out of it is a candidate
 *            for the main part, which is an SLRU (slru.c). Where there is no room, the candidate and the one that the
 *            main part would evict are compared: the one that was asked for more often of late stays, and the candidate
 *            has to be strictly better. How often is what a small sketch says of all keys, kept or not (sketch.h).
 * Variant    Window 1 %, main part 20 % and 80 %; 4-bit counters without a doorkeeper, halved after ten requests an
 *            object. The window's share is fixed: Caffeine moves it as its hit ratio goes, and now and then lets a warm
 *            loser win by chance, against floods of colliding keys. Objects of different sizes: the candidate is
 *            compared with one after the other that would have to go, until there is room or it loses.
 * Cost       Four counters in one line of memory a request, beside LRU's links.
 * Gets wrong What becomes popular at once has to beat old counts first; the window bridges short bursts only. With
 *            objects of different sizes, small ones may have gone when the candidate loses in the end.
 * Source     Einziger, Friedman & Manes 2017, "TinyLFU: a highly efficient cache admission policy" (ACM ToS).
 */
#include "segments.h"
#include "sketch.h"

enum { WINDOW, PROBATION, PROTECTED, LISTS };

struct cache {
    struct segments lists;
    struct sketch sketch;
};

static void destroy(void *cache)
{
    free(((struct cache *)cache)->sketch.word);
    store_destroy(cache);
}

static int create(const struct cm_config *config, void **cache)
{
    int code = store_create(config, sizeof(struct cache), LISTS, 0, cache);
    if (code == 0 && !sketch_fit(&((struct cache *)*cache)->sketch, 1)) {
        destroy(*cache);
        return -ENOMEM;
    }
    return code;
}

static size_t bytes(const void *cache)
{
    return store_bytes(cache) + sketch_bytes(&((const struct cache *)cache)->sketch);
}

static uint64_t window_most(const struct cache *c)
{
    return c->lists.store.capacity < 100 ? 1 : c->lists.store.capacity / 100;
}

static void hit(struct cache *c, uint32_t n)
{
    if (segment_of(&c->lists, n) == WINDOW) {
        list_unlink(&c->lists.store, n);
        list_push(&c->lists.store, WINDOW, n);
        return;
    }
    segment_protect(&c->lists, n, PROTECTED, PROBATION, (c->lists.store.capacity - window_most(c)) * 4 / 5);
}

/* Whom the main part would evict for this candidate, which is its youngest; 0: nobody. */
static uint32_t victim(const struct cache *c, uint32_t candidate)
{
    const struct store *s = &c->lists.store;
    uint32_t n = list_last(s, PROBATION);
    if (n == PROBATION || n == candidate)
        n = list_last(s, PROTECTED);
    return n == PROTECTED ? 0 : n;
}

/* Makes room by evicting the candidate or others for it. True: the candidate is still here. */
static bool contest(struct cache *c, uint32_t candidate, struct cm_evicted *evicted, uint32_t asked)
{
    struct store *s = &c->lists.store;
    const uint32_t wanted = sketch_estimate(&c->sketch, s->object[candidate].key);
    while (s->kept > s->capacity) {
        const uint32_t n = victim(c, candidate);
        if (n == 0 || wanted <= sketch_estimate(&c->sketch, s->object[n].key)) {
            if (candidate == asked)
                segment_remove(&c->lists, candidate);
            else
                segment_evict(&c->lists, candidate, evicted);
            return false;
        }
        segment_evict(&c->lists, n, evicted);
    }
    return true;
}

/* What was asked for has come in, and now there may be too much in the window and in all. True: it is still here. */
static bool settle(struct cache *c, uint32_t asked, struct cm_evicted *evicted)
{
    struct store *s = &c->lists.store;
    bool here = true;
    while (c->lists.size[WINDOW] > window_most(c)) {
        const uint32_t candidate = list_last(s, WINDOW);
        segment_leave(&c->lists, candidate);
        segment_enter(&c->lists, PROBATION, candidate);
        const bool stays = contest(c, candidate, evicted, asked);
        here = here && (stays || candidate != asked);
    }
    while (s->kept > s->capacity)
        segment_evict(&c->lists, victim(c, 0), evicted);
    return here;
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->lists.store;
    uint32_t n = store_find(s, r->key);
    sketch_add(&c->sketch, r->key);
    if (n && store_usable(s, n, r->time)) {
        hit(c, n);
        return CM_HIT;
    }
    if (n)
        segment_remove(&c->lists, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    if (8 * c->sketch.blocks < s->room)
        sketch_fit(&c->sketch, s->room); /* without memory for it the old one has to do */
    store_keep(s, n, r);
    segment_enter(&c->lists, WINDOW, n);
    const bool here = settle(c, n, evicted);
    store_foresee(s, list_last(s, PROBATION));
    return here ? CM_MISS : CM_BYPASS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = destroy, .request = request, .bytes = bytes, .can = CM_ADMITS};
CM_CACHE(w_tinylfu, "w-tinylfu", "lets in what was asked for more often than what would go", &ops);
