/* LRU: out goes what was not asked for longest.
 *
 * Idea       A list in the order of the last requests. A hit moves its object to the front.
 * Law        Inclusion: at every moment the larger cache holds all that the smaller one holds, so more room is never
 *            worse, and one pass gives the misses at every size (mattson.c). Independent requests: an object stays for
 *            about T after its last request, with T such that the sum of 1 - exp(-rate T) is the capacity (Che's
 *            approximation).
 * Cost       A hit writes to up to five objects: the one that was hit, its two neighbours, the old front, the end of
 *            the list. So threads take turns (lru_locked.c).
 * Gets wrong A scan pushes everything out. A loop over capacity + 1 objects hits 0 %. It does not know how often, only
 *            when last.
 * Source     Mattson et al. 1970; Che, Tung & Wang 2002; Sleator & Tarjan 1985 (no more than k times MIN's misses).
 */
#include "lru.h"

int lru_create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct store), 1, 0, cache);
}

enum cm_answer lru_request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct store *s = cache;
    uint32_t n = store_find(s, r->key);
    if (n && store_usable(s, n, r->time)) {
        list_unlink(s, n);
        list_push(s, 0, n);
        return CM_HIT;
    }
    if (n)
        store_remove(s, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size))
        store_evict(s, list_last(s, 0), evicted);
    n = store_add(s, r->key);
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    list_push(s, 0, n);
    store_foresee(s, list_last(s, 0));
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = lru_create, .destroy = store_destroy, .request = lru_request, .bytes = store_bytes};
CM_CACHE(lru, "lru", "evicts what was not asked for longest", &ops);
