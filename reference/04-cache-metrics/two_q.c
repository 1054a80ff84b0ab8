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
#include "segments.h"

enum { A1IN, A1OUT, AM, LISTS };

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct segments), LISTS, 0, cache);
}

static uint32_t victim(const struct segments *c)
{
    const bool new = c->size[A1IN] > c->store.capacity / 4 || segment_empty(c, AM);
    return list_last(&c->store, new ? A1IN : AM);
}

static void evict(struct segments *c, struct cm_evicted *evicted)
{
    const uint32_t n = victim(c);
    if (segment_of(c, n) == AM) {
        segment_evict(c, n, evicted);
        return;
    }
    segment_haunt(c, A1OUT, n, evicted);
    while (c->size[A1OUT] > c->store.capacity / 2)
        segment_drop(c, list_last(&c->store, A1OUT));
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct segments *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    const bool again = n && segment_of(c, n) == A1OUT, here = n && !again;
    if (here && store_usable(s, n, r->time)) {
        if (segment_of(c, n) == AM) {
            list_unlink(s, n);
            list_push(s, AM, n);
        }
        return CM_HIT;
    }
    if (here)
        segment_remove(c, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    if (again)
        segment_drop(c, n);
    while (store_lacks(s, r->size))
        evict(c, evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    segment_enter(c, again ? AM : A1IN, n);
    store_foresee(s, victim(c));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = store_destroy, .request = request, .bytes = store_bytes};
CM_CACHE(two_q, "2q", "a queue for the new, LRU for what comes back after it", &ops);
