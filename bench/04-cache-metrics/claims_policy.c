/* claims_policy.c: who goes: scans, Belady's anomaly and his bound, and what SIEVE has to do with LFU. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- scans ---- */

/* Hits in % when run->n objects are asked for in turn, twenty times, and 1000 are kept. */
static double in_turn(const struct claim_run *run)
{
    struct trace t = trace_in_turn(run->n, 20 * run->n);
    const double hits = run_trace(run->entry, 1000, &t, 10 * run->n, MS, run->seed).all.hit_ratio;
    trace_free(&t);
    return 100 * hits;
}

static double predict_random(const struct claim_run *run)
{
    return 100 * theory_random_in_turn(run->n / 1000.0);
}

/* ---- Belady ---- */

/* Misses with room for n, of the sequence that shows the anomaly. */
static double anomaly(const struct claim_run *run)
{
    static const uint64_t key[] = {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};
    struct trace t = trace_of(key, COUNT(key));
    const double misses = (double)run_misses(run->entry, run->n, &t, run->seed);
    trace_free(&t);
    return misses;
}

/* By how many misses the best of all others is below Belady, of 20,000 requests; who may pass objects on is not bound
 * by his law. Broken, he is told no future. */
static double below_belady(const struct claim_run *run)
{
    enum { N = 20000 };
    const struct plugin *all = runs_reference();
    struct trace t = trace_zipf(run->seed, 2000, 0.8, N);
    double least = INFINITY;                         /* of the others, less his */
    for (uint32_t i = N; i-- > 0 && !run->broken;) { /* when is it asked for next? */
        static _Thread_local uint64_t next[2001];
        if (i == N - 1)
            memset(next, 0xff, sizeof next);
        t.request[i].next = next[t.request[i].key];
        next[t.request[i].key] = i;
    }
    const double belady = (double)run_misses("belady", run->n, &t, run->seed);
    for (const struct plugin_entry *const *e = all->first; e != all->last; e++) {
        const struct cm_cache_ops *ops = ((const struct cm_ops *)(*e)->ops)->cache;
        if (ops && !(ops->can & (CM_OFFLINE | CM_ADMITS)))
            least = fmin(least, (double)run_misses((*e)->name, run->n, &t, run->seed) - belady);
    }
    trace_free(&t);
    return fmax(0, -least);
}

/* ---- SIEVE and LFU ---- */

/* The hand goes from old to new, so until it comes round each object that it evicts was fetched after the one before.
 * So many requests of the two caches differ, in answer or evicted key, before that and behind it. */
struct twins {
    double before, behind;
};

static struct twins twins_of(const char *other, uint32_t requests, uint64_t seed)
{
    struct trace t = trace_zipf(seed, 10000, 1, requests);
    struct cache sieve = cache_create("sieve", 1000, seed), lfu = cache_create(other, 1000, seed);
    struct twins twins = {0, 0};
    uint32_t *fetched = xcalloc(10001, sizeof *fetched), last = 0;
    bool round = false;
    for (uint32_t i = 0; i < t.n; i++) {
        const enum cm_answer one = cache_ask(&sieve, &t.request[i]), two = cache_ask(&lfu, &t.request[i]);
        const bool evicts = sieve.evicted.n > 0;
        if (evicts) {
            round = round || fetched[sieve.evicted.key[0]] < last;
            last = fetched[sieve.evicted.key[0]];
        }
        if (one == CM_MISS)
            fetched[t.request[i].key] = i + 1;
        if (one != two || evicts != (lfu.evicted.n > 0) || (evicts && sieve.evicted.key[0] != lfu.evicted.key[0]))
            *(round ? &twins.behind : &twins.before) += 1;
    }
    cache_destroy(&sieve);
    cache_destroy(&lfu);
    trace_free(&t);
    free(fetched);
    return twins;
}

static double differ_before(const struct claim_run *run)
{
    return twins_of(run->entry, run->n, run->seed).before;
}

static double differ_behind(const struct claim_run *run)
{
    return twins_of(run->entry, run->n, run->seed).behind > 0;
}

static const struct claim claims[] = {
    {.id = "scan-lru",
     .statement = "LRU hits nothing when one object more than it has room for is asked for in turn.",
     .formula = "0: it evicts the very one that comes next",
     .unit = "% hits",
     .source = "simulated",
     .broken = "as many objects as it has room for: 100 %",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "lru", .n = 1001},
     .instead = {.n = 1000},
     .predicted = 0,
     .measure = in_turn},
    {.id = "scan-random",
     .statement = "Random eviction hits more than half of 1,250 objects in turn, with room for 1,000.",
     .formula = "h = e^(-n (1 - h) / c)",
     .unit = "% hits",
     .source = "simulated",
     .broken = "LRU in place of random",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "random", .n = 1250},
     .instead = {.entry = "lru"},
     .predict = predict_random,
     .measure = in_turn,
     .slack = 0.2,
     .slack_why = "the formula is the limit of many objects"},
    {.id = "belady-anomaly-3",
     .statement = "FIFO misses 9 times in 1 2 3 4 1 2 5 1 2 3 4 5 with room for three ...",
     .formula = "Belady, Nelson & Shedler 1969",
     .unit = "misses",
     .source = "simulated",
     .broken = "LRU in place of FIFO: 10",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "fifo", .n = 3},
     .instead = {.entry = "lru"},
     .predicted = 9,
     .measure = anomaly},
    {.id = "belady-anomaly",
     .statement = "... and 10 times with room for four.",
     .formula = "Belady, Nelson & Shedler 1969",
     .unit = "misses",
     .source = "simulated",
     .broken = "LRU in place of FIFO: 8; more room never makes it worse",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "fifo", .n = 4},
     .instead = {.entry = "lru"},
     .predicted = 10,
     .measure = anomaly},
    {.id = "belady-is-best",
     .statement = "No policy of the reference that keeps what it fetches misses less often than Belady.",
     .formula = "0: Belady's misses, less the fewest of all others where those are fewer (Mattson et al. 1970)",
     .unit = "misses",
     .source = "simulated",
     .broken = "Belady without the future",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.n = 100},
     .predicted = 0,
     .measure = below_belady},
    {.id = "sieve-is-lfu",
     .statement = "Until its hand first comes round, SIEVE answers and evicts as LFU does, request by request.",
     .formula = "0: both evict the oldest of those that were never hit",
     .unit = "requests that differ",
     .source = "simulated",
     .broken = "LRU in place of LFU",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.entry = "lfu", .n = 200000},
     .instead = {.entry = "lru"},
     .predicted = 0,
     .measure = differ_before},
    {.id = "sieve-is-no-lfu",
     .statement = "From then on they differ: whoever tests with a short trace does not see it.",
     .formula = "1: what the hand spared once more has lost its mark, and LFU still counts it",
     .unit = "of the traces",
     .source = "simulated",
     .broken = "a trace that ends before the hand comes round",
     .relation = CLAIM_EQUALS,
     .seeds = 4,
     .of = {.entry = "lfu", .n = 200000},
     .instead = {.n = 3000},
     .predicted = 1,
     .measure = differ_behind},
};

const struct claim_part part_policy = {.claim = claims, .claims = COUNT(claims)};
