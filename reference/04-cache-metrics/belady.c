/* Belady's MIN: out goes what will not be asked for for the longest time.
 *
 * Idea       It has to be told the future: of each request, when the same key is asked for next. Of the objects that
 *            are kept, the one whose next request is farthest away goes.
 * Law        For objects of one size nobody who keeps whatever is asked for misses less often (Mattson et al. 1970
 *            prove it).
 * Variant    As published, for pages: what is asked for is always kept, also when its own next request is the farthest.
 *            Who may pass an object on without keeping it (CM_ADMITS) can miss less: as if there were room for one
 *            more.
 * Cost       A heap of four children a node: O(log n) a request. Two passes over the trace: the first finds the next
 *            requests.
 * Gets wrong Sizes: one large object that is needed soon is kept where a hundred small ones would fit that are needed
 *            a moment later (belady_size.c). And nobody knows the future: this is a measuring rod.
 * Source     Belady 1966, "A study of replacement algorithms for a virtual-storage computer"; Mattson et al. 1970.
 */
#include "heap.h"

/* The heap is by the next request, the farthest first. */
static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct heap_cache), 1, 0, cache);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct heap_cache *c = cache;
    struct store *s = &c->store;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time)) {
        heap_change(&c->heap, s->object, n, ~r->next);
        return CM_HIT;
    }
    if (n)
        heap_cache_remove(c, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size))
        heap_cache_evict(c, heap_least(&c->heap)->object, evicted);
    n = heap_cache_keep(c, r);
    if (!n)
        return CM_BYPASS;
    heap_add(&c->heap, s->object, n, ~r->next);
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = heap_cache_destroy, .request = request, .bytes = heap_cache_bytes, .can = CM_OFFLINE};
CM_CACHE(belady, "belady", "told the future: evicts what is asked for last", &ops);
