/* literal.c: caches against policies as their papers tell them: answer for answer, eviction for eviction. */
#include "caches.h"
#include "models.h"

TestSuite(literal, .timeout = 120);

enum { REQUESTS = 4000 };

static struct cm_request request[REQUESTS];
static struct model model;

static bool same(const struct cm_evicted *a, const struct cm_evicted *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->key, b->key, a->n * sizeof *a->key) == 0);
}

static void compare(const struct model_policy *p, uint64_t capacity, const struct workload *w, uint64_t seed)
{
    struct cache_run run;
    struct rng r;
    rng_seed(&r, seed, capacity);
    requests_draw(&r, w, request, REQUESTS);
    model = (struct model){.capacity = capacity};
    cr_assert(cache_start(&run, p->name, capacity) == 0, "%s: expected: a cache of %lu", p->name, capacity);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        model.evicted.n = 0;
        enum cm_answer expected = p->request(&model, &request[i]), actual = cache_ask(&run, &request[i]);
        if (expected != actual || !same(&model.evicted, &run.evicted))
            cr_assert(false,
                      "%s, capacity %lu, sizes up to %u, request %u, key %ld: expected: %d, %u evicted, first "
                      "%ld; actual: %d, %u evicted, first %ld",
                      p->name, capacity, w->sizes, i, (long)request[i].key, (int)expected, model.evicted.n,
                      model.evicted.n ? (long)model.evicted.key[0] : -9, (int)actual, run.evicted.n,
                      run.evicted.n ? (long)run.evicted.key[0] : -9);
    }
    cache_stop(&run);
    free(model.evicted.key);
    free(model.sketch.word);
}

Test(literal, objects_of_one_size)
{
    for (const struct model_policy *p = model_policies; p->name; p++)
        for (uint64_t capacity = 1; capacity < 90; capacity += 1 + capacity / 4)
            for (uint64_t seed = 1; seed <= 4; seed++)
                compare(p, capacity, &(struct workload){.keys = 100, .sizes = 1}, seed);
    cr_assert(true, "all the same");
}

Test(literal, objects_of_many_sizes_and_costs)
{
    for (const struct model_policy *p = model_policies; p->name; p++)
        for (uint64_t capacity = 3; capacity < 900; capacity += 1 + capacity / 2)
            for (uint32_t sizes = 2; sizes < 60; sizes *= 5)
                compare(p, capacity, &(struct workload){.keys = 100, .sizes = sizes, .costs = 20}, sizes);
    cr_assert(true, "all the same");
}

Test(literal, objects_that_expire)
{
    for (const struct model_policy *p = model_policies; p->name; p++)
        for (uint64_t capacity = 1; capacity < 300; capacity += 1 + capacity / 2)
            for (uint32_t shares = 1; shares < 5; shares++) {
                compare(p, capacity, &(struct workload){.keys = 60, .sizes = 1, .costs = 9, .ttl_shares = shares}, 1);
                compare(p, capacity, &(struct workload){.keys = 60, .sizes = 9, .costs = 9, .ttl_shares = shares}, 2);
            }
    cr_assert(true, "all the same");
}
