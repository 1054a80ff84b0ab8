/* heap.h: objects by rank, the least first, where ranks change: what evicts by a value needs it.
 *
 * Idea    A tree of four children a node in one array, so a look at all children is a look at one line of memory. Each
 *         object's note is its place: so its rank can be changed without a search.
 * Ties    Of equal ranks the one that was set first comes first: the age of a rank is a counter of 32 bits, and ages
 *         that lie 2^31 settings apart are compared the wrong way round.
 * Ranks   64-bit numbers. Doubles that are not negative are in the order of their bits: heap_rank.
 */
#ifndef HEAP_H
#define HEAP_H

#include "store.h"

struct heap_entry {
    uint64_t rank;
    uint32_t age, object;
};

struct heap {
    struct heap_entry *entry; /* entry[3] is the first, so that the children of one begin a line of memory */
    uint32_t count, room, age;
};

static inline uint64_t heap_rank(double not_negative)
{
    uint64_t bits;
    memcpy(&bits, &not_negative, sizeof bits);
    return bits;
}

static inline bool heap_less(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->rank != b->rank ? a->rank < b->rank : (int32_t)(a->age - b->age) < 0;
}

static inline void heap_place(struct heap *h, struct object *o, uint32_t at, struct heap_entry e)
{
    h->entry[at] = e;
    o[e.object].note = at;
}

/* Puts e where it belongs, from the free place `at` on, first up, then down. Place p has the children 4 p - 8 to
 * 4 p - 5. */
static inline void heap_settle(struct heap *h, struct object *o, uint32_t at, struct heap_entry e)
{
    while (at > 3 && heap_less(&e, &h->entry[(at + 8) / 4])) {
        heap_place(h, o, at, h->entry[(at + 8) / 4]);
        at = (at + 8) / 4;
    }
    for (uint32_t end = h->count + 3, child = 4 * at - 8; child < end; child = 4 * at - 8) {
        uint32_t least = child;
        for (uint32_t other = child + 1; other < child + 4 && other < end; other++)
            if (heap_less(&h->entry[other], &h->entry[least]))
                least = other;
        if (!heap_less(&h->entry[least], &e))
            break;
        heap_place(h, o, at, h->entry[least]);
        at = least;
    }
    heap_place(h, o, at, e);
}

/* Room for one more. false: no memory. */
static inline bool heap_reserve(struct heap *h)
{
    if (h->count + 3 < h->room)
        return true;
    const uint32_t room = h->room ? 2 * h->room : 64;
    struct heap_entry *entry = store_space(room * sizeof *entry);
    if (!entry)
        return false;
    if (h->entry)
        memcpy(entry, h->entry, h->room * sizeof *entry);
    free(h->entry);
    h->entry = entry;
    h->room = room;
    return true;
}

/* heap_reserve came before. */
static inline void heap_add(struct heap *h, struct object *o, uint32_t n, uint64_t rank)
{
    const uint32_t at = 3 + h->count++;
    heap_settle(h, o, at, (struct heap_entry){.rank = rank, .age = h->age++, .object = n});
}

static inline void heap_change(struct heap *h, struct object *o, uint32_t n, uint64_t rank)
{
    heap_settle(h, o, o[n].note, (struct heap_entry){.rank = rank, .age = h->age++, .object = n});
}

static inline void heap_remove(struct heap *h, struct object *o, uint32_t n)
{
    const uint32_t at = o[n].note;
    const struct heap_entry last = h->entry[3 + --h->count];
    if (last.object != n)
        heap_settle(h, o, at, last);
}

static inline const struct heap_entry *heap_least(const struct heap *h)
{
    return &h->entry[3];
}

/* ---- a cache with a heap of what it keeps ------------------------------------------------------------------------ */

struct heap_cache {
    struct store store; /* on no list */
    struct heap heap;
};

static inline void heap_cache_destroy(void *cache)
{
    free(((struct heap_cache *)cache)->heap.entry);
    store_destroy(cache);
}

static inline size_t heap_cache_bytes(const void *cache)
{
    return store_bytes(cache) + ((const struct heap_cache *)cache)->heap.room * sizeof(struct heap_entry);
}

/* An object that is kept goes, and nobody is told. */
static inline void heap_cache_remove(struct heap_cache *c, uint32_t n)
{
    heap_remove(&c->heap, c->store.object, n);
    store_release(&c->store, n);
}

static inline void heap_cache_evict(struct heap_cache *c, uint32_t n, struct cm_evicted *evicted)
{
    cm_evict(evicted, c->store.object[n].key);
    heap_cache_remove(c, n);
}

/* The object that was asked for, kept, but not in the heap yet; 0: no memory. */
static inline uint32_t heap_cache_keep(struct heap_cache *c, const struct cm_request *r)
{
    const uint32_t n = heap_reserve(&c->heap) ? store_add(&c->store, r->key) : 0;
    if (n)
        store_keep(&c->store, n, r);
    return n;
}

#endif
