/* runs.c: the experiments of lab 04: requests through a cache. */
#include "runs.h"

#include "base/file.h"
#include "base/memory.h"
#include "host/trusted.h"
#include "sim/zipf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct plugin *reference;

void runs_load(void)
{
    reference = trusted_reference("04-cache-metrics", EXIT_CANNOT_TELL);
}

const struct cm_ops *runs_entry(const char *name)
{
    const struct cm_ops *ops = plugin_find(reference, name);
    if (!ops)
        error_exit(EXIT_CANNOT_TELL, "the reference has no entry %s", name);
    return ops;
}

static void must(int code, const char *what)
{
    if (code)
        error_exit(EXIT_CANNOT_TELL, "%s failed: %s", what, strerror(-code));
}

struct cache {
    const struct cm_cache_ops *ops;
    void *state;
    struct cm_evicted evicted;
};

static struct cache cache_create(const char *entry, uint64_t capacity, uint64_t seed)
{
    struct cache c = {.ops = runs_entry(entry)->cache};
    struct cm_config config = {.capacity = capacity};
    rng_seed(&config.random, seed, 1);
    must(c.ops ? c.ops->create(&config, &c.state) : -ENOTSUP, entry);
    return c;
}

static void cache_destroy(struct cache *c)
{
    if (c->evicted.failed)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    c->ops->destroy(c->state);
    free(c->evicted.key);
}

static enum cm_answer ask(struct cache *c, const struct cm_request *request)
{
    struct cm_request r = *request;
    if (!(c->ops->can & CM_OFFLINE))
        r.next = CM_NEVER;
    c->evicted.n = 0;
    return c->ops->request(c->state, &r, &c->evicted);
}

struct account_figures runs_account(const char *entry, uint64_t capacity, const struct cm_request *request, uint32_t n,
                                    const struct account_params *params, uint64_t seed)
{
    struct cache c = cache_create(entry, capacity, seed);
    struct account *account;
    struct account_figures figures;
    must(account_create(params, &account), "an account");
    for (uint32_t i = 0; i < n; i++) {
        const enum cm_answer answer = ask(&c, &request[i]);
        account_add(account, &request[i], answer, c.evicted.n);
    }
    account_read(account, &figures);
    account_destroy(account);
    cache_destroy(&c);
    return figures;
}

uint64_t runs_misses(const char *entry, uint64_t capacity, const struct cm_request *request, uint32_t n,
                     uint32_t warm_up, uint64_t seed)
{
    struct cache c = cache_create(entry, capacity, seed);
    uint64_t misses = 0;
    for (uint32_t i = 0; i < n; i++)
        misses += ask(&c, &request[i]) != CM_HIT && i >= warm_up;
    cache_destroy(&c);
    return misses;
}

static struct cm_request request_of(uint64_t key, uint32_t i)
{
    return (struct cm_request){.key = key, .time = i * UINT64_C(1000000), .size = 1, .cost_us = 1000};
}

struct cm_request *runs_zipf(uint32_t n, uint32_t keys, double a, uint64_t seed)
{
    struct cm_request *request = xcalloc(n, sizeof *request);
    struct zipf law;
    struct rng r;
    must(zipf_init(&law, keys, a), "Zipf's law");
    rng_seed(&r, seed, 2);
    for (uint32_t i = 0; i < n; i++)
        request[i] = request_of(zipf_draw(&law, &r), i);
    must(traffic_next(request, n), "the future");
    return request;
}

struct cm_request *runs_in_turn(uint32_t n, uint32_t keys)
{
    struct cm_request *request = xcalloc(n, sizeof *request);
    for (uint32_t i = 0; i < n; i++) {
        request[i] = request_of(i % keys, i);
        request[i].next = i + (uint64_t)keys < n ? i + keys : CM_NEVER;
    }
    return request;
}
