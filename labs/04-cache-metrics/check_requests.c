/* check_requests.c: what the tests of caches are written with. */
#include "check_requests.h"

#include "base/memory.h"
#include "grade/check_list.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rng random_of_test(uint64_t stream)
{
    struct rng r;
    rng_seed(&r, check_seed(), 4000 + stream);
    return r;
}

uint32_t between(struct rng *r, uint32_t low, uint32_t high)
{
    return low + rng_below(r, high - low + 1);
}

/* ---- lists ---- */

struct list *list_create(enum rule rule, uint64_t capacity, uint32_t caches)
{
    struct list *l = xcalloc(1, sizeof *l);
    *l = (struct list){.rule = rule, .caches.n = caches};
    for (uint32_t i = 0; i < caches; i++) {
        l->caches.config[i].capacity = capacity;
        rng_seed(&l->caches.config[i].random, check_seed(), i);
    }
    return l;
}

void list_free(struct list *l)
{
    for (uint32_t i = 0; i < l->caches.n; i++)
        model_destroy(l->model[i]);
    free(l->step);
    free(l);
}

static struct model *new_model(const struct list *l, uint32_t cache)
{
    struct model *m = model_create(l->rule, l->caches.config[cache].capacity);
    if (!m)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return m;
}

void list_ask_cache(struct list *l, uint32_t cache, const struct cm_request *request)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 256;
        l->step = realloc(l->step, l->room * sizeof *l->step);
        if (!l->step)
            check_fail(VERDICT_GRADER_FAULT, "out of memory");
    }
    struct step *s = &l->step[l->n++];
    *s = (struct step){STEP_REQUEST, cache, *request};
    s->request.time = l->now;
    s->request.next = CM_NEVER;
    if (!l->model[cache])
        l->model[cache] = new_model(l, cache);
    if (l->rule != RULE_CONTRACT)
        model_answer(l->model[cache], &s->request);
}

void list_ask(struct list *l, uint64_t key, uint32_t size, uint32_t cost_us, uint32_t ttl_ms)
{
    const struct cm_request r = {.key = key, .size = size, .cost_us = cost_us, .ttl_ms = ttl_ms};
    list_ask_cache(l, 0, &r);
}

/* 0, the largest, some that are alike in their lower 32, 48 or 63 bits, some that are the same double, and others. */
static uint64_t key_of(uint32_t i)
{
    uint64_t state = i;
    switch (i % 4) {
    case 0:
        return i == 0 ? 0 : (uint64_t)i << 32;
    case 1:
        return i == 1 ? UINT64_MAX : (uint64_t)i << 48 | 7;
    case 2:
        return i;
    default:
        return i % 8 == 7 ? UINT64_MAX - i : i % 16 == 3 ? UINT64_C(1) << 63 | (i - 1) : rng_splitmix64(&state);
    }
}

static uint32_t some_key(struct rng *r, uint32_t keys, uint32_t last, uint32_t *scan)
{
    switch (rng_below(r, 8)) {
    case 0:
        return last;
    case 1:
        return (*scan)++ % keys;
    case 2:
        return rng_below(r, keys);
    default:
        return rng_below(r, 1 + rng_below(r, 1 + rng_below(r, keys)));
    }
}

/* To the last moment of some object's time, or to the first at which it is over; and it is asked for. */
static void ask_at_the_edge(struct list *l, struct rng *r, uint32_t cost_us)
{
    const uint32_t cache = rng_below(r, l->caches.n);
    const struct model *m = l->model[cache];
    if (!m || model_objects(m) == 0)
        return;
    const uint64_t key = model_key(m, rng_below(r, model_objects(m))), expires = model_expires(m, key);
    if (expires == CM_NEVER || expires - 1 < l->now)
        return;
    l->now = expires - rng_below(r, 2);
    const struct cm_request request = {.key = key, .size = 1, .cost_us = cost_us, .ttl_ms = 2};
    list_ask_cache(l, cache, &request);
}

void list_random(struct list *l, struct rng *r, const struct shape *s)
{
    uint32_t key = 0, scan = rng_below(r, s->keys);
    for (uint32_t i = 0; i < s->requests; i++) {
        key = some_key(r, s->keys, key, &scan);
        uint64_t own = key * UINT64_C(0x9e3779b97f4a7c15) ^ check_seed();
        struct rng of_key, *from = r;
        if (s->own_size) {
            rng_seed(&of_key, rng_splitmix64(&own), 0);
            from = &of_key;
        }
        const struct cm_request request = {.key = key_of(key),
                                           .size = between(from, 1, s->size),
                                           .cost_us = between(from, 0, s->cost_us),
                                           .ttl_ms = rng_below(r, 2) ? between(r, 0, s->ttl_ms) : 0};
        l->now += 1000 * (uint64_t)between(r, 0, s->step_us);
        list_ask_cache(l, rng_below(r, l->caches.n), &request);
        if (s->ttl_ms > 0 && rng_below(r, 20) == 0)
            ask_at_the_edge(l, r, between(r, 0, s->cost_us));
    }
}

void *requests_block(const struct caches *caches, const struct step *step, uint32_t n, uint32_t late, size_t *size)
{
    const struct adapter_header header = {ADAPTER_REQUESTS, 0};
    *size = sizeof header + REQUESTS_SIZE(n);
    unsigned char *block = xcalloc(1, *size);
    struct requests *r = (struct requests *)(block + sizeof header);
    memcpy(block, &header, sizeof header);
    *r = (struct requests){.caches = *caches, .count = n, .late = late};
    memcpy(r->step, step, n * sizeof *step);
    return block;
}

const struct requests *requests_of(const void *block)
{
    return (const struct requests *)((const unsigned char *)block + sizeof(struct adapter_header));
}

uint64_t small_memory(void)
{
    return (7u << 18) + 64 * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- one run, compared with the model ---- */

struct checked {
    const struct list *list;
    const char *entry;
};

struct judged {
    const struct list *list;
    struct model *model[REQUESTS_CACHES];
    FILE *why;
};

static bool visit(void *context, uint32_t index, const struct step *step, const struct answer *answer)
{
    struct judged *j = context;
    (void)index;
    if (!answer) {
        fputs("there is no answer", j->why);
        return false;
    }
    struct model **m = &j->model[step->cache];
    if (!*m)
        *m = new_model(j->list, step->cache);
    const char *wrong = model_enter(*m, &step->request, answer);
    if (wrong)
        fputs(wrong, j->why);
    return !wrong;
}

static uint32_t wrong_step(const void *context, const void *steps, uint32_t n, struct host_outcome *o, FILE *why)
{
    const struct checked *c = context;
    struct judged j = {.list = c->list, .why = why};
    size_t size;
    void *block = requests_block(&c->list->caches, steps, n, 0, &size);
    check_host_request((struct host_request){.entry = c->entry,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(uint64_t),
                                             .records = REQUESTS_RECORDS(n),
                                             .least_records = n,
                                             .data_bytes = c->list->caches.rounds > 1 ? small_memory() : 0},
                       o);
    const uint32_t wrong = requests_replay(requests_of(block), o->records, o->count, visit, &j);
    for (uint32_t i = 0; i < c->list->caches.n; i++)
        model_destroy(j.model[i]);
    free(block);
    return wrong;
}

struct printing {
    FILE *out;
    uint32_t line, lines;
};

static bool print_step(void *context, uint32_t index, const struct step *step, const struct answer *answer)
{
    struct printing *p = context;
    if (check_list_shows(p->out, index, p->lines))
        step_print(p->out, index + 1, step, answer);
    return index + 1 < p->lines;
}

static void print(const void *context, const void *steps, uint32_t last, const struct host_outcome *o, FILE *out)
{
    const struct checked *c = context;
    struct printing p = {.out = out, .lines = last + 1};
    size_t size;
    void *block = requests_block(&c->list->caches, steps, last + 1, 0, &size);
    requests_replay(requests_of(block), o->records, o->count, print_step, &p);
    free(block);
}

void list_check(const char *entry, struct list *l, const char *lesson)
{
    const struct checked checked = {l, entry};
    char about[100];
    snprintf(about, sizeof about, "%s with a capacity of %llu%s", entry,
             (unsigned long long)l->caches.config[0].capacity, l->caches.n > 1 ? ", and others beside it" : "");
    check_list(&(struct check_list){about, lesson, sizeof *l->step, &checked, wrong_step, print}, l->step, l->n);
    list_free(l);
}

/* What an object is, and what is there, holds for every cache. */
void list_check_edges(const char *entry, enum rule rule)
{
    struct rng r = random_of_test(6);
    struct list *l = list_create(rule, 2, 1);
    list_ask(l, 7, 1, 10, 5);
    l->now = 5 * MS - 1;
    list_ask(l, 7, 1, 10, 900); /* still fresh; and a hit changes nothing */
    l->now = 5 * MS;
    list_ask(l, 7, 1, 10, 0); /* over */
    l->now = 900000 * MS;
    list_ask(l, 7, 1, 10, 0); /* for ever */
    list_check(entry, l, "An object keeps the ttl that it was fetched with, from when it was fetched.");
    l = list_create(rule, 10, 1);
    list_ask(l, 1, 4, 10, 0);
    list_ask(l, 2, 3, 10, 1);
    list_ask(l, 1, 11, 10, 0); /* a hit: what it was fetched with counts */
    l->now = 1 * MS;
    list_ask(l, 2, 11, 10, 0); /* over, and what comes now does not fit: it is gone all the same */
    list_ask(l, 3, 6, 10, 0);
    list_ask(l, 4, 1, 10, 0);
    list_check(entry, l,
               "What is fresh is a hit, whatever the request says; what is over and asked for again is gone.");
    /* sizes and capacities beyond 32 bits */
    l = list_create(rule, UINT64_C(10) << 32, 1);
    for (uint32_t i = 0; i < 40; i++)
        list_ask(l, between(&r, 1, 14), UINT32_MAX - rng_below(&r, 3), 10, 0);
    list_check(entry, l, "A capacity has 64 bits.");
    l = list_create(rule, UINT64_C(1) << 48, 1);
    for (uint32_t i = 0; i < 10; i++)
        list_ask(l, i % 5, UINT32_MAX, 10, 0);
    list_check(entry, l, "A capacity of 2^48 is within bounds.");
}

#define ROUNDS 40000u

void list_check_ends(const char *entry, enum rule rule, uint64_t stream)
{
    struct rng r = random_of_test(stream);
    struct list *l = list_create(rule, between(&r, 10, 20), 2);
    l->caches.rounds = ROUNDS;
    list_random(l, &r,
                &(struct shape){.requests = 24, .keys = 12, .size = 6, .cost_us = 100, .ttl_ms = 3, .step_us = 800});
    list_check(entry, l, "Caches come and go: destroy gives back all that create and request took.");
}
