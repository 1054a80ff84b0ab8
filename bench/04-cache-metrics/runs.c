/* runs.c: the experiments of lab 04. */
#include "runs.h"

#include "base/memory.h"
#include "host/trusted.h"
#include "sim/exponential.h"
#include "sim/zipf.h"

#include <stdlib.h>
#include <string.h>

static const struct plugin *reference;

void runs_load(void)
{
    reference = trusted_reference("04-cache-metrics", EXIT_CANNOT_TELL);
}

const struct plugin *runs_reference(void)
{
    return reference;
}

const struct cm_ops *runs_entry(const char *entry)
{
    const struct cm_ops *ops = plugin_find(reference, entry);
    if (!ops)
        error_exit(EXIT_CANNOT_TELL, "the reference has no entry %s", entry);
    return ops;
}

/* ---- requests ---- */

static struct trace trace_new(uint32_t n)
{
    struct trace t = {xcalloc(n, sizeof *t.request), n};
    for (uint32_t i = 0; i < n; i++)
        t.request[i] = (struct cm_request){.time = i * MS, .size = 1, .cost_us = 1000, .next = CM_NEVER};
    return t;
}

void trace_free(struct trace *trace)
{
    free(trace->request);
    *trace = (struct trace){NULL, 0};
}

struct trace trace_zipf(uint64_t seed, uint32_t keys, double skew, uint32_t n)
{
    struct trace t = trace_new(n);
    struct zipf law;
    struct rng r;
    if (zipf_init(&law, keys, skew) != 0)
        error_exit(EXIT_CANNOT_TELL, "there is no such law of Zipf's");
    rng_seed(&r, seed, 1);
    for (uint32_t i = 0; i < n; i++)
        t.request[i].key = zipf_draw(&law, &r);
    return t;
}

struct trace trace_in_turn(uint32_t keys, uint32_t n)
{
    struct trace t = trace_new(n);
    for (uint32_t i = 0; i < n; i++)
        t.request[i].key = i % keys;
    return t;
}

struct trace trace_of(const uint64_t *key, uint32_t n)
{
    struct trace t = trace_new(n);
    for (uint32_t i = 0; i < n; i++)
        t.request[i].key = key[i];
    return t;
}

struct trace trace_shop(uint64_t seed, const struct shop *shop, uint32_t n)
{
    struct trace t = trace_new(n);
    struct rng when, what;
    double now = 0;
    rng_seed(&when, seed, 2);
    rng_seed(&what, seed, 3);
    for (uint32_t i = 0; i < n; i++) {
        const bool by_chance = rng_double(&what) * shop->one_in < 1, in_turn = i % (uint32_t)shop->one_in == 0;
        const uint32_t page = rng_below(&what, SHOP_PAGES);
        now += rng_exponential(&when) / shop->rate;
        t.request[i].time = (uint64_t)(1e9 * now);
        t.request[i].cost_us = shop->miss_us;
        t.request[i].key = (shop->regular ? in_turn : by_chance) ? SHOP_PAGES + i : page;
    }
    return t;
}

/* ---- one cache at work ---- */

struct cache cache_create(const char *entry, uint64_t capacity, uint64_t seed)
{
    struct cache c = {.ops = runs_entry(entry)->cache, .ledger = ledger_create(capacity)};
    struct cm_config config = {.capacity = capacity};
    rng_seed(&config.random, seed, 4);
    if (!c.ops || !c.ledger || c.ops->create(&config, &c.state) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s cannot be made", entry);
    return c;
}

void cache_destroy(struct cache *c)
{
    c->ops->destroy(c->state);
    ledger_destroy(c->ledger);
    free(c->evicted.key);
}

enum cm_answer cache_ask(struct cache *c, const struct cm_request *request)
{
    struct cm_request asked = *request;
    c->evicted.n = 0;
    if (!(c->ops->can & CM_OFFLINE))
        asked.next = CM_NEVER;
    const enum cm_answer answer = c->ops->request(c->state, &asked, &c->evicted);
    const char *wrong = ledger_enter(c->ledger, request, &(struct answer){answer, c->evicted.n, c->evicted.key});
    if (wrong || c->evicted.failed)
        error_exit(EXIT_CANNOT_TELL, "a cache of the reference is wrong: %s", wrong ? wrong : "no memory");
    return answer;
}

struct account_figures run_trace(const char *entry, uint64_t capacity, const struct trace *trace, uint32_t warm,
                                 uint64_t hit_ns, uint64_t seed)
{
    const struct account_params params = {.from_request = warm, .hit_ns = hit_ns};
    struct cache c = cache_create(entry, capacity, seed);
    struct account_figures figures;
    struct account *account;
    if (account_create(&params, &account) != 0)
        error_exit(EXIT_CANNOT_TELL, "no memory for an account");
    for (uint32_t i = 0; i < trace->n; i++) {
        const enum cm_answer answer = cache_ask(&c, &trace->request[i]);
        account_add(account, &trace->request[i], answer, c.evicted.n);
    }
    account_read(account, &figures);
    account_destroy(account);
    cache_destroy(&c);
    return figures;
}

uint64_t run_misses(const char *entry, uint64_t capacity, const struct trace *trace, uint64_t seed)
{
    struct cache c = cache_create(entry, capacity, seed);
    uint64_t misses = 0;
    for (uint32_t i = 0; i < trace->n; i++)
        misses += cache_ask(&c, &trace->request[i]) != CM_HIT;
    cache_destroy(&c);
    return misses;
}
