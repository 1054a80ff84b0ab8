/* check_counted.c: what a request costs, in instructions and in memory. */
#include "check_counted.h"

#include "base/memory.h"
#include "check_requests.h"

#include <stdlib.h>

#define FEW       64u /* objects */
#define MANY      4096u
#define TOO_FAR   4000ull /* instructions a request with FEW objects: a limit, so that every run ends soon */
#define STRETCHES 60u     /* of a run */
#define STRETCH   10u     /* requests of one */
/* Growth is a ratio, and who wastes time with few objects makes it smaller: no more counts there than so many times what
 * the reference takes. */
#define MOST_OF_FEW 3.0

static uint32_t counted_stretches(void)
{
    return check_large() ? 6 : 4;
}

static uint32_t counted_requests(void)
{
    return counted_stretches() * STRETCH;
}

struct long_run {
    struct caches caches;
    struct step *step;
    uint32_t n, late, markers;
};

static void ask(struct long_run *l, struct rng *r, uint32_t keys)
{
    struct cm_request *q = &l->step[l->n].request;
    *q = (struct cm_request){.key = UINT64_C(0x9e3779b97f4a7c15) * rng_below(r, keys),
                             .time = l->n * MS,
                             .size = 1,
                             .cost_us = between(r, 1, 100000),
                             .next = CM_NEVER};
    l->step[l->n++].op = STEP_REQUEST;
}

/* The cache is full and in use; from there on, in stretches, half of the requests are hits. They are drawn from a stream
 * of their own: what is seen before says nothing about them. */
static struct long_run run_of(uint32_t objects)
{
    struct rng r = random_of_test(60);
    struct long_run l = {.caches.n = 1, .step = xcalloc(6 * objects + STRETCHES * (STRETCH + 1), sizeof *l.step)};
    l.caches.config[0].capacity = objects;
    rng_seed(&l.caches.config[0].random, 1, 0); /* the seed of the requests could be read off that of the test */
    for (uint32_t i = 0; i < 6 * objects; i++)
        ask(&l, &r, 2 * objects);
    r = random_of_test(61);
    for (uint32_t i = 0; i < STRETCHES; i++) {
        l.step[l.n++].op = STEP_COUNT;
        l.markers++;
        for (uint32_t k = 0; k < STRETCH; k++)
            ask(&l, &r, 2 * objects);
    }
    l.late = STRETCHES * (STRETCH + 1) - 1;
    return l;
}

/* The bytes of each are its requests and the marker of the next. */
static void draw_stretches(struct host_stretch stretch[STRETCHES])
{
    struct rng r = random_of_test(62);
    for (uint32_t i = 0; i < STRETCHES; i++)
        stretch[i] = (struct host_stretch){(STRETCH + (i + 1 < STRETCHES)) * sizeof(struct step), 0};
    for (uint32_t left = counted_stretches(); left > 0;) {
        struct host_stretch *one = &stretch[rng_below(&r, STRETCHES)];
        left -= !one->counted;
        one->counted = 1;
    }
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

static bool run(struct host_request how, const struct long_run *l, enum rule rule, struct host_outcome *o)
{
    size_t size;
    void *block = requests_block(&l->caches, l->step, l->n, l->late, &size);
    how.scenario = block;
    how.scenario_size = size;
    how.late_bytes = l->late * sizeof *l->step;
    how.record_size = sizeof(uint64_t);
    how.records = REQUESTS_RECORDS(l->n);
    how.least_records = l->n - l->markers;
    check_host_request(how, o);
    if (o->verdict == VERDICT_FINISHED)
        judge((const struct requests *)((const char *)block + sizeof(struct adapter_header)), rule, o);
    free(block);
    return o->verdict == VERDICT_FINISHED;
}

/* ---- instructions ---- */

/* Of the counted requests; 0 when they were `limit` or more. Where nothing is counted (in a debugger): 1. */
static uint64_t cost(const char *plugin, const char *entry, enum rule rule, uint32_t objects, uint64_t limit)
{
    struct host_stretch stretch[STRETCHES];
    struct long_run l = run_of(objects);
    struct host_outcome o;
    draw_stretches(stretch);
    const bool whole = run(
        (struct host_request){
            .plugin = plugin, .entry = entry, .count_limit = limit, .stretch = stretch, .stretches = STRETCHES},
        &l, rule, &o);
    if (!whole && o.verdict != VERDICT_COST)
        check_fail(o.verdict, "with a capacity of %u objects: %s", objects, o.sentence);
    if (whole && !o.counted && !check_debugging())
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: nothing was counted");
    const uint64_t counted = !whole ? 0 : o.counted ? o.instructions : 1;
    host_outcome_free(&o);
    free(l.step);
    return counted;
}

static unsigned each(uint64_t instructions)
{
    return (unsigned)(instructions / counted_requests());
}

void counted_growth(const char *entry, enum rule rule, double none, const char *suspect)
{
    none = check_no_points_at(none);
    uint64_t few = cost(NULL, entry, rule, FEW, TOO_FAR * counted_requests());
    if (check_debugging()) {
        cost(NULL, entry, rule, MANY, 0);
        puts("(in a debugger every answer is judged, and nothing is counted)");
        return;
    }
    if (!few)
        check_fail(VERDICT_COST, "a request takes more than %llu instructions with %u objects.", TOO_FAR, FEW);
    const uint64_t reference = cost(check_reference(), entry, rule, FEW, 100 * TOO_FAR * counted_requests());
    const uint64_t most = (uint64_t)(MOST_OF_FEW * (double)reference);
    if (reference == 0)
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: the reference did not come to its end");
    few = few < most ? few : most;
    const uint64_t many = cost(NULL, entry, rule, MANY, (uint64_t)(none * (double)few) + 1);
    if (!many)
        check_fail(VERDICT_COST,
                   "a request takes %u instructions with %u objects (no more count than %g times what the reference "
                   "takes), and more than %u with %u, where it was stopped. Is there something that %s?",
                   each(few), FEW, MOST_OF_FEW, each((uint64_t)(none * (double)few)), MANY, suspect);
    const double times = (double)(100 * many / few) / 100;
    check_measured(times > 0.01 ? times : 0.01,
                   "a request takes %u instructions with %u objects and %u with %u: %.2f times as many. Is there "
                   "something that %s?",
                   each(few), FEW, each(many), MANY, times, suspect);
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
    if (!run((struct host_request){.entry = entry, .data_bytes = small_memory()}, &l, rule, &o))
        check_fail(o.verdict, "%u requests for a cache of %u objects: %s%s", REQUESTS, FEW, o.sentence,
                   o.verdict == VERDICT_MEMORY ? "\nWhat is evicted must leave nothing behind." : "");
    host_outcome_free(&o);
    free(l.step);
}
