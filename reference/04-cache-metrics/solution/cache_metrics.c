/* The model solution of lab 04: the hand-in with full marks. */
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

/* Makes an object the newest. */
static void store_renew(struct store *s, uint32_t i)
{
    struct object *o = &s->object[i];
    if (i == s->newest)
        return;
    s->object[o->newer].older = o->older;
    *(o->older == NONE ? &s->oldest : &s->object[o->older].newer) = o->newer;
    s->object[s->newest].newer = i;
    o->older = s->newest;
    o->newer = NONE;
    s->newest = i;
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

/* The keys from dear to cheap, the first `n` of them. */
static void dearest(const struct cm_bounds *bounds, uint32_t *key, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t best = NONE;
        for (uint32_t k = 0; k < bounds->keys; k++) {
            uint32_t taken = 0;
            while (taken < i && key[taken] != k)
                taken++;
            if (taken == i && (best == NONE || bounds->cost_us[k] > bounds->cost_us[best]))
                best = k;
        }
        key[i] = best;
    }
}

/* All but one place of the cache is held by keys that are asked for again and again. So whatever else is there is the
 * oldest, and the two most expensive keys evict each other. */
static int break_it_make(const struct cm_bounds *bounds, uint32_t *key)
{
    const uint32_t c = bounds->capacity;
    uint32_t *best = calloc(c + 1, sizeof *best), misses = c - 1, at = 0, round = 0;
    if (!best)
        return -ENOMEM;
    dearest(bounds, best, c + 1);
    for (uint32_t i = 0; i < bounds->requests; i++) {
        const bool miss = at == c - 1 && misses < bounds->most_misses;
        misses += miss;
        key[i] = best[miss ? round % 2 : at < c - 1 ? 2 + at : 2];
        if (++at == c) {
            at = 0;
            round++;
        }
    }
    free(best);
    return 0;
}

static const struct cm_sequence_ops break_it_ops = {.make = break_it_make};
CM_SEQUENCE(break_it, "break-it", "99 % hits, and a database at work", &break_it_ops);

/* ---- task 1: least recently used ---- */

static int lru_create(const struct cm_config *config, void **cache)
{
    return store_create(sizeof(struct store), config, cache);
}

static enum cm_answer lru_request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct store *s = cache;
    const uint32_t i = store_find(s, r->key);
    if (i != NONE && r->time < s->object[i].expires) {
        store_renew(s, i);
        return CM_HIT;
    }
    if (i != NONE)
        store_remove(s, i);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (s->used + r->size > s->capacity) {
        cm_evict(evicted, s->object[s->oldest].key);
        store_remove(s, s->oldest);
    }
    return store_add(s, r) == NONE ? CM_BYPASS : CM_MISS;
}

static const struct cm_cache_ops lru_ops = {.create = lru_create, .destroy = store_destroy, .request = lru_request};
CM_CACHE(lru, "lru", "least recently used", &lru_ops);

/* ---- task 2: SIEVE ---- */

struct sieve {
    struct store store; /* first */
    uint32_t hand;      /* NONE: it begins with the oldest */
};

static int sieve_create(const struct cm_config *config, void **cache)
{
    int code = store_create(sizeof(struct sieve), config, cache);
    if (code == 0)
        ((struct sieve *)*cache)->hand = NONE;
    return code;
}

/* When the object at the hand goes, the hand moves on to the next newer one. */
static void sieve_remove(struct sieve *c, uint32_t i)
{
    if (c->hand == i)
        c->hand = c->store.object[i].newer;
    store_remove(&c->store, i);
}

static uint32_t sieve_victim(struct sieve *c)
{
    struct store *s = &c->store;
    uint32_t i = c->hand == NONE ? s->oldest : c->hand;
    while (s->object[i].visits > 0) {
        s->object[i].visits = 0;
        i = s->object[i].newer == NONE ? s->oldest : s->object[i].newer;
    }
    c->hand = i;
    return i;
}

static enum cm_answer sieve_request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct sieve *c = cache;
    struct store *s = &c->store;
    const uint32_t i = store_find(s, r->key);
    if (i != NONE && r->time < s->object[i].expires) {
        s->object[i].visits = 1;
        return CM_HIT;
    }
    if (i != NONE)
        sieve_remove(c, i);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (s->used + r->size > s->capacity) {
        const uint32_t victim = sieve_victim(c);
        cm_evict(evicted, s->object[victim].key);
        sieve_remove(c, victim);
    }
    return store_add(s, r) == NONE ? CM_BYPASS : CM_MISS;
}

static const struct cm_cache_ops sieve_ops = {
    .create = sieve_create, .destroy = store_destroy, .request = sieve_request};
CM_CACHE(sieve, "sieve", "a hand that spares what was visited", &sieve_ops);

/* ---- task 3: greedy dual size frequency ---- */

struct gdsf {
    struct store store; /* first */
    uint32_t *heap;     /* [store.objects] of numbers: the least value first */
    uint32_t room;
    double inflation; /* L */
};

static int gdsf_create(const struct cm_config *config, void **cache)
{
    return store_create(sizeof(struct gdsf), config, cache);
}

static void gdsf_destroy(void *cache)
{
    free(((struct gdsf *)cache)->heap);
    store_destroy(cache);
}

static void heap_put(struct gdsf *c, uint32_t place, uint32_t i)
{
    c->heap[place] = i;
    c->store.object[i].place = place;
}

/* Moves what stands at `place` to where it belongs, among the first n. */
static void heap_settle(struct gdsf *c, uint32_t place, uint32_t n)
{
    const struct object *o = c->store.object;
    const uint32_t i = c->heap[place];
    for (; place > 0 && o[i].value < o[c->heap[(place - 1) / 2]].value; place = (place - 1) / 2)
        heap_put(c, place, c->heap[(place - 1) / 2]);
    for (uint32_t child; (child = 2 * place + 1) < n; place = child) {
        if (child + 1 < n && o[c->heap[child + 1]].value < o[c->heap[child]].value)
            child++;
        if (!(o[c->heap[child]].value < o[i].value))
            break;
        heap_put(c, place, c->heap[child]);
    }
    heap_put(c, place, i);
}

static void gdsf_remove(struct gdsf *c, uint32_t i)
{
    const uint32_t place = c->store.object[i].place, last = c->store.objects - 1;
    store_remove(&c->store, i);
    if (place == last)
        return;
    heap_put(c, place, c->heap[last]);
    heap_settle(c, place, last);
}

static void gdsf_value(struct gdsf *c, uint32_t i, uint32_t visits)
{
    struct object *o = &c->store.object[i];
    o->visits = visits;
    o->value = c->inflation + (double)visits * o->cost_us / o->size;
}

static bool gdsf_add(struct gdsf *c, const struct cm_request *r, uint32_t visits)
{
    struct store *s = &c->store;
    if (s->objects == c->room) {
        const uint32_t room = c->room ? 2 * c->room : 16;
        uint32_t *heap = realloc(c->heap, room * sizeof *heap);
        if (!heap)
            return false;
        c->heap = heap;
        c->room = room;
    }
    const uint32_t i = store_add(s, r);
    if (i == NONE)
        return false;
    gdsf_value(c, i, visits);
    heap_put(c, s->objects - 1, i);
    heap_settle(c, s->objects - 1, s->objects);
    return true;
}

static enum cm_answer gdsf_request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct gdsf *c = cache;
    struct store *s = &c->store;
    const uint32_t i = store_find(s, r->key);
    if (i != NONE && r->time < s->object[i].expires) {
        gdsf_value(c, i, s->object[i].visits + 1);
        heap_settle(c, s->object[i].place, s->objects);
        return CM_HIT;
    }
    if (i != NONE)
        gdsf_remove(c, i);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (s->used + r->size > s->capacity) {
        const uint32_t least = c->heap[0];
        c->inflation = s->object[least].value;
        cm_evict(evicted, s->object[least].key);
        gdsf_remove(c, least);
    }
    return gdsf_add(c, r, 1) ? CM_MISS : CM_BYPASS;
}

static const struct cm_cache_ops gdsf_ops = {.create = gdsf_create, .destroy = gdsf_destroy, .request = gdsf_request};
CM_CACHE(gdsf, "gdsf", "the least visits x cost / size goes", &gdsf_ops);

/* ---- task 4: the right figures ---- */

static int by_size(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

struct window {
    uint64_t number, requests, hits, work_us;
};

static void end_window(const struct window *w, struct cm_figures *f)
{
    if (w->requests == 0)
        return;
    if (f->worst_requests == 0 || w->hits * f->worst_requests < f->worst_hits * w->requests) {
        f->worst_requests = w->requests;
        f->worst_hits = w->hits;
    }
    if (w->work_us > f->busiest_work_us)
        f->busiest_work_us = w->work_us;
}

static int figures_figures(const struct cm_event *event, size_t n, const struct cm_period *period,
                           struct cm_figures *figures)
{
    struct cm_figures f = {0};
    struct window w = {0};
    uint64_t *latency = malloc((n + 1) * sizeof *latency);
    if (!latency)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct cm_event *e = &event[i];
        if (e->time < period->from)
            continue;
        const uint64_t number = (e->time - period->from) / period->window;
        if (number != w.number) {
            end_window(&w, &f);
            w = (struct window){.number = number};
        }
        w.requests++;
        f.bytes += e->size;
        f.work_us += e->cost_us;
        f.latency_ns += e->latency_ns;
        if (e->outcome == CM_FRESH) {
            w.hits++;
            f.hits++;
            f.bytes_hit += e->size;
        }
        if (e->outcome == CM_FETCHED)
            w.work_us += e->cost_us;
        else
            f.work_avoided_us += e->cost_us;
        latency[f.requests++] = e->latency_ns;
    }
    end_window(&w, &f);
    qsort(latency, f.requests, sizeof *latency, by_size);
    if (f.requests > 0)
        f.p99_ns = latency[(99 * f.requests + 99) / 100 - 1];
    free(latency);
    *figures = f;
    return 0;
}

static const struct cm_figures_ops figures_ops = {.figures = figures_figures};
CM_FIGURES(figures, "figures", "what a log of requests says", &figures_ops);

/* ---- tasks 5 and 6: who recomputes ---- */

struct known {
    uint64_t key;
    bool used, has;   /* has: a value, or the answer that there is none */
    bool computing;   /* somebody does, and others wait for it */
    uint64_t asked;   /* when the computation of the value began */
    uint64_t took;    /* how long it took */
    uint64_t expires; /* when the value is over */
    uint64_t began;   /* the computation that others wait for */
};

struct recompute {
    struct cm_recompute_config config;
    struct known *known;
    uint32_t slots, keys; /* slots: a power of two */
};

static int recompute_create(const struct cm_recompute_config *config, void **state)
{
    struct recompute *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->config = *config;
    s->slots = 16;
    s->known = calloc(s->slots, sizeof *s->known);
    if (!s->known) {
        free(s);
        return -ENOMEM;
    }
    *state = s;
    return 0;
}

static void recompute_destroy(void *state)
{
    free(((struct recompute *)state)->known);
    free(state);
}

static struct known *known_place(struct known *known, uint32_t slots, uint64_t key)
{
    const uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t i = (uint32_t)(hash ^ hash >> 32) & (slots - 1);
    while (known[i].used && known[i].key != key)
        i = (i + 1) & (slots - 1);
    return &known[i];
}

/* What is known of the key; NULL without memory for another one. */
static struct known *known_of(struct recompute *s, uint64_t key)
{
    struct known *k = known_place(s->known, s->slots, key);
    if (k->used)
        return k;
    if (2 * (s->keys + 1) > s->slots) {
        struct known *more = calloc(2 * (size_t)s->slots, sizeof *more);
        if (!more)
            return NULL;
        for (uint32_t i = 0; i < s->slots; i++)
            if (s->known[i].used)
                *known_place(more, 2 * s->slots, s->known[i].key) = s->known[i];
        free(s->known);
        s->known = more;
        s->slots *= 2;
        k = known_place(more, s->slots, key);
    }
    s->keys++;
    k->used = true;
    k->key = key;
    return k;
}

static void recompute_done(void *state, uint64_t key, uint64_t asked, uint64_t now, enum cm_result result, double u)
{
    struct recompute *s = state;
    struct known *k = known_of(s, key);
    (void)u;
    if (!k)
        return;
    if (k->computing && k->began == asked)
        k->computing = false;
    if (result == CM_FAILED || (k->has && asked < k->asked))
        return;
    const uint64_t ttl = result == CM_VALUE ? s->config.ttl_ns : s->config.negative_ttl_ns;
    k->has = ttl > 0;
    k->asked = asked;
    k->took = now - asked;
    k->expires = now + ttl;
}

static struct cm_decision single_flight_ask(void *state, uint64_t key, uint64_t now, double u)
{
    struct recompute *s = state;
    struct known *k = known_of(s, key);
    (void)u;
    if (k && k->has && now < k->expires)
        return (struct cm_decision){CM_SERVE, 0};
    if (k && k->computing && now - k->began < s->config.patience_ns)
        return (struct cm_decision){CM_WAIT, k->began + s->config.patience_ns};
    if (k) {
        k->computing = true;
        k->began = now;
    }
    return (struct cm_decision){CM_COMPUTE, 0};
}

static const struct cm_recompute_ops single_flight_ops = {
    .create = recompute_create, .destroy = recompute_destroy, .ask = single_flight_ask, .done = recompute_done};
CM_RECOMPUTE(single_flight, "single-flight", "one computes, the others wait", &single_flight_ops);

static struct cm_decision early_expiry_ask(void *state, uint64_t key, uint64_t now, double u)
{
    struct recompute *s = state;
    const struct known *k = known_of(s, key);
    const bool has = k && k->has && now < k->expires;
    if (has && (double)k->took * s->config.beta * -log(u) < (double)(k->expires - now))
        return (struct cm_decision){CM_SERVE, 0};
    return (struct cm_decision){CM_COMPUTE, 0};
}

static const struct cm_recompute_ops early_expiry_ops = {
    .create = recompute_create, .destroy = recompute_destroy, .ask = early_expiry_ask, .done = recompute_done};
CM_RECOMPUTE(early_expiry, "early-expiry", "computed again before it expires, by chance", &early_expiry_ops);

/* ---- task 7: a policy of your own ---- */

/* Greedy dual as in task 3, but what counts is how often a key was asked for again, in the cache or out of it: a query
 * that comes once, however expensive, is worth nothing. How often, four counters a key know, shared with others, of which
 * the least is the least wrong (a count-min sketch: Cormode & Muthukrishnan 2005). All are halved now and then, so that
 * what was popular long ago is forgotten (TinyLFU: Einziger, Friedman & Manes 2017). */
#define ROWS 4

struct own {
    struct gdsf gdsf; /* first */
    uint8_t *count;
    uint32_t counters; /* a power of two */
    uint64_t asked, age;
};

static int own_create(const struct cm_config *config, void **cache)
{
    int code = store_create(sizeof(struct own), config, cache);
    if (code)
        return code;
    struct own *o = *cache;
    for (o->counters = 1024; o->counters < 16 * config->capacity && o->counters < 1u << 22;)
        o->counters *= 2;
    o->age = 12 * config->capacity;
    o->count = calloc(o->counters, sizeof *o->count);
    if (o->count)
        return 0;
    store_destroy(o);
    return -ENOMEM;
}

static void own_destroy(void *cache)
{
    free(((struct own *)cache)->count);
    gdsf_destroy(cache);
}

/* How often the key was asked for, this time included. */
static uint32_t own_visits(struct own *o, uint64_t key)
{
    uint8_t *counter[ROWS], least = UINT8_MAX;
    for (uint32_t i = 0; i < ROWS; i++) {
        counter[i] = &o->count[rng_splitmix64(&key) & (o->counters - 1)];
        least = *counter[i] < least ? *counter[i] : least;
    }
    for (uint32_t i = 0; i < ROWS && least < UINT8_MAX; i++)
        *counter[i] = *counter[i] == least ? (uint8_t)(least + 1) : *counter[i];
    if (++o->asked % o->age == 0)
        for (uint32_t i = 0; i < o->counters; i++)
            o->count[i] /= 2;
    return least + 1u;
}

static enum cm_answer own_request(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    struct own *o = cache;
    struct gdsf *c = &o->gdsf;
    struct store *s = &c->store;
    const uint32_t again = own_visits(o, r->key) - 1, i = store_find(s, r->key);
    if (i != NONE && r->time < s->object[i].expires) {
        gdsf_value(c, i, again);
        heap_settle(c, s->object[i].place, s->objects);
        return CM_HIT;
    }
    if (i != NONE)
        gdsf_remove(c, i);
    if (r->size > s->capacity)
        return CM_BYPASS;
    while (s->used + r->size > s->capacity) {
        const uint32_t least = c->heap[0];
        c->inflation = s->object[least].value;
        cm_evict(evicted, s->object[least].key);
        gdsf_remove(c, least);
    }
    return gdsf_add(c, r, again) ? CM_MISS : CM_BYPASS;
}

static const struct cm_cache_ops own_ops = {.create = own_create, .destroy = own_destroy, .request = own_request};
CM_CACHE(own_policy, "own-policy", "my own", &own_ops);
