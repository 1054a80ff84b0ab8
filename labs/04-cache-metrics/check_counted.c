/* check_counted.c: what a request costs, in instructions and in memory. */
#include "check_counted.h"

#include "base/memory.h"
#include "check_requests.h"
#include "grade/check_growth.h"

#include <stdlib.h>

#define FEW     64u /* objects */
#define MANY    4096u
#define STRETCH 10u /* requests of one */

struct long_run {
    struct caches caches;
    struct step *step;
    uint32_t n;
};

/* Some are over when they are asked for again. */
static void ask(struct long_run *l, struct rng *r, uint32_t keys)
{
    struct cm_request *q = &l->step[l->n].request;
    *q = (struct cm_request){.key = UINT64_C(0x9e3779b97f4a7c15) * rng_below(r, keys),
                             .time = l->n * MS,
                             .size = 1,
                             .cost_us = between(r, 1, 100000),
                             .ttl_ms = rng_below(r, 2) ? 0 : keys / 8,
                             .next = CM_NEVER};
    l->step[l->n++].op = STEP_REQUEST;
}

/* ---- judging ---- */

struct judged {
    struct model *model;
    const char *wrong;
};

static bool visit(void *context, uint32_t index, const struct step *step, const struct answer *answer)
{
    struct judged *j = context;
    (void)index;
    j->wrong = answer ? model_enter(j->model, &step->request, answer) : "there is no answer";
    return !j->wrong;
}

static void judge(const struct requests *requests, enum rule rule, const struct host_outcome *o)
{
    struct judged j = {.model = model_create(rule, requests->caches.config[0].capacity)};
    if (!j.model)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    const uint32_t fine = requests_replay(requests, o->records, o->count, visit, &j);
    check_that(fine == requests->count, "request %u of a long run with a capacity of %llu: %s", fine + 1,
               (unsigned long long)requests->caches.config[0].capacity, j.wrong ? j.wrong : "");
    model_destroy(j.model);
}

/* ---- instructions ---- */

/* The cache is full and in use; from there on, in stretches, half of the requests are hits. They are drawn from a stream
 * of their own: what is seen before says nothing about them. */
static void *make(const struct check_growth *g, uint32_t objects, struct host_request *q)
{
    struct rng r = random_of_test(60);
    struct long_run l = {.caches.n = 1,
                         .step = xcalloc(6 * objects + CHECK_GROWTH_STRETCHES * (STRETCH + 1), sizeof *l.step)};
    (void)g;
    l.caches.config[0].capacity = objects;
    rng_seed(&l.caches.config[0].random, 1, 0); /* the seed of the requests could be read off that of the test */
    for (uint32_t i = 0; i < 6 * objects; i++)
        ask(&l, &r, 2 * objects);
    r = random_of_test(61);
    for (uint32_t i = 0; i < CHECK_GROWTH_STRETCHES; i++) {
        l.step[l.n++].op = STEP_COUNT;
        for (uint32_t k = 0; k < STRETCH; k++)
            ask(&l, &r, 2 * objects);
    }
    void *block = requests_block(&l.caches, l.step, l.n, (uint32_t)(q->late_bytes / sizeof *l.step), &q->scenario_size);
    q->scenario = block;
    q->record_size = sizeof(uint64_t);
    q->records = REQUESTS_RECORDS(l.n);
    q->least_records = l.n - CHECK_GROWTH_STRETCHES;
    free(l.step);
    return block;
}

static void judge_counted(const struct check_growth *g, uint32_t objects, const void *block,
                          const struct host_outcome *o)
{
    const enum rule *rule = g->context;
    (void)objects;
    judge(requests_of(block), *rule, o);
}

void counted_growth(const char *entry, enum rule rule, double none, const char *suspect)
{
    check_growth(&(struct check_growth){.entry = entry,
                                        .few = FEW,
                                        .many = MANY,
                                        .things = "objects",
                                        .operation = "a request",
                                        .suspect = suspect,
                                        .none = none,
                                        .most_of_few = 3,
                                        .stretch = STRETCH,
                                        .step = sizeof(struct step),
                                        .make = make,
                                        .judge = judge_counted,
                                        .context = &rule});
}

/* ---- memory ---- */

#define REQUESTS 300000u

void counted_memory(const char *entry, enum rule rule)
{
    struct rng r = random_of_test(63);
    struct long_run l = {.caches.n = 1, .step = xcalloc(REQUESTS, sizeof *l.step)};
    struct host_outcome o;
    l.caches.config[0].capacity = FEW;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        ask(&l, &r, 2 * FEW);
        if (i % 2)
            l.step[i].request.key = rng_next(&r); /* never again */
    }
    struct host_request q = {.entry = entry,
                             .data_bytes = small_memory(),
                             .record_size = sizeof(uint64_t),
                             .records = REQUESTS_RECORDS(l.n),
                             .least_records = l.n};
    void *block = requests_block(&l.caches, l.step, l.n, 0, &q.scenario_size);
    q.scenario = block;
    check_host_request(q, &o);
    if (o.verdict != VERDICT_FINISHED)
        check_fail(o.verdict, "%u requests for a cache of %u objects: %s%s", REQUESTS, FEW, o.sentence,
                   o.verdict == VERDICT_MEMORY ? "\nWhat is evicted must leave nothing behind." : "");
    judge(requests_of(block), rule, &o);
    host_outcome_free(&o);
    free(block);
    free(l.step);
}
