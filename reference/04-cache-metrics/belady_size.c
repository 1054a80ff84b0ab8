/* Belady with sizes: out goes what takes the most room for the longest time.
 *
 * Idea       An object that is kept until its next request takes size x time of the cache, and gives one hit for it.
 *            Out goes the one with the most: (next request - now) x size. If that is the object that was asked for, it
 *            is passed on.
 * How        The order of these products changes as time goes by, so no heap can hold it. But of objects of one size
 *            the farthest stays the farthest: there is a heap for each class of sizes, four classes in an octave, and
 *            what is compared are their first ones, at most 128. Within a class sizes differ by a fifth at most, and
 *            there the choice is by time alone.
 * Law        None: with sizes the optimum is hard to find (NP-hard; Berger, Beckmann & Harchol-Balter 2018 bound it).
 *            This is greedy, and near it on traces that were tried. With objects of one size it is MIN for caches that
 *            may pass objects on.
 * Cost       O(log n) and one look at each class that has objects, for each eviction.
 * Gets wrong What is evicted before it turns out that the new object is worth less than what would have to go next, is
 *            evicted in vain. Costs do not count.
 * Source     Belady 1966; the measure as in libCacheSim's BeladySize, which compares 128 objects drawn at random.
 */
#include "heap.h"

#define CLASSES 128u

struct cache {
    struct store store; /* on no list */
    uint64_t now;       /* the number of this request */
    uint64_t used[CLASSES / 64];
    struct heap heap[CLASSES]; /* by the next request, the farthest first */
};

__extension__ typedef unsigned __int128 product;

static int create(const struct cm_config *config, void **cache)
{
    return store_create(config, sizeof(struct cache), 1, 0, cache);
}

static void destroy(void *cache)
{
    struct cache *c = cache;
    for (uint32_t k = 0; k < CLASSES; k++)
        free(c->heap[k].entry);
    store_destroy(c);
}

static size_t bytes(const void *cache)
{
    const struct cache *c = cache;
    size_t sum = store_bytes(c);
    for (uint32_t k = 0; k < CLASSES; k++)
        sum += c->heap[k].room * sizeof(struct heap_entry);
    return sum;
}

/* The place of the leading bit, and the two bits behind it. */
static uint32_t class_of(uint32_t size)
{
    const uint32_t octave = 31 - (uint32_t)__builtin_clz(size);
    return 4 * octave + (uint32_t)((uint64_t)size << 2 >> octave) % 4;
}

static product space_time(const struct cache *c, uint64_t next, uint32_t size)
{
    return (product)(next == CM_NEVER ? next : next - c->now) * size;
}

static void forget(struct cache *c, uint32_t n)
{
    const uint32_t k = class_of(c->store.object[n].size);
    heap_remove(&c->heap[k], c->store.object, n);
    if (c->heap[k].count == 0)
        c->used[k / 64] &= ~(UINT64_C(1) << k % 64);
    store_release(&c->store, n);
}

/* The one that takes the most, and how much that is. */
static uint32_t largest(const struct cache *c, product *most)
{
    uint32_t worst = 0;
    *most = 0;
    for (uint32_t word = 0; word < CLASSES / 64; word++)
        for (uint64_t bits = c->used[word]; bits; bits &= bits - 1) {
            const struct heap_entry *e = heap_least(&c->heap[64 * word + (uint32_t)__builtin_ctzll(bits)]);
            const product takes = space_time(c, ~e->rank, c->store.object[e->object].size);
            if (worst == 0 || takes > *most) {
                *most = takes;
                worst = e->object;
            }
        }
    return worst;
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    struct store *s = &c->store;
    const uint32_t k = class_of(r->size);
    uint32_t n = store_find(s, r->key);
    c->now++;
    if (n && store_usable(s, n, r->time)) {
        heap_change(&c->heap[class_of(s->object[n].size)], s->object, n, ~r->next);
        return CM_HIT;
    }
    if (n)
        forget(c, n);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (store_lacks(s, r->size)) {
        product most;
        n = largest(c, &most);
        if (space_time(c, r->next, r->size) >= most)
            return CM_BYPASS;
        cm_evict(evicted, s->object[n].key);
        forget(c, n);
    }
    n = heap_reserve(&c->heap[k]) ? store_add(s, r->key) : 0;
    if (!n)
        return CM_BYPASS;
    store_keep(s, n, r);
    heap_add(&c->heap[k], s->object, n, ~r->next);
    c->used[k / 64] |= UINT64_C(1) << k % 64;
    return CM_MISS;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = destroy, .request = request, .bytes = bytes, .can = CM_OFFLINE | CM_ADMITS | CM_SIZES};
CM_CACHE(belady_size, "belady-size", "told the future: evicts the most size x time until the next request", &ops);
