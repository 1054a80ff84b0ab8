/* caches.c: any cache by name, and what the tests do with all of them. */
#include "caches.h"

#include "sim/zipf.h"

const char *const cache_entries[] = {"fifo",
                                     "lru",
                                     "clock",
                                     "lfu",
                                     "slru",
                                     "2q",
                                     "arc",
                                     "lirs",
                                     "w-tinylfu",
                                     "sieve",
                                     "s3-fifo",
                                     "gdsf",
                                     "random",
                                     "belady",
                                     "belady-size",
                                     "lru-locked",
                                     "concurrent-sieve",
                                     NULL};

const struct cm_ops *entry_ops(const char *name)
{
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++)
        if (strcmp((*e)->name, name) == 0)
            return (*e)->ops;
    cr_assert(false, "there is no entry %s", name);
    return NULL;
}

int cache_start(struct cache_run *run, const char *name, uint64_t capacity)
{
    struct cm_config config = {.capacity = capacity};
    rng_seed(&config.random, 4, 2);
    *run = (struct cache_run){.name = name, .ops = entry_ops(name)->cache};
    cr_assert(run->ops, "%s: expected: a cache", name);
    return run->ops->create(&config, &run->cache);
}

void cache_stop(struct cache_run *run)
{
    run->ops->destroy(run->cache);
    free(run->evicted.key);
}

enum cm_answer cache_ask(struct cache_run *run, const struct cm_request *request)
{
    struct cm_request r = *request;
    if (!(run->ops->can & CM_OFFLINE))
        r.next = CM_NEVER;
    run->evicted.n = 0;
    return run->ops->request(run->cache, &r, &run->evicted);
}

void keys_next(const uint64_t *key, uint32_t n, uint64_t *next)
{
    for (uint32_t i = 0; i < n; i++) {
        next[i] = CM_NEVER;
        for (uint32_t j = i + 1; j < n && next[i] == CM_NEVER; j++)
            if (key[j] == key[i])
                next[i] = j;
    }
}

uint64_t cache_misses(const char *name, uint64_t capacity, const uint64_t *key, uint32_t n)
{
    struct cache_run run;
    uint64_t misses = 0, *next = NULL;
    cr_assert(cache_start(&run, name, capacity) == 0, "%s: expected: a cache of %lu", name, capacity);
    if (run.ops->can & CM_OFFLINE) {
        next = calloc(n, sizeof *next);
        cr_assert(next, "memory");
        keys_next(key, n, next);
    }
    for (uint32_t i = 0; i < n; i++) {
        struct cm_request r = {.key = key[i], .time = i, .size = 1, .cost_us = 1, .next = next ? next[i] : CM_NEVER};
        misses += cache_ask(&run, &r) != CM_HIT;
    }
    cache_stop(&run);
    free(next);
    return misses;
}

static uint64_t key_of(uint32_t i)
{
    return i == 0 ? UINT64_MAX : i - 1; /* the most popular is UINT64_MAX, then 0 */
}

void requests_draw(struct rng *r, const struct workload *w, struct cm_request *request, uint32_t n)
{
    uint64_t time = 0;
    for (uint32_t i = 0; i < n; i++) {
        static const uint32_t gap[] = {0, 1, 1000000, 1500000};
        time += gap[rng_below(r, 4)];
        const uint32_t a = rng_below(r, w->keys), b = rng_below(r, w->keys);
        request[i] = (struct cm_request){.key = key_of(a < b ? a : b),
                                         .time = time,
                                         .size = 1 + rng_below(r, w->sizes),
                                         .cost_us = rng_below(r, w->costs + 1),
                                         .kind = rng_below(r, 3),
                                         .next = CM_NEVER};
        if (w->ttl_shares && rng_below(r, w->ttl_shares) == 0)
            request[i].ttl_ms = 1 + rng_below(r, 20);
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i + 1; j < n && request[i].next == CM_NEVER; j++)
            if (request[j].key == request[i].key)
                request[i].next = j;
}

void keys_zipf(uint64_t seed, uint64_t objects, double exponent, uint64_t *key, uint32_t n)
{
    struct zipf z;
    struct rng r;
    cr_assert(zipf_init(&z, objects, exponent) == 0, "a law");
    rng_seed(&r, seed, 0);
    for (uint32_t i = 0; i < n; i++)
        key[i] = zipf_draw(&z, &r);
}
