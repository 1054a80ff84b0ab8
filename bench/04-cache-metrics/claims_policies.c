/* claims_policies.c: who is evicted: scans, the optimum, an anomaly, and SIEVE's kinship with LFU. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- a scan ---- */

#define CAPACITY 1000u

/* n objects in turn, n = x times the capacity, 20 times over; the first five are not counted. */
static double scan(const struct claim_run *run)
{
    const uint32_t keys = (uint32_t)(run->x * CAPACITY + 0.5), n = 20 * keys;
    struct cm_request *r = runs_in_turn(n, keys);
    const uint64_t misses = runs_misses(run->entry, CAPACITY, r, n, 5 * keys, run->seed);
    free(r);
    return 100 * (1 - (double)misses / (15.0 * keys));
}

static double predict_random(const struct claim_run *run)
{
    return 100 * theory_random_scan(run->x);
}

/* ---- an anomaly ---- */

static double anomaly(const struct claim_run *run)
{
    static const uint32_t key[] = {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};
    struct cm_request r[COUNT(key)] = {0};
    for (uint32_t i = 0; i < COUNT(key); i++)
        r[i] = (struct cm_request){.key = key[i], .time = i, .size = 1};
    return (double)runs_misses(run->entry, 4, r, COUNT(key), 0, 1) -
           (double)runs_misses(run->entry, 3, r, COUNT(key), 0, 1);
}

/* ---- the best ---- */

static const char *const online[] = {"fifo", "lru",  "clock", "sieve",   "lfu",       "slru",  "2q",
                                     "arc",  "lirs", "gdsf",  "s3-fifo", "w-tinylfu", "random"};

/* How many misses fewer the best of all others has; above 0 when one of them beats the entry. */
static double beaten_by(const struct claim_run *run)
{
    const uint32_t n = 30000;
    struct cm_request *r = runs_zipf(n, 2000, 0.9, run->seed);
    const double own = (double)runs_misses(run->entry, 200, r, n, 0, run->seed);
    double most = -own;
    for (uint32_t i = 0; i < COUNT(online); i++) {
        const double other = (double)runs_misses(online[i], 200, r, n, 0, run->seed);
        most = own - other > most ? own - other : most;
    }
    free(r);
    return most > 0 ? most : 0;
}

/* ---- SIEVE and LFU ---- */

/* SIEVE once more, in its most literal form, which knows when its hand comes round for the first time. */
struct literal {
    uint64_t key[256];
    bool visited[256];
    uint32_t n, hand;
    bool came_round;
};

static bool literal_hits(struct literal *s, uint32_t capacity, uint64_t key)
{
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->key[i] == key)
            return s->visited[i] = true;
    }
    if (s->n == capacity) {
        while (s->visited[s->hand]) {
            s->visited[s->hand] = false;
            s->came_round = s->came_round || s->hand + 1 == s->n;
            s->hand = (s->hand + 1) % s->n;
        }
        memmove(&s->key[s->hand], &s->key[s->hand + 1], (s->n - s->hand - 1) * sizeof *s->key);
        memmove(&s->visited[s->hand], &s->visited[s->hand + 1], s->n - s->hand - 1);
        s->n--;
        s->came_round = s->came_round || s->hand == s->n;
        if (s->hand == s->n)
            s->hand = 0;
    }
    s->key[s->n] = key;
    s->visited[s->n++] = false;
    return false;
}

/* Requests that the entry answers otherwise than SIEVE, before SIEVE's hand has come round. */
static double differences(const struct claim_run *run)
{
    enum { REQUESTS = 20000, ROOM = 200 };
    struct cm_request *r = runs_zipf(REQUESTS, 2000, 1, run->seed);
    const struct cm_cache_ops *ops = runs_entry(run->entry)->cache;
    struct cm_config config = {.capacity = ROOM};
    struct literal *sieve = xcalloc(1, sizeof *sieve);
    struct cm_evicted evicted = {0};
    void *cache;
    uint32_t different = 0, compared = 0;
    rng_seed(&config.random, run->seed, 5);
    if (ops->create(&config, &cache) != 0)
        abort();
    for (uint32_t i = 0; i < REQUESTS; i++) {
        evicted.n = 0;
        const bool hit = ops->request(cache, &r[i], &evicted) == CM_HIT, also = literal_hits(sieve, ROOM, r[i].key);
        if (sieve->came_round)
            break;
        different += hit != also;
        compared++;
    }
    ops->destroy(cache);
    free(evicted.key);
    free(sieve);
    free(r);
    return compared < ROOM ? -1.0 : (double)different;
}

static const struct claim claims[] = {
    {.id = "scan-lru",
     .statement = "LRU hits nothing at all when one object more than it can keep is asked for in turn.",
     .formula = "it always evicts the one that comes next",
     .unit = "% hits",
     .source = "counted",
     .broken = "random eviction in place of LRU",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "lru", .x = 1.001},
     .instead = {.entry = "random"},
     .predicted = 0,
     .measure = scan,
     .slack = 0.001,
     .slack_why = "zero has no share of itself"},
    {.id = "scan-random",
     .statement =
         "Random eviction hits 63 % of a scan that is a quarter longer than the cache, where LRU hits nothing.",
     .formula = "h = e^(-n (1 - h) / c), n / c = 1.25",
     .unit = "% hits",
     .source = "simulated",
     .broken = "LRU in place of random eviction",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "random", .x = 1.25},
     .instead = {.entry = "lru"},
     .predict = predict_random,
     .measure = scan,
     .slack = 0.3,
     .slack_why = "the formula is the limit of large caches"},
    {.id = "scan-random-twice",
     .statement = "Of a scan twice as long as the cache random eviction still hits a fifth.",
     .formula = "h = e^(-n (1 - h) / c), n / c = 2",
     .unit = "% hits",
     .source = "simulated",
     .broken = "FIFO in place of random eviction",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "random", .x = 2},
     .instead = {.entry = "fifo"},
     .predict = predict_random,
     .measure = scan,
     .slack = 0.3,
     .slack_why = "the formula is the limit of large caches"},
    {.id = "belady-anomaly",
     .statement = "FIFO can miss more often when it is larger: 9 misses with 3 places, 10 with 4.",
     .formula = "the requests 1 2 3 4 1 2 5 1 2 3 4 5 (Belady, Nelson & Shedler 1969)",
     .unit = "misses more",
     .source = "counted",
     .broken = "LRU in place of FIFO: what a small one keeps, a larger one keeps too",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "fifo"},
     .instead = {.entry = "lru"},
     .predicted = 1,
     .measure = anomaly},
    {.id = "belady-is-best",
     .statement = "No policy that keeps what it fetches misses less than one that knows the future.",
     .formula = "the farthest next use goes (Belady 1966)",
     .unit = "misses fewer",
     .source = "simulated",
     .broken = "LRU in place of Belady",
     .relation = CLAIM_AT_MOST,
     .seeds = 6,
     .of = {.entry = "belady"},
     .instead = {.entry = "lru"},
     .predicted = 0,
     .measure = beaten_by},
    {.id = "sieve-is-lfu",
     .statement = "Until its hand comes round for the first time SIEVE answers every request as LFU does.",
     .formula = "an object that the hand has not passed was visited or it was not: so do the counts of LFU rank them",
     .unit = "requests that differ",
     .source = "simulated",
     .broken = "LRU in place of LFU",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "lfu"},
     .instead = {.entry = "lru"},
     .predicted = 0,
     .measure = differences,
     .slack = 0.5,
     .slack_why = "a count is a whole number"},
};

const struct claim_part part_policies = {.claim = claims, .claims = COUNT(claims)};
