/* SIEVE for several threads: a hit takes no lock.
 *
 * Idea       A hit of SIEVE moves nothing: it sets a bit, and most of the time the bit is set already. So whoever hits
 *            only reads, and threads that only read do not slow each other down. Everything else (a miss, an eviction,
 *            an expired object) happens under one lock, and there every lookup is made anew.
 * Readers    The index may change under a reader's eyes: it may overlook a key that is just being moved. Then it takes
 *            the lock, and finds it. What it does find could be evicted, and its place taken by another key, while it
 *            is read: so each object has a mark, a counter that is odd while the object is nobody's. A hit counts when
 *            the mark is even and the same before and after. The visited bit is the mark's lowest, and is set only if
 *            the mark is still that one.
 *            Nothing that a reader may look at is ever given back: objects lie in blocks that do not move, each as
 *            large as all before it together, and outgrown indexes stay until the cache ends. That doubles the index.
 * Cost       A hit reads the index and one line of the object. Misses wait for each other: with m of them in a hundred
 *            requests no number of threads is faster than 100 / m times one thread's rate of misses.
 * Gets wrong The clock: a reader's time may be a little behind that of another thread that has just fetched anew.
 * Source     Zhang et al. 2024 (SIEVE); the marks are Lameter's sequence locks, one an object; Boehm 2012, "Can
 *            seqlocks get along with programming language memory models?" (which loads must be atomic).
 */
#include "store.h"

#include <pthread.h>
#include <stdatomic.h>

#define BLOCKS 26u
#define FIRST  64u /* objects of the first block */

struct entry {
    _Atomic uint64_t key, last;
    _Atomic uint32_t mark; /* 2 x counter + visited */
    uint32_t size, prev, next;
};

struct table {
    struct table *older;
    uint32_t shift, mask;
    _Atomic uint32_t slot[];
};

struct cache {
    _Atomic(struct table *) table;
    _Atomic(struct entry *) block[BLOCKS];
    pthread_mutex_t lock; /* all that follows is its holder's */
    uint64_t capacity, kept;
    uint32_t unused, fresh, room, hand;
};

/* Object n is in block k when n + FIRST is from FIRST x 2^k to before twice that. */
static inline struct entry *entry_at(const struct cache *c, uint32_t n)
{
    const uint32_t at = n + FIRST, k = (uint32_t)__builtin_clz(FIRST) - (uint32_t)__builtin_clz(at);
    return atomic_load_explicit(&c->block[k], memory_order_relaxed) + (at - (FIRST << k));
}

/* ---- the index --------------------------------------------------------------------------------------------------- */

static struct table *table_new(uint32_t room)
{
    struct table *t = store_space(sizeof *t + 2 * (size_t)room * sizeof *t->slot);
    if (!t)
        return NULL;
    t->older = NULL;
    t->mask = 2 * room - 1;
    t->shift = (uint32_t)__builtin_clzll(t->mask);
    for (uint32_t i = 0; i <= t->mask; i++)
        atomic_init(&t->slot[i], 0);
    return t;
}

static void table_put(struct table *t, uint64_t key, uint32_t n)
{
    uint32_t at = (uint32_t)(store_hash(key) >> t->shift);
    while (atomic_load_explicit(&t->slot[at], memory_order_relaxed))
        at = (at + 1) & t->mask;
    atomic_store_explicit(&t->slot[at], n, memory_order_release);
}

static uint32_t find(const struct cache *c, uint64_t key)
{
    const struct table *t = atomic_load_explicit(&c->table, memory_order_acquire);
    uint32_t at = (uint32_t)(store_hash(key) >> t->shift);
    for (;; at = (at + 1) & t->mask) {
        const uint32_t n = atomic_load_explicit(&t->slot[at], memory_order_acquire);
        if (n == 0 || atomic_load_explicit(&entry_at(c, n)->key, memory_order_relaxed) == key)
            return n;
    }
}

static void unindex(struct cache *c, uint32_t n)
{
    struct table *t = atomic_load_explicit(&c->table, memory_order_relaxed);
    uint32_t hole = (uint32_t)(store_hash(entry_at(c, n)->key) >> t->shift);
    while (atomic_load_explicit(&t->slot[hole], memory_order_relaxed) != n)
        hole = (hole + 1) & t->mask;
    for (uint32_t at = (hole + 1) & t->mask;; at = (at + 1) & t->mask) {
        const uint32_t other = atomic_load_explicit(&t->slot[at], memory_order_relaxed);
        if (other == 0)
            break;
        const uint32_t home = (uint32_t)(store_hash(entry_at(c, other)->key) >> t->shift);
        if (((at - home) & t->mask) >= ((at - hole) & t->mask)) {
            atomic_store_explicit(&t->slot[hole], other, memory_order_release);
            hole = at;
        }
    }
    atomic_store_explicit(&t->slot[hole], 0, memory_order_release);
}

/* Twice as many objects as before. */
static bool grow(struct cache *c)
{
    const uint32_t block = c->room ? (uint32_t)__builtin_clz(FIRST) - (uint32_t)__builtin_clz(c->room + FIRST) : 0;
    const uint32_t more = FIRST << block, room = c->room + more;
    if (block == BLOCKS)
        return false;
    struct entry *e = store_space(more * sizeof *e);
    struct table *t = table_new(2 * more);
    if (!e || !t) {
        free(e);
        free(t);
        return false;
    }
    memset((void *)e, 0, more * sizeof *e);
    atomic_store_explicit(&c->block[block], e, memory_order_release);
    for (uint32_t n = 1; n < c->room; n++)
        table_put(t, entry_at(c, n)->key, n);
    t->older = atomic_load_explicit(&c->table, memory_order_relaxed);
    atomic_store_explicit(&c->table, t, memory_order_release);
    c->room = room;
    return true;
}

/* ---- under the lock ---------------------------------------------------------------------------------------------- */

static void unlink_entry(struct cache *c, uint32_t n)
{
    struct entry *e = entry_at(c, n);
    entry_at(c, e->prev)->next = e->next;
    entry_at(c, e->next)->prev = e->prev;
}

static void push_entry(struct cache *c, uint32_t n)
{
    struct entry *end = entry_at(c, 0), *e = entry_at(c, n);
    e->prev = 0;
    e->next = end->next;
    entry_at(c, end->next)->prev = n;
    end->next = n;
}

static void forget(struct cache *c, uint32_t n)
{
    struct entry *e = entry_at(c, n);
    if (c->hand == n)
        c->hand = e->prev;
    c->kept -= e->size;
    unlink_entry(c, n);
    unindex(c, n);
    atomic_store_explicit(&e->mark, ((e->mark >> 1) + 1) << 1, memory_order_relaxed); /* odd: nobody's */
    e->next = c->unused;
    c->unused = n;
}

static void evict(struct cache *c, struct cm_evicted *evicted)
{
    uint32_t hand = c->hand ? c->hand : entry_at(c, 0)->prev;
    while (atomic_load_explicit(&entry_at(c, hand)->mark, memory_order_relaxed) & 1) {
        atomic_fetch_and_explicit(&entry_at(c, hand)->mark, ~1u, memory_order_relaxed);
        hand = entry_at(c, hand)->prev;
        if (hand == 0)
            hand = entry_at(c, 0)->prev;
    }
    c->hand = hand;
    cm_evict(evicted, entry_at(c, hand)->key);
    forget(c, hand);
}

static bool keep(struct cache *c, const struct cm_request *r)
{
    uint32_t n = c->unused;
    if (n)
        c->unused = entry_at(c, n)->next;
    else if (c->fresh < c->room || grow(c))
        n = c->fresh++;
    else
        return false;
    struct entry *e = entry_at(c, n);
    atomic_store_explicit(&e->key, r->key, memory_order_release); /* whoever sees this sees the odd mark too */
    atomic_store_explicit(&e->last, store_last_moment(r), memory_order_release);
    atomic_store_explicit(&e->mark, ((e->mark >> 1 | 1) + 1) << 1, memory_order_release); /* even; 0 was never used */
    e->size = r->size;
    c->kept += r->size;
    push_entry(c, n);
    table_put(atomic_load_explicit(&c->table, memory_order_relaxed), r->key, n);
    return true;
}

static enum cm_answer request_locked(struct cache *c, const struct cm_request *r, struct cm_evicted *evicted)
{
    const uint32_t n = find(c, r->key);
    if (n && r->time <= entry_at(c, n)->last) {
        atomic_fetch_or_explicit(&entry_at(c, n)->mark, 1, memory_order_relaxed);
        return CM_HIT;
    }
    if (n)
        forget(c, n);
    if (r->size > c->capacity)
        return CM_BYPASS;
    while (c->capacity - c->kept < r->size)
        evict(c, evicted);
    const bool kept = keep(c, r);
    const struct table *t = atomic_load_explicit(&c->table, memory_order_relaxed);
    const struct entry *next = entry_at(c, c->hand); /* as store_foresee: less time under the lock */
    __builtin_prefetch(&t->slot[store_hash(next->key) >> t->shift]);
    __builtin_prefetch(entry_at(c, next->prev));
    return kept ? CM_MISS : CM_BYPASS;
}

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

static bool hit(struct cache *c, const struct cm_request *r)
{
    const uint32_t n = find(c, r->key);
    if (n == 0)
        return false;
    struct entry *e = entry_at(c, n);
    uint32_t mark = atomic_load_explicit(&e->mark, memory_order_acquire);
    const uint64_t key = atomic_load_explicit(&e->key, memory_order_acquire);
    const uint64_t last = atomic_load_explicit(&e->last, memory_order_acquire);
    const uint32_t after = atomic_load_explicit(&e->mark, memory_order_relaxed);
    if (mark & 2 || (mark ^ after) >> 1 || key != r->key || r->time > last)
        return false;
    if (!(after & 1)) {
        mark = after;
        atomic_compare_exchange_strong_explicit(&e->mark, &mark, after | 1, memory_order_relaxed, memory_order_relaxed);
    }
    return true;
}

static enum cm_answer request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct cache *c = cache;
    if (hit(c, r))
        return CM_HIT;
    pthread_mutex_lock(&c->lock);
    const enum cm_answer answer = request_locked(c, r, evicted);
    pthread_mutex_unlock(&c->lock);
    return answer;
}

static void destroy(void *cache)
{
    struct cache *c = cache;
    for (struct table *t = c->table, *older; t; t = older) {
        older = t->older;
        free(t);
    }
    for (uint32_t k = 0; k < BLOCKS; k++)
        free(c->block[k]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static int create(const struct cm_config *config, void **cache)
{
    if (config->capacity < 1 || config->capacity > STORE_LARGEST)
        return -EINVAL;
    struct cache *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    pthread_mutex_init(&c->lock, NULL);
    c->capacity = config->capacity;
    if (!grow(c)) {
        destroy(c);
        return -ENOMEM;
    }
    c->fresh = 1; /* 0 is the end of the list */
    *cache = c;
    return 0;
}

static size_t bytes(const void *cache)
{
    const struct cache *c = cache;
    size_t sum = sizeof *c + c->room * sizeof(struct entry);
    for (const struct table *t = c->table; t; t = t->older)
        sum += sizeof *t + ((size_t)t->mask + 1) * sizeof *t->slot;
    return sum;
}

static const struct cm_cache_ops ops = {
    .create = create, .destroy = destroy, .request = request, .bytes = bytes, .can = CM_THREADS};
CM_CACHE(concurrent_sieve, "concurrent-sieve", "sieve for several threads; hits take no lock", &ops);
