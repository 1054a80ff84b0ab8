/* store.h: objects by key, and lists of them: what every cache needs and none is about.
 *
 * An object is a number: its place in one array. Lists are links by number, and the first numbers are the ends of the
 * lists: putting in and taking out asks nothing about the ends. 0 is the end of the first list, so it is nobody, and an
 * empty place in the index too.
 *
 * The index is a table of 32-bit places, at most half of them taken. A key goes to the first free place from its hash
 * on. Who is taken out leaves no mark: those behind that belong further in front move up (Knuth 1973, algorithm R).
 *
 * Cost: an object takes 32 bytes, and 8 in the index; twice that where the arrays have just grown. They grow by
 * doubling, when an object comes, and nothing is allocated otherwise. A cache begins with its `struct store`.
 */
#ifndef STORE_H
#define STORE_H

#include "cache_metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STORE_LARGEST (UINT64_C(1) << 48)

struct object {
    uint64_t key;
    uint64_t last;       /* the last moment at which it can be used */
    uint32_t size;       /* of the request that fetched it */
    uint32_t prev, next; /* in a list: nearer to the front, nearer to the back */
    uint32_t note;       /* the cache's own */
};
_Static_assert(sizeof(struct object) == 32, "two in a line of memory, none in two");

struct store {
    struct object *object; /* [room] */
    uint32_t *slot;        /* [2 room] numbers of objects */
    uint32_t shift, mask;  /* from a hash to its place */
    uint32_t unused;       /* numbers that were given back, chained by next */
    uint32_t fresh, room;  /* numbers from `fresh` to before `room` were never used */
    uint64_t capacity, kept;
    void *more; /* [room] of more_size: what a cache needs to know of an object besides; zero at first */
    size_t more_size, cache_size;
};

/* A cache of cache_size bytes, zeroed but for its store: empty, with so many empty lists. 0; -EINVAL: a capacity out of
 * bounds; -ENOMEM. */
int store_create(const struct cm_config *config, size_t cache_size, uint32_t lists, size_t more_size, void **cache);
void store_destroy(void *cache);       /* the store and the cache; an entry's destroy when it has nothing else */
size_t store_bytes(const void *cache); /* of the cache and its store */
bool store_grow(struct store *s);      /* false: no memory, and nothing has changed */

/* Large tables begin with a page, of 2 MiB where the system has them: else a miss in the cache is often one in the TLB
 * too. Otherwise as malloc. */
void *store_space(size_t bytes);

/* ---- the index --------------------------------------------------------------------------------------------------- */

/* Both halves of a product: each bit of the key changes about half of the bits (as in wyhash). */
static inline uint64_t store_hash(uint64_t key)
{
    __extension__ typedef unsigned __int128 wide;
    const wide product = (wide)(key ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static inline uint32_t store_home(const struct store *s, uint64_t key)
{
    return (uint32_t)(store_hash(key) >> s->shift);
}

/* The object with this key, or 0. */
static inline uint32_t store_find(const struct store *s, uint64_t key)
{
    uint32_t at = store_home(s, key), n = s->slot[at];
    while (n && s->object[n].key != key) {
        at = (at + 1) & s->mask;
        n = s->slot[at];
    }
    return n;
}

/* An object with this key, which no other has; its size and its links are to be filled in. 0: no memory. */
static inline uint32_t store_add(struct store *s, uint64_t key)
{
    uint32_t n = s->unused;
    if (n)
        s->unused = s->object[n].next;
    else if (s->fresh < s->room || store_grow(s))
        n = s->fresh++;
    else
        return 0;
    uint32_t at = store_home(s, key);
    while (s->slot[at])
        at = (at + 1) & s->mask;
    s->slot[at] = n;
    s->object[n].key = key;
    return n;
}

/* Forgets an object. It must be on no list any more. */
static inline void store_forget(struct store *s, uint32_t n)
{
    uint32_t hole = store_home(s, s->object[n].key);
    while (s->slot[hole] != n)
        hole = (hole + 1) & s->mask;
    for (uint32_t at = (hole + 1) & s->mask; s->slot[at]; at = (at + 1) & s->mask)
        if (((at - store_home(s, s->object[s->slot[at]].key)) & s->mask) >= ((at - hole) & s->mask)) {
            s->slot[hole] = s->slot[at];
            hole = at;
        }
    s->slot[hole] = 0;
    s->object[n].next = s->unused;
    s->unused = n;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

/* The front and the back of a list; the list itself when it is empty. */
static inline uint32_t list_first(const struct store *s, uint32_t list)
{
    return s->object[list].next;
}

static inline uint32_t list_last(const struct store *s, uint32_t list)
{
    return s->object[list].prev;
}

/* Behind `prev`, which is on a list or its end. */
static inline void list_insert(struct store *s, uint32_t prev, uint32_t n)
{
    struct object *o = s->object;
    const uint32_t next = o[prev].next;
    o[n].prev = prev;
    o[n].next = next;
    o[prev].next = n;
    o[next].prev = n;
}

static inline void list_push(struct store *s, uint32_t list, uint32_t n)
{
    list_insert(s, list, n);
}

static inline void list_unlink(struct store *s, uint32_t n)
{
    struct object *o = s->object;
    o[o[n].prev].next = o[n].next;
    o[o[n].next].prev = o[n].prev;
}

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

static inline bool store_usable(const struct store *s, uint32_t n, uint64_t time)
{
    return time <= s->object[n].last;
}

static inline bool store_lacks(const struct store *s, uint64_t size)
{
    return s->capacity - s->kept < size;
}

/* The last moment at which what is fetched now can be used. */
static inline uint64_t store_last_moment(const struct cm_request *r)
{
    const uint64_t ttl = r->ttl_ms * UINT64_C(1000000);
    return ttl == 0 || r->time > UINT64_MAX - ttl ? UINT64_MAX : r->time + ttl - 1;
}

/* The object that was asked for, kept from now on; n comes from store_add. */
static inline void store_keep(struct store *s, uint32_t n, const struct cm_request *r)
{
    s->object[n].size = r->size;
    s->object[n].last = store_last_moment(r);
    s->kept += r->size;
}

/* Kept no more, and nobody is told; it is on no list. */
static inline void store_release(struct store *s, uint32_t n)
{
    s->kept -= s->object[n].size;
    store_forget(s, n);
}

/* The same for one that is on a list. */
static inline void store_remove(struct store *s, uint32_t n)
{
    list_unlink(s, n);
    store_release(s, n);
}

/* The same, and named. */
static inline void store_evict(struct store *s, uint32_t n, struct cm_evicted *evicted)
{
    cm_evict(evicted, s->object[n].key);
    store_remove(s, n);
}

/* n is likely to be evicted next, and what is in front of it after that: their lines are fetched while the caller does
 * something else. Nobody has looked at them for long, so they are in no cache, and an eviction would wait for one after
 * the other. Half as many requests a second again. n may be 0. */
static inline void store_foresee(const struct store *s, uint32_t n)
{
    __builtin_prefetch(&s->slot[store_home(s, s->object[n].key)]);
    __builtin_prefetch(&s->object[s->object[n].prev]);
}

#endif
