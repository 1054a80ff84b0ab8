/* threads.c: caches that several threads ask at the same time. Who evicts what is chance; that what came, what went and
 * what is there add up is not.
 */
#include "caches.h"

#include <pthread.h>

TestSuite(threads, .timeout = 240);

enum { THREADS = 4, REQUESTS = 150000, KEYS = 3000 };

static const char *const names[] = {"lru-locked", "concurrent-sieve"};

static uint32_t size_of(uint64_t key)
{
    return (uint32_t)(key % 7 + 1);
}

struct caller {
    pthread_t thread;
    struct cache_run run; /* the same cache, evictions of its own */
    uint64_t seed, hits;
    uint32_t ttl_shares;
    int32_t here[KEYS + 1]; /* times that it came less times that it was evicted */
    bool wrong;
};

static void *call(void *argument)
{
    struct caller *c = argument;
    uint64_t *key = calloc(REQUESTS, sizeof *key);
    if (!key)
        return NULL;
    keys_zipf(c->seed, KEYS, 0.8, key, REQUESTS);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        const uint32_t ttl = c->ttl_shares && key[i] % c->ttl_shares == 0;
        const struct cm_request r = {
            .key = key[i], .time = 100 * i, .size = size_of(key[i]), .ttl_ms = ttl, .next = CM_NEVER};
        const enum cm_answer answer = cache_ask(&c->run, &r);
        c->hits += answer == CM_HIT;
        c->here[key[i]] += answer == CM_MISS;
        for (uint32_t k = 0; k < c->run.evicted.n; k++) {
            c->here[c->run.evicted.key[k]]--;
            c->wrong = c->wrong || c->run.evicted.key[k] == key[i];
        }
    }
    free(key);
    return NULL;
}

/* The callers' sums, in all[]. */
static void crowd(struct cache_run *run, struct caller *caller, uint32_t ttl_shares, int32_t *all)
{
    memset(all, 0, (KEYS + 1) * sizeof *all);
    for (uint32_t t = 0; t < THREADS; t++) {
        caller[t] = (struct caller){.run = *run, .seed = t, .ttl_shares = ttl_shares};
        caller[t].run.evicted = (struct cm_evicted){0};
        cr_assert(pthread_create(&caller[t].thread, NULL, call, &caller[t]) == 0, "a thread");
    }
    for (uint32_t t = 0; t < THREADS; t++) {
        pthread_join(caller[t].thread, NULL);
        free(caller[t].run.evicted.key);
        cr_assert(!caller[t].wrong && caller[t].hits > 0, "%s: expected: hits, and never what was asked for evicted",
                  run->name);
        for (uint32_t key = 1; key <= KEYS; key++)
            all[key] += caller[t].here[key];
    }
}

static struct caller caller[THREADS];

Test(threads, what_came_and_was_not_evicted_is_here)
{
    for (uint32_t e = 0; e < 2; e++)
        for (uint64_t capacity = 20; capacity < 20000; capacity *= 5) {
            struct cache_run run;
            int32_t all[KEYS + 1];
            uint64_t kept = 0, here = 0, expected = 0;
            cr_assert(cache_start(&run, names[e], capacity) == 0, "%s: created", names[e]);
            crowd(&run, caller, 0, all);
            for (uint64_t key = 1; key <= KEYS; key++) {
                cr_assert(all[key] == 0 || all[key] == 1,
                          "%s, key %lu: expected: it came as often as it went, or once "
                          "more; actual: %d",
                          names[e], key, all[key]);
                kept += all[key] ? size_of(key) : 0;
                expected += all[key] != 0;
            }
            for (uint64_t key = 1; key <= KEYS; key++) {
                struct cm_request r = {.key = key, .time = UINT32_MAX, .size = UINT32_MAX, .next = CM_NEVER};
                here += (cache_ask(&run, &r) == CM_HIT) == (all[key] == 1) && all[key];
            }
            cr_assert(kept <= capacity && here == expected,
                      "%s: expected: %lu objects in %lu; actual: %lu, of size %lu", names[e], expected, capacity, here,
                      kept);
            cache_stop(&run);
        }
}

/* Old copies go unnamed, so less can be said: nothing is evicted more often than it came. */
Test(threads, objects_expire)
{
    for (uint32_t e = 0; e < 2; e++) {
        struct cache_run run;
        int32_t all[KEYS + 1];
        cr_assert(cache_start(&run, names[e], 2000) == 0, "%s: created", names[e]);
        crowd(&run, caller, 3, all);
        for (uint64_t key = 1; key <= KEYS; key++)
            cr_assert(all[key] >= 0 && (all[key] <= 1 || key % 3 == 0), "%s, key %lu: actual: %d", names[e], key,
                      all[key]);
        cache_stop(&run);
    }
}
