/* GDSF: what costs much, is asked for often and takes little room is worth keeping.
 *
 * Idea       Each object has a value H = L + frequency x cost / size. Out goes the least; L becomes its H, and L is
 *            where new values start from. So who is not asked for any more is overtaken in the end: aging without
 *            touching anybody (an inflation of L in place of a deflation of all others).
 * Law        With frequency left out this is GreedyDual-Size, which costs at most k times the optimum, k the capacity
 *            over the smallest size (Cao & Irani 1997). With equal costs and sizes it is LFU with aging (LFUDA).
 * Variant    An object keeps the cost and the size that it was fetched with. A hit sets H anew from today's L. Of equal
 *            values the one that was set first goes. Everything is let in.
 * Cost       A heap of four children a node: O(log n) a hit and a miss. 16 bytes an object more.
 * Gets wrong Which measure is served is a choice: cost / size saves work of the origin, 1 / size gives hits and
 *            1 loses bytes. Costs have to be known, and a cost of 0 is never worth keeping.
 * Source     Cherkasova 1998, "Improving WWW proxies performance with Greedy-Dual-Size-Frequency caching policy";
 *            Cao & Irani 1997; Young 1994.
 */
#include "heap.h"

struct cache {
    struct heap_cache kept; /* on no list, so an object's prev counts its requests, and its next is its cost */
    double inflation;       /* L */
};

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct cache), 1, 0, cache);
}

static uint64_t value(const struct cache *c, uint32_t n)
{
    const struct object *o = &c->kept.store.object[n];
    return heap_rank(c->inflation + (double)o->prev * (double)o->next / (double)o->size);
}

static void evict(struct cache *c, struct cm_evicted *evicted)
{
    const struct heap_entry least = *heap_least(&c->kept.heap);
    memcpy(&c->inflation, &least.rank, sizeof c->inflation);
    heap_cache_evict(&c->kept, least.object, evicted);
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->kept.store;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time)) {
        s->object[n].prev += s->object[n].prev < UINT32_MAX;
        heap_change(&c->kept.heap, s->object, n, value(c, n));
        return CM_HIT;
    }
    if (n)
        heap_cache_remove(&c->kept, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size))
        evict(c, evicted);
    n = heap_cache_keep(&c->kept, r);
    if (!n)
        return CM_BYPASS;
    s->object[n].prev = 1;
    s->object[n].next = r->cost_us;
    heap_add(&c->kept.heap, s->object, n, value(c, n));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {.create = create,
                                        .destroy = heap_cache_destroy,
                                        .request = request,
                                        .bytes = heap_cache_bytes,
                                        .can = CM_SIZES | CM_COSTS};
CM_CACHE(gdsf, "gdsf", "evicts the least frequency x cost / size, with aging", &ops);
