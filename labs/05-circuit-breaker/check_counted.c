/* check_counted.c: what a call costs a breaker, in instructions. */
#include "check_counted.h"

#include "base/memory.h"
#include "check_steps.h"
#include "grade/check_growth.h"

#include <stdlib.h>

#define FEW     64u
#define MANY    4096u
#define STRETCH 10u /* steps of one: calls that ask, and calls that end */

struct long_run {
    struct steps_config config;
    struct step *step;
    uint32_t n, calls;
    uint64_t now;
};

/* A call that asks, and one that asked eight calls ago and ends. Few fail: it stays closed. */
static void use(struct long_run *l, struct rng *r, uint64_t step_ns)
{
    const uint32_t id = l->calls++;
    l->now += between(r, 0, 2 * step_ns);
    l->step[l->n++] = (struct step){.at = l->now, .op = STEP_ALLOW, .call = {.id = id}};
    if (id >= 8)
        l->step[l->n++] = (struct step){.at = l->now,
                                        .op = STEP_RECORD,
                                        .call = {id - 8, rng_below(r, 5) ? CB_SUCCESS : CB_ERROR, between(r, 1, MS)}};
}

/* The window is full and in use. Time windows have as many slices, up to 1,024, and see a few calls in each. */
static void *make(const struct check_growth *g, uint32_t size, struct host_request *q)
{
    const enum rule *rule = g->context;
    struct rng r = random_of_test(60);
    struct long_run l = {.config.instances = 1};
    struct cb_breaker_config *c = &l.config.breaker[0];
    l.step = xcalloc(6 * size + 64 + CHECK_GROWTH_STRETCHES * (STRETCH + 1), sizeof *l.step);
    *c = usual_breaker();
    c->window_calls = size;
    c->slices = size / 4;
    c->window_ns = c->slices * S;
    c->failure_percent = 90;
    c->slow_percent = 100;
    const uint64_t step_ns = *rule == RULE_TIME ? S / 4 : MS;
    while (l.n < 6 * size)
        use(&l, &r, step_ns);
    r = random_of_test(61);
    for (uint32_t i = 0; i < CHECK_GROWTH_STRETCHES; i++) {
        l.step[l.n++] = (struct step){.op = STEP_COUNT};
        for (uint32_t k = 0; k < STRETCH / 2; k++)
            use(&l, &r, step_ns);
    }
    void *block = steps_block(&l.config, l.step, l.n, (uint32_t)(q->late_bytes / sizeof *l.step), &q->scenario_size);
    q->scenario = block;
    q->record_size = sizeof(uint64_t);
    q->records = steps_records(l.step, l.n);
    free(l.step);
    return block;
}

struct judged {
    struct model *model;
    const char *wrong;
};

static bool visit(void *context, uint32_t index, const struct step *step, const uint64_t *record)
{
    struct judged *j = context;
    (void)index;
    j->wrong = model_enter(j->model, step, record);
    return !j->wrong;
}

static void judge(const struct check_growth *g, uint32_t size, const void *block, const struct host_outcome *o)
{
    const struct steps *s = steps_of(block);
    const enum rule *rule = g->context;
    struct judged j = {.model = model_create(*rule, &s->config, 0)};
    if (!j.model)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    const int64_t fine = steps_replay(s, o->records, o->count, visit, &j);
    check_that(fine == s->count, "step %lld of a long run with a window of %u: %s", (long long)fine + 1, size,
               j.wrong ? j.wrong : "");
    model_destroy(j.model);
}

void counted_growth(const char *entry, enum rule rule, double none, const char *suspect)
{
    check_growth(&(struct check_growth){.entry = entry,
                                        .few = FEW,
                                        .many = MANY,
                                        .things = rule == RULE_TIME ? "calls in the window, and a slice for each four"
                                                                    : "calls in the window",
                                        .operation = "a step (a call that asks, or one that ends)",
                                        .suspect = suspect,
                                        .none = none,
                                        .most_of_few = 3,
                                        .stretch = STRETCH,
                                        .step = sizeof(struct step),
                                        .make = make,
                                        .judge = judge,
                                        .context = &rule});
}
