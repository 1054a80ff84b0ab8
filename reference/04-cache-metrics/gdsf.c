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
#include "sketch.h"

struct cache {
    struct heap_cache kept; /* on no list, so an object's prev counts its requests, and its next is its cost */
    double inflation;       /* L */
    struct sketch sketch;
    bool remembers; /* how often a key was asked for again, in the cache or out of it: own-policy */
};

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct cache), 1, 0, cache);
}

/* How often the key counts as asked for, now that it is asked for once more; so far it was `visits`. */
static uint32_t frequency(struct cache *c, uint64_t key, uint32_t visits)
{
    if (!c->remembers)
        return visits + (visits < UINT32_MAX);
    if (!sketch_fit(&c->sketch, 2 * c->kept.store.fresh))
        return visits;
    const uint32_t again = sketch_estimate(&c->sketch, key);
    sketch_add(&c->sketch, key);
    return again;
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
        s->object[n].prev = frequency(c, r->key, s->object[n].prev);
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
    s->object[n].prev = frequency(c, r->key, 0);
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

/* GDSF that remembers.
 *
 * Idea       What an object is worth is how often it will be asked for again, and a query that came once says nothing
 *            about that, however expensive it was. So the frequency is how often a key was asked for before, in the cache
 *            or out of it, of late: a count-min sketch knows. What comes for the first time is worth L and no more, and
 *            a scan of expensive queries passes through.
 * Cost       16 bytes an object more, and a line of memory.
 * Gets wrong What is asked for twice within a scan. What became popular this moment has to earn it.
 * Source     The value is GDSF's; the memory is TinyLFU's (Einziger, Friedman & Manes 2017).
 */
static int create_own(const struct cm_config *config, void **cache)
{
    const int code = create(config, cache);
    if (code == 0)
        ((struct cache *)*cache)->remembers = true;
    return code;
}

static void destroy_own(void *cache)
{
    free(((struct cache *)cache)->sketch.word);
    heap_cache_destroy(cache);
}

static size_t bytes_own(const void *cache)
{
    return heap_cache_bytes(cache) + sketch_bytes(&((const struct cache *)cache)->sketch);
}

static const struct cm_cache_ops own_ops = {
    .create = create_own, .destroy = destroy_own, .request = request, .bytes = bytes_own, .can = CM_SIZES | CM_COSTS};
CM_CACHE(own_policy, "own-policy", "GDSF that remembers how often a key was asked for before", &own_ops);
