/* runs.h: the experiments of lab 04: entries of the reference, requests for them, and what the account says.
 *
 * Each answer also goes through the judge's ledger: a hit that is none ends the program, as does an entry that is
 * missing or fails (exit code 3): no claim can be told without it. All functions touch nothing global once runs_load has
 * returned, and may run on several threads at once.
 */
#ifndef RUNS_H
#define RUNS_H

#include "account.h"
#include "ledger.h"

/* Loads the reference plugin from $FAULTLINE_BUILD (default "build"). Once, before any thread. */
void runs_load(void);
const struct plugin *runs_reference(void);
const struct cm_ops *runs_entry(const char *entry);

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/* ---- requests: unit size, no ttl, one a millisecond unless it says otherwise ---- */

struct trace {
    struct cm_request *request; /* [n] to be freed with trace_free */
    uint32_t n;
};
void trace_free(struct trace *trace);

/* Independent, by Zipf's law. */
struct trace trace_zipf(uint64_t seed, uint32_t keys, double skew, uint32_t n);
/* Keys 0 ... keys-1 in turn. */
struct trace trace_in_turn(uint32_t keys, uint32_t n);
/* So many of these keys, in this order. */
struct trace trace_of(const uint64_t *key, uint32_t n);

/* A shop: popular pages that are always in the cache, and queries that nobody ever asks again. They come by Poisson's
 * law; one in `one_in` is such a query, by chance, or each one_in-th. */
struct shop {
    double rate, one_in;
    uint32_t miss_us;
    bool regular;
};
enum { SHOP_PAGES = 500, SHOP_WARM = 20000, SHOP_CAPACITY = 10000 };
struct trace trace_shop(uint64_t seed, const struct shop *shop, uint32_t n);

/* ---- one cache at work ---- */

struct cache {
    const struct cm_cache_ops *ops;
    void *state;
    struct ledger *ledger;
    struct cm_evicted evicted; /* by the last request */
};
struct cache cache_create(const char *entry, uint64_t capacity, uint64_t seed);
void cache_destroy(struct cache *cache);
enum cm_answer cache_ask(struct cache *cache, const struct cm_request *request);

/* A whole trace; the first `warm` requests are not counted, and a hit takes hit_ns. */
struct account_figures run_trace(const char *entry, uint64_t capacity, const struct trace *trace, uint32_t warm,
                                 uint64_t hit_ns, uint64_t seed);
/* Its misses, none left out. */
uint64_t run_misses(const char *entry, uint64_t capacity, const struct trace *trace, uint64_t seed);

#endif
