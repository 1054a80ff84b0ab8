/* check_steps.c: what the tests of breakers and retries are written with. */
#include "check_steps.h"

#include "base/memory.h"
#include "grade/check_list.h"
#include "sim/ns.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rng random_of_test(uint64_t stream)
{
    struct rng r;
    rng_seed(&r, check_seed(), 5000 + stream);
    return r;
}

uint64_t between(struct rng *r, uint64_t low, uint64_t high)
{
    return low + rng_next(r) % (high - low + 1);
}

struct cb_breaker_config usual_breaker(void)
{
    return (struct cb_breaker_config){.window_calls = 20,
                                      .window_ns = 10 * S,
                                      .slices = 10,
                                      .least_calls = 10,
                                      .failure_percent = 50,
                                      .slow_percent = 50,
                                      .slow_ns = S,
                                      .open_ns = 5 * S,
                                      .probes = 3,
                                      .probes_ns = 60 * S};
}

/* ---- lists ---- */

static struct list *list_of(enum rule rule, uint32_t instances)
{
    struct list *l = xcalloc(1, sizeof *l);
    l->rule = rule;
    l->config.instances = instances;
    return l;
}

static struct model *new_model(const struct list *l, uint32_t instance)
{
    struct model *m = model_create(l->rule, &l->config, instance);
    if (!m)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return m;
}

struct list *list_breaker(enum rule rule, const struct cb_breaker_config *config, uint32_t instances)
{
    struct list *l = list_of(rule, instances);
    for (uint32_t i = 0; i < instances; i++)
        l->config.breaker[i] = *config;
    return l;
}

struct list *list_retry(const struct cb_retry_config *config, uint32_t instances)
{
    struct list *l = list_of(RULE_RETRY, instances);
    for (uint32_t i = 0; i < instances; i++)
        l->config.retry[i] = *config;
    return l;
}

void list_free(struct list *l)
{
    for (uint32_t i = 0; i < l->config.instances; i++)
        model_destroy(l->model[i]);
    free(l->step);
    free(l);
}

/* Appends it, and enters it with the right answer, which it returns. */
static uint64_t append(struct list *l, struct step step)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 256;
        l->step = realloc(l->step, l->room * sizeof *l->step);
        if (!l->step)
            check_fail(VERDICT_GRADER_FAULT, "out of memory");
    }
    step.at = l->now;
    l->step[l->n++] = step;
    struct model **m = &l->model[step.instance];
    if (!*m)
        *m = new_model(l, step.instance);
    const bool asks = step.op == STEP_ALLOW || step.op == STEP_FAILED;
    const uint64_t answer = asks ? model_answer(*m, &step) : 0;
    model_enter(*m, &step, &answer);
    return answer;
}

uint32_t list_allow(struct list *l, uint32_t instance, bool *allowed)
{
    *allowed = append(l, (struct step){.op = STEP_ALLOW, .instance = instance, .call = {.id = l->calls}}) == 1;
    return l->calls++;
}

void list_record(struct list *l, uint32_t instance, uint32_t id, enum cb_outcome outcome, uint64_t latency)
{
    append(l, (struct step){.op = STEP_RECORD, .instance = instance, .call = {id, (uint32_t)outcome, latency}});
}

bool list_call(struct list *l, enum cb_outcome outcome, uint64_t latency)
{
    bool allowed;
    const uint32_t id = list_allow(l, 0, &allowed);
    if (allowed)
        list_record(l, 0, id, outcome, latency);
    return allowed;
}

void list_failed(struct list *l, uint32_t instance, uint32_t tries, uint64_t left, double u)
{
    append(l, (struct step){.op = STEP_FAILED,
                            .instance = instance,
                            .failed = {.now = l->now, .deadline = l->now + left, .tries = tries, .u = u}});
}

void list_succeeded(struct list *l, uint32_t instance)
{
    append(l, (struct step){.op = STEP_SUCCEEDED, .instance = instance});
}

/* ---- random calls ---- */

struct flight {
    uint32_t id, instance;
};

static enum cb_outcome some_outcome(struct rng *r, bool spell)
{
    const uint32_t luck = rng_below(r, 16);
    if (luck == 0)
        return CB_IGNORED;
    return luck < (spell ? 12 : 2) ? (luck % 2 ? CB_ERROR : CB_TIMEOUT) : CB_SUCCESS;
}

/* To the last moment at which it is still so, or to the first at which it isn't. */
static void to_the_edge(struct list *l, struct rng *r, uint32_t instance)
{
    const struct model *m = l->model[instance];
    const struct cb_breaker_config *b = &l->config.breaker[instance];
    if (!m || model_state(m) == CB_CLOSED)
        return;
    const uint64_t edge = model_since(m) + (model_state(m) == CB_OPEN ? b->open_ns : b->probes_ns) - rng_below(r, 2);
    l->now = edge > l->now ? edge : l->now;
}

void list_random(struct list *l, struct rng *r, uint32_t steps, uint64_t step_ns)
{
    struct flight flying[64];
    uint32_t n = 0;
    bool spell = false;
    for (uint32_t i = 0; i < steps; i++) {
        const uint32_t instance = rng_below(r, l->config.instances);
        spell = rng_below(r, 40) == 0 ? !spell : spell;
        l->now += rng_below(r, 4) ? rng_next(r) % (step_ns + 1) : 0;
        if (rng_below(r, 30) == 0)
            to_the_edge(l, r, instance);
        if (n == 64 || (n > 0 && rng_below(r, 2))) {
            const uint32_t which = rng_below(r, n);
            const uint64_t slow = l->config.breaker[0].slow_ns, few = rng_below(r, spell ? 3 : 12);
            list_record(l, flying[which].instance, flying[which].id, some_outcome(r, spell),
                        few == 0 ? slow + rng_below(r, 2) : slow - 1 - rng_below(r, 2));
            flying[which] = flying[--n];
        } else {
            bool allowed;
            const uint32_t id = list_allow(l, instance, &allowed);
            if (allowed && rng_below(r, 25)) /* or it is never heard of again */
                flying[n++] = (struct flight){id, instance};
        }
    }
}

/* ---- one run, compared with the model ---- */

void *steps_block(const struct steps_config *config, const struct step *step, uint32_t n, uint32_t late, size_t *size)
{
    const struct adapter_header header = {ADAPTER_STEPS, 0};
    *size = sizeof header + STEPS_SIZE(n);
    unsigned char *block = xcalloc(1, *size);
    struct steps *s = (struct steps *)(block + sizeof header);
    memcpy(block, &header, sizeof header);
    *s = (struct steps){.config = *config, .count = n, .late = late};
    memcpy(s->step, step, n * sizeof *step);
    return block;
}

const struct steps *steps_of(const void *block)
{
    return (const struct steps *)((const unsigned char *)block + sizeof(struct adapter_header));
}

struct checked {
    const struct list *list;
    const char *entry;
};

struct judged {
    const struct list *list;
    struct model *model[STEPS_INSTANCES];
    FILE *why, *print;
    uint32_t lines;
};

static bool visit(void *context, uint32_t index, const struct step *step, const uint64_t *record)
{
    struct judged *j = context;
    struct model **m = &j->model[step->instance];
    (void)index;
    if (!*m)
        *m = new_model(j->list, step->instance);
    const char *wrong = model_enter(*m, step, record);
    if (wrong)
        fputs(wrong, j->why);
    return !wrong;
}

static bool print_step(void *context, uint32_t index, const struct step *step, const uint64_t *record)
{
    struct judged *j = context;
    if (check_list_shows(j->print, index, j->lines))
        step_print(j->print, index + 1, step, record);
    return index + 1 < j->lines;
}

static int64_t replay(const struct checked *c, const void *steps, uint32_t n, const struct host_outcome *o,
                      steps_visit *what, struct judged *j)
{
    size_t size;
    void *block = steps_block(&c->list->config, steps, n, 0, &size);
    j->list = c->list;
    const int64_t fine = steps_replay(steps_of(block), o->records, o->count, what, j);
    for (uint32_t i = 0; i < STEPS_INSTANCES; i++)
        model_destroy(j->model[i]);
    free(block);
    if (fine < 0)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return fine;
}

/* Bytes that can be written, libraries and all, which take pages whatever their size. */
static uint64_t small_memory(void)
{
    return (7u << 18) + 64 * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint32_t wrong_step(const void *context, const void *steps, uint32_t n, struct host_outcome *o, FILE *why)
{
    const struct checked *c = context;
    struct judged j = {.why = why};
    size_t size;
    void *block = steps_block(&c->list->config, steps, n, 0, &size);
    check_host_request((struct host_request){.entry = c->entry,
                                             .scenario = block,
                                             .scenario_size = size,
                                             .record_size = sizeof(uint64_t),
                                             .records = steps_records(steps, n),
                                             .data_bytes = c->list->config.rounds > 1 ? small_memory() : 0},
                       o);
    free(block);
    if (o->verdict != VERDICT_FINISHED)
        return n;
    return (uint32_t)replay(c, steps, n, o, visit, &j);
}

static void print(const void *context, const void *steps, uint32_t last, const struct host_outcome *o, FILE *out)
{
    struct judged j = {.print = out, .lines = last + 1};
    replay(context, steps, last + 1, o, print_step, &j);
}

static void about_breaker(FILE *out, const struct list *l)
{
    const struct cb_breaker_config *b = &l->config.breaker[0];
    if (l->rule == RULE_COUNT) {
        fprintf(out, "a window of %u calls", b->window_calls);
    } else {
        fprintf(out, "a window of %u slices of ", b->slices);
        ns_print(out, b->window_ns / b->slices);
    }
    fprintf(out, ", at least %u, failures %u %%, slow %u %% from ", b->least_calls, b->failure_percent,
            b->slow_percent);
    ns_print(out, b->slow_ns);
    fputs(", open for ", out);
    ns_print(out, b->open_ns);
    fprintf(out, ", %u probes for ", b->probes);
    ns_print(out, b->probes_ns);
}

static void about_retry(FILE *out, const struct list *l)
{
    const struct cb_retry_config *r = &l->config.retry[0];
    fprintf(out, "%u tries, from ", r->most_tries);
    ns_print(out, r->base_ns);
    fputs(" to ", out);
    ns_print(out, r->cap_ns);
    fprintf(out, ", a budget of %u retries and %u %%", r->budget_most, r->budget_percent);
}

void list_check(const char *entry, struct list *l, const char *lesson)
{
    const struct checked checked = {l, entry};
    char *about = NULL;
    size_t size;
    FILE *out = open_memstream(&about, &size);
    if (!out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    fprintf(out, "%s (", entry);
    if (l->rule == RULE_RETRY)
        about_retry(out, l);
    else
        about_breaker(out, l);
    fputs(")", out);
    fclose(out);
    check_list(&(struct check_list){about, lesson, sizeof *l->step, &checked, wrong_step, print}, l->step, l->n);
    free(about);
    list_free(l);
}

#define ROUNDS 30000u

void list_check_ends(const char *entry, struct list *l)
{
    l->config.rounds = ROUNDS;
    list_check(entry, l, "They come and go: destroy gives back all that create and the others took.");
}
