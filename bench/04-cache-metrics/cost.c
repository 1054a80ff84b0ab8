/* cost: what a request costs, by how much is kept and whether it hits; what two threads cost each other; a curve; and a
 * question of who recomputes. */
#include "cache_metrics.h"
#include "cost_check.h"
#include "cost_keys.h"
#include "traffic.h"

#include "base/memory.h"
#include "cost/cost.h"
#include "sim/zipf.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 128

/* What is asked for: by Zipf's law ten times as many keys as are kept; or keys that are all there. */
enum mix { MIXED, HITS };
static const enum mix mixed = MIXED, hits = HITS;

/* ---- requests ---- */

struct asker {
    uint64_t at;
    struct cm_evicted evicted;
    uint64_t hits;
    char pad[LINE];
};

struct asking {
    const struct cm_cache_ops *ops;
    void *cache;
    const struct cost_keys *keys;
    unsigned threads;
    bool kept; /* in `large`, and stays */
    struct asker asker[];
};

static inline enum cm_answer ask_next(struct asking *a, struct asker *who)
{
    const uint32_t at = (uint32_t)who->at & (a->keys->n - 1);
    const uint64_t key = a->keys->key[at];
    const struct cm_request r = {.key = key,
                                 .time = who->at * 1000,
                                 .size = 1,
                                 .cost_us = 1 + (uint32_t)(key & 1023),
                                 .next = a->ops->can & CM_OFFLINE ? who->at + a->keys->next[at] : CM_NEVER};
    who->at++;
    who->evicted.n = 0;
    return a->ops->request(a->cache, &r, &who->evicted);
}

static void ask_run(void *state, unsigned thread, uint64_t n)
{
    struct asking *a = state;
    struct asker *who = &a->asker[thread];
    for (uint64_t i = 0; i < n; i++)
        who->hits += ask_next(a, who) == CM_HIT;
}

static void ask_destroy(void *state)
{
    struct asking *a = state;
    if (a->kept)
        return;
    if (a->cache)
        a->ops->destroy(a->cache);
    for (unsigned t = 0; t < a->threads; t++)
        free(a->asker[t].evicted.key);
    free(a);
}

/* Runs until it is as full as it gets, and threads stand far apart in the same keys. -ENOTSUP: what should hit does
 * not. */
static int settle(struct asking *a, enum mix mix, struct error *err)
{
    struct asker *first = &a->asker[0];
    for (uint32_t i = 0; i < 2 * a->keys->n; i++)
        first->hits += ask_next(a, first) == CM_HIT;
    for (uint32_t i = 0; mix == HITS && i < a->keys->n; i++)
        if (ask_next(a, first) != CM_HIT)
            return error_set(err, -ENOTSUP, "it does not keep all that would fit");
    for (unsigned t = 1; t < a->threads; t++)
        a->asker[t].at = first->at + t * (a->keys->n / a->threads);
    return 0;
}

static int make(const struct cost_subject *s, struct asking **out, struct error *err)
{
    const struct cm_ops *ops = plugin_find(s->plugin, s->name);
    const enum mix mix = *(const enum mix *)s->arg;
    struct cm_config config = {.capacity = mix == HITS ? 2 * s->size : s->size};
    struct asking *a = calloc(1, sizeof *a + s->threads * sizeof *a->asker);
    if (!a)
        return -ENOMEM;
    a->threads = s->threads;
    a->ops = ops ? ops->cache : NULL;
    a->keys = cost_keys(mix == HITS ? s->size : 10 * s->size, mix == MIXED, s->seed);
    rng_seed(&config.random, s->seed, 2);
    int code = !a->ops ? -ENOENT : !a->keys ? -ENOMEM : 0;
    if (code == 0 && s->threads > 1 && !(a->ops->can & CM_THREADS))
        code = error_set(err, -ENOTSUP, "it is asked by one thread at a time");
    if (code == 0)
        code = a->ops->create(&config, &a->cache);
    if (code == 0)
        code = settle(a, mix, err);
    if (code)
        ask_destroy(a);
    else
        *out = a;
    return code;
}

/* Filling a large cache takes longer than all that is timed: it is made once, not once a round. */
#define LARGE      50000u
#define MOST_LARGE 64
static struct {
    struct cost_subject of;
    char name[80];
    struct asking *asking;
} large[MOST_LARGE];

static int ask_create(const struct cost_subject *s, void **state, struct error *err)
{
    struct asking *a = NULL;
    uint32_t i = 0;
    while (s->size >= LARGE && i < MOST_LARGE && large[i].asking &&
           (strcmp(large[i].name, s->name) != 0 || large[i].of.plugin != s->plugin || large[i].of.size != s->size ||
            large[i].of.threads != s->threads || large[i].of.arg != s->arg))
        i++;
    if (s->size >= LARGE && i < MOST_LARGE && large[i].asking) {
        *state = large[i].asking;
        return 0;
    }
    const int code = make(s, &a, err);
    if (code)
        return code;
    if (s->size >= LARGE && i < MOST_LARGE) {
        a->kept = true;
        large[i].of = *s;
        snprintf(large[i].name, sizeof large[i].name, "%s", s->name);
        large[i].asking = a;
    }
    *state = a;
    return 0;
}

/* ---- the loop alone ---- */

static const char *const loop_part[] = {"loop", NULL};

static enum cm_answer always(void *cache, const struct cm_request *r, struct cm_evicted *evicted)
{
    (void)cache;
    (void)evicted;
    return r->key == 1 ? CM_MISS : CM_HIT;
}

static void destroy_nothing(void *cache)
{
    (void)cache;
}

static const struct cm_cache_ops loop_ops = {.request = always, .destroy = destroy_nothing};

static int loop_create(const struct cost_subject *s, void **state, struct error *err)
{
    struct asking *a = calloc(1, sizeof *a + sizeof *a->asker);
    (void)err;
    if (!a)
        return -ENOMEM;
    *a = (struct asking){.ops = &loop_ops, .keys = cost_keys(10 * s->size, 1, s->seed), .threads = 1};
    if (!a->keys) {
        free(a);
        return -ENOMEM;
    }
    *state = a;
    return 0;
}

/* ---- a curve ---- */

#define PASS (1u << 18)
static const char *const curve_names[] = {"mattson", "shards", NULL};

struct drawing {
    const struct cm_curve_ops *ops;
    const struct cost_keys *keys;
};

static int curve_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct cm_ops *ops = plugin_find(s->plugin, s->name);
    struct drawing *d = calloc(1, sizeof *d);
    (void)err;
    if (d)
        *d = (struct drawing){ops ? ops->curve : NULL, cost_keys(s->size, 1, s->seed)};
    if (d && d->ops && d->keys) {
        *state = d;
        return 0;
    }
    const int code = d && !d->ops ? -ENOENT : -ENOMEM;
    free(d);
    return code;
}

static void curve_run(void *state, unsigned thread, uint64_t n)
{
    static const uint64_t capacity[] = {100, 1000, 10000, 100000};
    const struct cm_curve_config config = {.most_sampled = 8192};
    const struct drawing *d = state;
    double misses[COUNT(capacity)];
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        if (d->ops->misses(&config, d->keys->key, PASS, capacity, COUNT(capacity), misses) != 0)
            abort(); /* it was possible a moment ago */
}

/* Requests a microsecond: millions a second. */
static double curve_work(const struct cost_subject *s)
{
    (void)s;
    return 1000.0 * PASS;
}

/* ---- who recomputes ---- */

struct recomputing {
    const struct cm_recompute_ops *ops;
    void *state;
    const struct cost_keys *keys;
    uint64_t at, computed;
};

#define GAP_NS 1000u /* between two questions */

static void question_run(void *state, unsigned thread, uint64_t n)
{
    struct recomputing *r = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++) {
        const uint32_t at = (uint32_t)r->at & (r->keys->n - 1);
        const uint64_t now = r->at++ * GAP_NS;
        const struct cm_decision d = r->ops->ask(r->state, r->keys->key[at], now, r->keys->u[at]);
        if (d.action == CM_COMPUTE || d.action == CM_SERVE_COMPUTE) { /* it is back at once */
            r->ops->done(r->state, r->keys->key[at], now, now + GAP_NS / 2, CM_VALUE, r->keys->u[at]);
            r->computed++;
        }
    }
}

static void question_destroy(void *state)
{
    struct recomputing *r = state;
    if (r->state)
        r->ops->destroy(r->state);
    free(r);
}

/* A ttl of four rounds through the keys: popular ones are nearly always fresh, and who is rare is computed. */
static int question_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct cm_ops *ops = plugin_find(s->plugin, s->name);
    struct recomputing *r = calloc(1, sizeof *r);
    (void)err;
    if (!r)
        return -ENOMEM;
    r->ops = ops ? ops->recompute : NULL;
    r->keys = cost_keys(s->size, 1, s->seed);
    const uint64_t ttl = 4 * GAP_NS * s->size;
    const struct cm_recompute_config config = {
        .ttl_ns = ttl, .stale_ns = ttl, .patience_ns = ttl, .beta = 1, .jitter = 0.1, .negative_ttl_ns = ttl};
    const int code = !r->ops ? -ENOENT : !r->keys ? -ENOMEM : r->ops->create(&config, &r->state);
    if (code) {
        question_destroy(r);
        return code;
    }
    question_run(r, 0, r->keys->n);
    *state = r;
    return 0;
}

/* ---- the table ---- */

static bool is_cache(const struct plugin_entry *entry, const void *arg)
{
    (void)arg;
    return ((const struct cm_ops *)entry->ops)->cache;
}

static bool is_recompute(const struct plugin_entry *entry, const void *arg)
{
    (void)arg;
    return ((const struct cm_ops *)entry->ops)->recompute;
}

static const uint64_t fitting[] = {100, 1000, 3000, 10000, 0}, not_fitting[] = {100000, 0},
                      hit_sizes[] = {1000, 100000, 0}, shared_sizes[] = {10000, 0}, curve_sizes[] = {100000, 0},
                      question_sizes[] = {1000, 100000, 0};
static const unsigned one_thread[] = {1, 0}, one_and_two[] = {1, 2, 0};
static const char *const shown[] = {"lru", "sieve", "clock", "s3-fifo", "w-tinylfu", "gdsf", NULL};
static const char *const shared_names[] = {"lru-locked", "concurrent-sieve", NULL};

#define LONG_NS 200000

static const struct cost_operation operations[] = {
    {.name = "request",
     .what = "one request, of ten times as many keys as are kept, by Zipf's law with exponent 1: a quarter to a third "
             "of them miss, and evict one. All of it lies in the second-level cache.",
     .size_name = "objects",
     .sizes = fitting,
     .threads = one_thread,
     .takes = is_cache,
     .chunk_ns = LONG_NS,
     .count = 8192,
     .cold = true,
     .simulated = true,
     .arg = &mixed,
     .create = ask_create,
     .run = ask_run,
     .destroy = ask_destroy},
    {.name = "large-request",
     .what = "the same with so many objects that they and the index no longer fit that cache",
     .size_name = "objects",
     .sizes = not_fitting,
     .threads = one_thread,
     .takes = is_cache,
     .chunk_ns = LONG_NS,
     .arg = &mixed,
     .create = ask_create,
     .run = ask_run,
     .destroy = ask_destroy},
    {.name = "hit",
     .what = "one request for an object that is there; all of them are asked for alike",
     .size_name = "objects",
     .sizes = hit_sizes,
     .threads = one_thread,
     .takes = is_cache,
     .chunk_ns = LONG_NS,
     .arg = &hits,
     .create = ask_create,
     .run = ask_run,
     .destroy = ask_destroy},
    {.name = "shared-request",
     .what = "one request, as above, by entries that several threads may ask",
     .size_name = "objects",
     .sizes = shared_sizes,
     .threads = one_and_two,
     .threads_what = "one cache for both, the same keys, each thread at another place of them",
     .names = shared_names,
     .chunk_ns = LONG_NS,
     .arg = &mixed,
     .create = ask_create,
     .run = ask_run,
     .destroy = ask_destroy},
    {.name = "shared-hit",
     .what = "the same where every request hits",
     .size_name = "objects",
     .sizes = shared_sizes,
     .threads = one_and_two,
     .threads_what = "one cache for both, the same keys, each thread at another place of them",
     .names = shared_names,
     .chunk_ns = LONG_NS,
     .arg = &hits,
     .create = ask_create,
     .run = ask_run,
     .destroy = ask_destroy},
    {.name = "loop",
     .what = "the loop round a request alone",
     .size_name = "objects",
     .sizes = fitting,
     .threads = one_thread,
     .names = loop_part,
     .parts = true,
     .create = loop_create,
     .run = ask_run,
     .destroy = ask_destroy},
    {.name = "curve",
     .what = "one pass over 262,144 requests for so many keys by Zipf's law: misses of LRU at four sizes",
     .size_name = "keys",
     .sizes = curve_sizes,
     .threads = one_thread,
     .names = curve_names,
     .rounds = 10,
     .chunk_ns = 1000000,
     .rate = "M requests/s",
     .work = curve_work,
     .create = curve_create,
     .run = curve_run,
     .destroy = free},
    {.name = "question",
     .what = "a caller asks for one of so many values, by Zipf's law; who is told to compute is back at once",
     .size_name = "keys",
     .sizes = question_sizes,
     .threads = one_thread,
     .takes = is_recompute,
     .chunk_ns = LONG_NS,
     .count = 8192,
     .simulated = true,
     .create = question_create,
     .run = question_run,
     .destroy = question_destroy},
};

/* ---- what it is good for ---- */

enum { WARM = 100000, COUNTED = 900000 };

/* Of requests that are drawn anew, not over and over. */
static double miss_ratio(const struct cost_subject *s)
{
    const struct cm_ops *ops = plugin_find(s->plugin, s->name);
    struct cm_config config = {.capacity = s->size};
    struct cm_evicted evicted = {0};
    struct zipf law;
    struct rng r;
    void *cache;
    uint32_t missed = 0;
    rng_seed(&config.random, s->seed, 2);
    rng_seed(&r, s->seed, 4);
    if (!ops || !ops->cache || ops->cache->create(&config, &cache) != 0)
        return NAN;
    struct cm_request *request = xcalloc(WARM + COUNTED, sizeof *request);
    zipf_init(&law, 10 * s->size, 1);
    for (uint32_t i = 0; i < WARM + COUNTED; i++)
        request[i] =
            (struct cm_request){.key = zipf_draw(&law, &r), .time = i, .size = 1, .cost_us = 1000, .next = CM_NEVER};
    bool good = !(ops->cache->can & CM_OFFLINE) || traffic_next(request, WARM + COUNTED) == 0;
    for (uint32_t i = 0; i < WARM + COUNTED && good; i++) {
        evicted.n = 0;
        missed += ops->cache->request(cache, &request[i], &evicted) != CM_HIT && i >= WARM;
    }
    ops->cache->destroy(cache);
    free(evicted.key);
    free(request);
    return good ? 100.0 * missed / COUNTED : (double)NAN;
}

static const struct cost_quality qualities[] = {
    {.name = "misses",
     .unit = "%",
     .what = "requests that miss, of 10,000 keys by Zipf's law with exponent 1, 1,000 objects kept; 900,000 requests "
             "behind "
             "100,000 to warm up, each drawn anew",
     .operation = "request",
     .size = 1000,
     .measure = miss_ratio},
};

/* ---- may it be timed at all? ---- */

static int verify(const struct cost_subject *subject, char *why, size_t size)
{
    const struct cm_ops *ops = plugin_find(subject->plugin, subject->name);
    const char *wrong = ops ? cost_check(ops) : "it is not there";
    if (wrong)
        snprintf(why, size, "it is wrong: %s", wrong);
    return wrong ? -1 : 0;
}

/* Figures and sequences are asked for once. */
static const char *entry_name(const struct plugin_entry *entry)
{
    const struct cm_ops *ops = entry->ops;
    return ops->cache || ops->recompute || ops->curve ? entry->name : NULL;
}

int main(int argc, char **argv)
{
    for (const uint64_t *size = fitting; *size; size++) /* or the first entry would be said to need their memory */
        (void)cost_keys(10 * *size, 1, 1);
    for (const uint64_t *size = question_sizes; *size; size++)
        (void)cost_keys(*size, 1, 1);
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
