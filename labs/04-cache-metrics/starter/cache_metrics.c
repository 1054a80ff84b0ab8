/* Lab 04: your caches. This is the one file that you hand in.
 *
 * The contract, with what every operation promises, is in cache_metrics.h; the tasks and their rules are in README.md.
 * The store of objects and the FIFO cache below are complete: they show how an entry is made. The entries after them are
 * yours.
 *
 *     make check LAB=04                    all public tests, with your points
 *     make check LAB=04 TEST=order         one of them
 *     make hint  LAB=04 TEST=sieve         the next of three hints
 */
#include "cache_metrics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a store of objects, complete: found by key, and in a list from new to old ---- */

#define NONE UINT32_MAX

struct object {
    uint64_t key, expires; /* expires: CM_NEVER, or the time from which it is over */
    uint32_t size, cost_us;
    uint32_t newer, older; /* its neighbours in the list, or NONE */
    uint32_t visits;       /* what you like */
    double value;          /* what you like */
    uint32_t place;        /* what you like */
};

/* Objects have numbers, which stay while they are in the store. A cache's struct begins with a struct store. */
struct store {
    uint64_t capacity, used;
    struct object *object;
    uint32_t objects, free, room; /* in use; first of the free ones, linked by `older`, or NONE */
    uint32_t *slot, slots;        /* hash table of numbers, NONE where nothing is; a power of two */
    uint32_t newest, oldest;      /* ends of the list */
};

/* Makes a cache of `bytes` bytes, all zeros behind the store. */
static int store_create(size_t bytes, const struct cm_config *config, void **out)
{
    if (config->capacity < 1 || config->capacity > UINT64_C(1) << 48)
        return -EINVAL;
    struct store *s = calloc(1, bytes);
    if (!s)
        return -ENOMEM;
    *s = (struct store){.capacity = config->capacity, .free = NONE, .newest = NONE, .oldest = NONE};
    *out = s;
    return 0;
}

static void store_destroy(void *cache)
{
    struct store *s = cache;
    free(s->object);
    free(s->slot);
    free(s);
}

/* Where the key's number is, or where it would be put. */
static uint32_t store_slot(const struct store *s, uint64_t key)
{
    const uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t i = (uint32_t)(hash ^ hash >> 32) & (s->slots - 1);
    while (s->slot[i] != NONE && s->object[s->slot[i]].key != key)
        i = (i + 1) & (s->slots - 1);
    return i;
}

static uint32_t store_find(const struct store *s, uint64_t key)
{
    return s->slots > 0 ? s->slot[store_slot(s, key)] : NONE;
}

/* Twice as many objects, four times as many slots as objects. */
static bool store_grow(struct store *s)
{
    const uint32_t room = s->room ? 2 * s->room : 16;
    struct object *object = realloc(s->object, room * sizeof *object);
    if (!object)
        return false;
    s->object = object;
    uint32_t *slot = malloc(4 * (size_t)room * sizeof *slot);
    if (!slot)
        return false;
    free(s->slot);
    s->slot = slot;
    s->slots = 4 * room;
    memset(slot, 0xff, s->slots * sizeof *slot);
    for (uint32_t i = 0; i < s->room; i++) /* all are in use */
        slot[store_slot(s, object[i].key)] = i;
    for (uint32_t i = room; i-- > s->room;) {
        object[i].older = s->free;
        s->free = i;
    }
    s->room = room;
    return true;
}

/* Puts an object in as the newest, without asking whether there is room in the cache. NONE without memory. */
static uint32_t store_add(struct store *s, const struct cm_request *r)
{
    if (s->free == NONE && !store_grow(s))
        return NONE;
    const uint32_t i = s->free;
    struct object *o = &s->object[i];
    s->free = o->older;
    *o = (struct object){.key = r->key, .size = r->size, .cost_us = r->cost_us, .newer = NONE, .older = s->newest};
    o->expires = r->ttl_ms > 0 ? r->time + r->ttl_ms * UINT64_C(1000000) : CM_NEVER;
    *(s->newest == NONE ? &s->oldest : &s->object[s->newest].newer) = i;
    s->newest = i;
    s->slot[store_slot(s, r->key)] = i;
    s->used += r->size;
    s->objects++;
    return i;
}

/* Takes an object out, and closes the gap in the hash table. */
static void store_remove(struct store *s, uint32_t i)
{
    const struct object *o = &s->object[i];
    const uint32_t mask = s->slots - 1;
    uint32_t gap = store_slot(s, o->key);
    *(o->newer == NONE ? &s->newest : &s->object[o->newer].older) = o->older;
    *(o->older == NONE ? &s->oldest : &s->object[o->older].newer) = o->newer;
    s->used -= o->size;
    s->objects--;
    s->slot[gap] = NONE;
    for (uint32_t k = (gap + 1) & mask; s->slot[k] != NONE; k = (k + 1) & mask) {
        const uint32_t moved = s->slot[k];
        s->slot[k] = NONE;
        s->slot[store_slot(s, s->object[moved].key)] = moved;
    }
    s->object[i].older = s->free;
    s->free = i;
}

/* ---- first in, first out, complete ---- */

static int fifo_create(const struct cm_config *config, void **cache)
{
    return store_create(sizeof(struct store), config, cache);
}

static enum cm_answer fifo_request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct store *s = cache;
    const uint32_t i = store_find(s, r->key);
    if (i != NONE && r->time < s->object[i].expires)
        return CM_HIT;
    if (i != NONE)
        store_remove(s, i); /* its time is over: gone without being named */
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (s->used + r->size > s->capacity) {
        cm_evict(evicted, s->object[s->oldest].key);
        store_remove(s, s->oldest);
    }
    return store_add(s, r) == NONE ? CM_BYPASS : CM_MISS;
}

static const struct cm_cache_ops fifo_ops = {.create = fifo_create, .destroy = store_destroy, .request = fifo_request};
CM_CACHE(fifo, "fifo", "first in, first out", &fifo_ops);

/* ---- task 0: break it ---- */

static int break_it_make(const struct cm_bounds *bounds, uint32_t *key)
{
    for (uint32_t i = 0; i < bounds->requests; i++)
        key[i] = 0; /* TODO: one miss is not much harm */
    return 0;
}

static const struct cm_sequence_ops break_it_ops = {.make = break_it_make};
CM_SEQUENCE(break_it, "break-it", "99 % hits, and a database at work", &break_it_ops);

/* ---- task 1: least recently used ---- */

static int lru_create(const struct cm_config *config, void **cache)
{
    return store_create(sizeof(struct store), config, cache);
}

static enum cm_answer lru_request(void *cache, const struct cm_request *request, struct cm_evicted *evicted)
{
    (void)cache;
    (void)request;
    (void)evicted;
    return CM_BYPASS; /* TODO */
}

static const struct cm_cache_ops lru_ops = {.create = lru_create, .destroy = store_destroy, .request = lru_request};
CM_CACHE(lru, "lru", "least recently used", &lru_ops);

/* ---- task 2: SIEVE ---- */

static int sieve_create(const struct cm_config *config, void **cache)
{
    return store_create(sizeof(struct store), config, cache); /* TODO: a hand */
}

static enum cm_answer sieve_request(void *cache, const struct cm_request *request, struct cm_evicted *evicted)
{
    (void)cache;
    (void)request;
    (void)evicted;
    return CM_BYPASS; /* TODO */
}

static const struct cm_cache_ops sieve_ops = {
    .create = sieve_create, .destroy = store_destroy, .request = sieve_request};
CM_CACHE(sieve, "sieve", "a hand that spares what was visited", &sieve_ops);

/* ---- task 3: greedy dual size frequency ---- */

static int gdsf_create(const struct cm_config *config, void **cache)
{
    return store_create(sizeof(struct store), config, cache); /* TODO: a heap, and L */
}

static enum cm_answer gdsf_request(void *cache, const struct cm_request *request, struct cm_evicted *evicted)
{
    (void)cache;
    (void)request;
    (void)evicted;
    return CM_BYPASS; /* TODO */
}

static const struct cm_cache_ops gdsf_ops = {.create = gdsf_create, .destroy = store_destroy, .request = gdsf_request};
CM_CACHE(gdsf, "gdsf", "the least visits x cost / size goes", &gdsf_ops);

/* ---- task 4: the right figures ---- */

static int figures_figures(const struct cm_event *event, size_t n, const struct cm_period *period,
                           struct cm_figures *figures)
{
    (void)event;
    (void)period;
    *figures = (struct cm_figures){.requests = n}; /* TODO */
    return 0;
}

static const struct cm_figures_ops figures_ops = {.figures = figures_figures};
CM_FIGURES(figures, "figures", "what a log of requests says", &figures_ops);

/* ---- tasks 5 and 6: who recomputes ---- */

struct recompute {
    struct cm_recompute_config config;
    /* TODO: what is known of each key */
};

static int recompute_create(const struct cm_recompute_config *config, void **state)
{
    struct recompute *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->config = *config;
    *state = s;
    return 0;
}

static void recompute_destroy(void *state)
{
    free(state);
}

static void recompute_done(void *state, uint64_t key, uint64_t asked, uint64_t now, enum cm_result result, double u)
{
    (void)state;
    (void)key;
    (void)asked;
    (void)now;
    (void)result;
    (void)u; /* TODO */
}

static struct cm_decision single_flight_ask(void *state, uint64_t key, uint64_t now, double u)
{
    (void)state;
    (void)key;
    (void)now;
    (void)u;
    return (struct cm_decision){CM_SERVE, 0}; /* TODO */
}

static const struct cm_recompute_ops single_flight_ops = {
    .create = recompute_create, .destroy = recompute_destroy, .ask = single_flight_ask, .done = recompute_done};
CM_RECOMPUTE(single_flight, "single-flight", "one computes, the others wait", &single_flight_ops);

static struct cm_decision early_expiry_ask(void *state, uint64_t key, uint64_t now, double u)
{
    (void)state;
    (void)key;
    (void)now;
    (void)u;
    return (struct cm_decision){CM_SERVE, 0}; /* TODO */
}

static const struct cm_recompute_ops early_expiry_ops = {
    .create = recompute_create, .destroy = recompute_destroy, .ask = early_expiry_ask, .done = recompute_done};
CM_RECOMPUTE(early_expiry, "early-expiry", "computed again before it expires, by chance", &early_expiry_ops);

/* ---- task 7: a policy of your own ---- */

static int own_create(const struct cm_config *config, void **cache)
{
    return store_create(sizeof(struct store), config, cache);
}

static enum cm_answer own_request(void *cache, const struct cm_request *request, struct cm_evicted *evicted)
{
    (void)cache;
    (void)request;
    (void)evicted;
    return CM_BYPASS; /* TODO */
}

static const struct cm_cache_ops own_ops = {.create = own_create, .destroy = store_destroy, .request = own_request};
CM_CACHE(own_policy, "own-policy", "my own", &own_ops);
