/* cost: what a request costs a cache, by how many objects it keeps and how many threads ask; and what curves and
 * recomputing cost.
 */
#include "account.h"
#include "ledger.h"
#include "traffic.h"

#include "base/memory.h"
#include "cost/cost.h"
#include "sim/rng.h"
#include "sim/zipf.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCE (1u << 20) /* requests of a thread, over and over */
#define LINE     128

/* ---- a cache in use ---- */

struct asker {
    uint64_t at, hits;
    uint64_t *key; /* [SEQUENCE] */
    struct cm_evicted evicted;
    char pad[LINE];
};

struct cache_state {
    const struct cm_cache_ops *ops;
    void *cache;
    unsigned threads;
    struct asker asker[];
};

static void ask(struct cache_state *s, struct asker *a, uint64_t n)
{
    struct cm_request r = {.size = 1, .cost_us = 1000, .next = CM_NEVER};
    for (uint64_t i = 0; i < n; i++) {
        r.key = a->key[a->at & (SEQUENCE - 1)];
        r.time = a->at++;
        a->evicted.n = 0;
        a->hits += s->ops->request(s->cache, &r, &a->evicted) == CM_HIT;
    }
}

static void cache_run(void *state, unsigned thread, uint64_t n)
{
    struct cache_state *s = state;
    ask(s, &s->asker[thread], n);
}

static void cache_destroy(void *state)
{
    struct cache_state *s = state;
    if (s->cache)
        s->ops->destroy(s->cache);
    for (unsigned t = 0; t < s->threads; t++) {
        free(s->asker[t].key);
        free(s->asker[t].evicted.key);
    }
    free(s);
}

/* Zipf's law with exponent 1, over so many times as many keys as there is room for. */
static int draw_keys(uint64_t *key, uint64_t size, uint32_t times, uint64_t seed)
{
    struct zipf law;
    struct rng r;
    int code = zipf_init(&law, size * times, 1);
    rng_seed(&r, seed, 7);
    for (uint32_t i = 0; i < SEQUENCE && code == 0; i++) {
        uint64_t rank = zipf_draw(&law, &r);
        key[i] = rng_splitmix64(&rank);
    }
    return code;
}

/* Its argument: how many times as many keys. Full, and asked for as often as it has places, three times over. */
static int cache_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct cm_ops *ops = plugin_find(s->plugin, s->name);
    struct cm_config config = {.capacity = s->size};
    struct cache_state *q = calloc(1, sizeof *q + s->threads * sizeof *q->asker);
    int code = 0;
    if (!q)
        return -ENOMEM;
    rng_seed(&config.random, s->seed, 8);
    q->threads = s->threads;
    q->ops = ops ? ops->cache : NULL;
    if (!q->ops)
        code = -ENOENT;
    else if (s->threads > 1 && !(q->ops->can & CM_THREADS))
        code = error_set(err, -ENOTSUP, "it is asked by one thread at a time");
    if (code == 0)
        code = q->ops->create(&config, &q->cache);
    for (unsigned t = 0; t < s->threads && code == 0; t++) {
        q->asker[t].key = malloc(SEQUENCE * sizeof *q->asker[t].key);
        code = q->asker[t].key ? draw_keys(q->asker[t].key, s->size, *(const uint32_t *)s->arg, s->seed + t) : -ENOMEM;
    }
    if (code) {
        cache_destroy(q);
        return code;
    }
    ask(q, &q->asker[0], 3 * s->size < SEQUENCE ? 3 * s->size : SEQUENCE);
    *state = q;
    return 0;
}

static bool takes_cache(const struct plugin_entry *entry, const void *arg)
{
    const struct cm_ops *ops = entry->ops;
    (void)arg;
    return ops->cache && !(ops->cache->can & CM_OFFLINE);
}

/* ---- curves ---- */

#define CURVE 100000u /* requests of one */
#define SIZES 12u

struct curve_state {
    const struct cm_curve_ops *ops;
    uint64_t *key;
    uint64_t size[SIZES];
    double misses[SIZES];
};

static void curve_destroy(void *state)
{
    free(((struct curve_state *)state)->key);
    free(state);
}

static int curve_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct cm_ops *ops = plugin_find(s->plugin, s->name);
    struct curve_state *c = calloc(1, sizeof *c);
    (void)err;
    if (!c)
        return -ENOMEM;
    c->ops = ops ? ops->curve : NULL;
    c->key = malloc(SEQUENCE * sizeof *c->key);
    int code = !c->key ? -ENOMEM : c->ops ? draw_keys(c->key, s->size, 1, s->seed) : -ENOENT;
    for (uint32_t i = 0; i < SIZES; i++)
        c->size[i] = (i + 1) * s->size / SIZES + 1;
    if (code) {
        curve_destroy(c);
        return code;
    }
    *state = c;
    return 0;
}

static void curve_run(void *state, unsigned thread, uint64_t n)
{
    struct curve_state *c = state;
    const struct cm_curve_config config = {.most_sampled = 1000};
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        c->ops->misses(&config, c->key + i % 8 * CURVE, CURVE, c->size, SIZES, c->misses);
}

static bool takes_curve(const struct plugin_entry *entry, const void *arg)
{
    (void)arg;
    return ((const struct cm_ops *)entry->ops)->curve;
}

/* ---- who recomputes ---- */

struct recompute_state {
    const struct cm_recompute_ops *ops;
    void *values;
    uint64_t at, keys, served;
};

static void recompute_destroy(void *state)
{
    struct recompute_state *s = state;
    if (s->values)
        s->ops->destroy(s->values);
    free(s);
}

/* Every key has a value, good for ever. */
static int recompute_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct cm_ops *ops = plugin_find(s->plugin, s->name);
    const struct cm_recompute_config config = {
        .ttl_ns = UINT64_C(1) << 61, .patience_ns = 1000000000, .beta = 1, .jitter = 0.1};
    struct recompute_state *r = calloc(1, sizeof *r);
    (void)err;
    if (!r)
        return -ENOMEM;
    r->ops = ops ? ops->recompute : NULL;
    r->keys = s->size;
    const int code = r->ops ? r->ops->create(&config, &r->values) : -ENOENT;
    if (code) {
        recompute_destroy(r);
        return code;
    }
    for (uint64_t key = 0; key < s->size; key++) {
        r->ops->ask(r->values, key, 0, 1);
        r->ops->done(r->values, key, 0, 1000, CM_VALUE, 1);
    }
    *state = r;
    return 0;
}

static void recompute_run(void *state, unsigned thread, uint64_t n)
{
    struct recompute_state *r = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t key = r->at++ * UINT64_C(0x9e3779b1) % r->keys;
        r->served += r->ops->ask(r->values, key, 2000 + r->at, 0.5).action == CM_SERVE;
    }
}

static bool takes_recompute(const struct plugin_entry *entry, const void *arg)
{
    (void)arg;
    return ((const struct cm_ops *)entry->ops)->recompute;
}

/* ---- what it is good for ---- */

static double misses(const struct cost_subject *s)
{
    const struct cm_ops *ops = plugin_find(s->plugin, s->name);
    const uint32_t n = 200000;
    if (!ops || !ops->cache)
        return NAN;
    struct cm_request *r = xcalloc(n, sizeof *r);
    uint64_t *key = xcalloc(SEQUENCE, sizeof *key), missed = 0;
    struct cm_config config = {.capacity = s->size};
    struct cm_evicted evicted = {0};
    void *cache;
    rng_seed(&config.random, s->seed, 9);
    if (draw_keys(key, s->size, 10, s->seed) != 0 || ops->cache->create(&config, &cache) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s could not be made", s->name);
    for (uint32_t i = 0; i < n; i++)
        r[i] = (struct cm_request){.key = key[i], .time = i, .size = 1, .cost_us = 1000};
    if (traffic_next(r, n) != 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        evicted.n = 0;
        missed += ops->cache->request(cache, &r[i], &evicted) != CM_HIT && i >= n / 4;
    }
    ops->cache->destroy(cache);
    free(evicted.key);
    free(key);
    free(r);
    const uint32_t counted = n - n / 4;
    return 100 * (double)missed / counted;
}

/* ---- the table ---- */

static const uint64_t objects[] = {1000, 10000, 100000, 0}, few[] = {1000, 0}, some[] = {10000, 0},
                      distinct[] = {10000, 0};
static const unsigned one_thread[] = {1, 0}, two_threads[] = {1, 2, 0};
static const uint32_t ten_times = 10, once = 1;
static const char *const threaded[] = {"lru-locked", "concurrent-sieve", NULL};
static const char *const shown[] = {"fifo", "lru", "sieve", "s3-fifo", "gdsf", "w-tinylfu", NULL};

static const struct cost_operation operations[] = {
    {.name = "request",
     .what = "one request: keys by Zipf's law (exponent 1), ten times as many as there is room for",
     .size_name = "objects",
     .sizes = objects,
     .threads = one_thread,
     .takes = takes_cache,
     .arg = &ten_times,
     .chunk_ns = 100000,
     .simulated = true,
     .create = cache_create,
     .run = cache_run,
     .destroy = cache_destroy},
    {.name = "hit",
     .what = "one request where everything fits, so that all hit",
     .size_name = "objects",
     .sizes = few,
     .threads = one_thread,
     .takes = takes_cache,
     .arg = &once,
     .chunk_ns = 100000,
     .simulated = true,
     .create = cache_create,
     .run = cache_run,
     .destroy = cache_destroy},
    {.name = "shared",
     .what = "one request of a cache that all threads ask: a lock for all that LRU does, or for SIEVE's misses alone",
     .size_name = "objects",
     .sizes = some,
     .threads = two_threads,
     .threads_what = "each thread has keys of its own order",
     .names = threaded,
     .arg = &ten_times,
     .chunk_ns = 100000,
     .create = cache_create,
     .run = cache_run,
     .destroy = cache_destroy},
    {.name = "curve",
     .what = "the misses of LRU at 12 sizes, of 100,000 requests: exactly, or from 1,000 keys",
     .size_name = "keys",
     .sizes = distinct,
     .threads = one_thread,
     .takes = takes_curve,
     .chunk_ns = 1000000,
     .rounds = 30,
     .create = curve_create,
     .run = curve_run,
     .destroy = curve_destroy},
    {.name = "ask",
     .what = "a caller asks for a value that is there",
     .size_name = "keys",
     .sizes = few,
     .threads = one_thread,
     .takes = takes_recompute,
     .simulated = true,
     .create = recompute_create,
     .run = recompute_run,
     .destroy = recompute_destroy},
};

static const struct cost_quality qualities[] = {
    {.name = "misses",
     .unit = "%",
     .what = "requests that miss, with room for 1,000 of 10,000 keys by Zipf's law (exponent 1)",
     .operation = "request",
     .size = 1000,
     .measure = misses},
};

/* ---- is it right? ---- */

static int verify_cache(const struct cm_cache_ops *ops, char *why, size_t size)
{
    const uint32_t n = 5000;
    struct cm_config config = {.capacity = 100};
    struct ledger *ledger = ledger_create(config.capacity);
    struct cm_evicted evicted = {0};
    const char *wrong = NULL;
    struct rng r;
    void *cache;
    rng_seed(&r, 1, 10);
    config.random = r;
    if (!ledger || ops->create(&config, &cache) != 0) {
        ledger_destroy(ledger);
        snprintf(why, size, "it cannot be made");
        return -1;
    }
    for (uint32_t i = 0; i < n && !wrong; i++) {
        const struct cm_request q = {.key = rng_below(&r, 1 + rng_below(&r, 400)),
                                     .time = i * UINT64_C(1000000),
                                     .size = 1 + rng_below(&r, 5),
                                     .cost_us = rng_below(&r, 1000),
                                     .ttl_ms = rng_below(&r, 3) ? 0 : 50,
                                     .next = CM_NEVER};
        evicted.n = 0;
        const uint32_t answer = (uint32_t)ops->request(cache, &q, &evicted);
        wrong = ledger_enter(ledger, &q, &(struct answer){answer, evicted.n, evicted.key});
    }
    if (wrong)
        snprintf(why, size, "it is wrong: %s", wrong);
    ops->destroy(cache);
    ledger_destroy(ledger);
    free(evicted.key);
    return wrong ? -1 : 0;
}

static int verify(const struct cost_subject *subject, char *why, size_t size)
{
    const struct cm_ops *ops = plugin_find(subject->plugin, subject->name);
    if (!ops) {
        snprintf(why, size, "it is not there");
        return -1;
    }
    return ops->cache ? verify_cache(ops->cache, why, size) : 0;
}

static const char *entry_name(const struct plugin_entry *entry)
{
    const struct cm_ops *ops = entry->ops;
    return ops->cache || ops->curve || ops->recompute ? entry->name : NULL;
}

int main(int argc, char **argv)
{
    const struct cost_suite suite = {
        .lab_folder = "04-cache-metrics",
        .operation = operations,
        .operations = COUNT(operations),
        .entry_name = entry_name,
        .verify = verify,
        .quality = qualities,
        .qualities = COUNT(qualities),
        .shown = shown,
    };
    return cost_main(argc, argv, &suite);
}
