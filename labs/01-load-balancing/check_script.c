/* check_script.c: what the tests of lab 01 are written with. */
#include "check_script.h"

#include "base/error.h"
#include "sim/real.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings ------------------------------------------------------------------------------------------------------
 */

struct lb_config config_for(uint32_t backends)
{
    struct lb_config c = {.max_backends = backends,
                          .ewma_decay_ns = 10 * S,
                          .eject_after = 3,
                          .eject_max_percent = 50,
                          .eject_for_ns = 1 * S};
    rng_seed(&c.random, check_seed(), 7);
    return c;
}

struct steps *new_steps(void)
{
    struct steps *s = calloc(1, sizeof *s);
    if (!s)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return s;
}

struct rng random_of_test(uint64_t stream)
{
    struct rng r;
    rng_seed(&r, check_seed(), 1000 + stream);
    return r;
}

uint32_t between(struct rng *r, uint32_t low, uint32_t high)
{
    return low + rng_below(r, high - low + 1);
}

/* ---- the model ---- */

static void changed(struct model *m)
{
    m->since = m->total = m->members = 0;
    m->changes++;
    for (uint32_t i = 0; i < MODEL_BACKENDS; i++) {
        m->count[i] = 0;
        if (m->member[i] && m->weight[i]) {
            m->members++;
            m->total += m->weight[i];
        }
    }
}

static void model_member(struct model *m, uint32_t backend, bool member, uint32_t weight)
{
    m->member[backend] = member;
    m->weight[backend] = member ? weight : 0;
    if (!member)
        m->cost[backend] = 0;
    m->failures[backend] = m->ejections[backend] = 0;
    if (m->back_at[backend])
        m->out--;
    m->back_at[backend] = 0;
    m->seen[backend] = m->picks;
    changed(m);
}

static void model_fail(struct model *m, uint32_t b)
{
    uint32_t all = 0;
    for (uint32_t i = 0; i < MODEL_BACKENDS; i++)
        all += m->member[i];
    if (m->back_at[b] || !m->member[b] || ++m->failures[b] < m->config->eject_after)
        return;
    m->failures[b] = 0;
    uint32_t allowed = all * m->config->eject_max_percent / 100;
    if (m->out >= (allowed ? allowed : 1) || m->out + 1 >= all)
        return;
    m->out++;
    m->back_at[b] = m->now + ++m->ejections[b] * m->config->eject_for_ns;
}

static void model_done(struct model *m, uint32_t b, enum lb_outcome outcome, uint64_t latency)
{
    m->in_flight[b]--;
    if (outcome != LB_OK) {
        model_fail(m, b);
    } else {
        m->failures[b] = 0;
        if (!m->back_at[b])
            m->ejections[b] = 0;
    }
    if (!m->member[b])
        return;
    double sample = latency ? (double)latency : 1;
    double w =
        m->config->ewma_decay_ns ? real_exp(-(double)(m->now - m->measured[b]) / (double)m->config->ewma_decay_ns) : 0;
    m->cost[b] = sample > m->cost[b] ? sample : m->cost[b] * w + sample * (1 - w);
    m->measured[b] = m->now;
}

static void model_time(struct model *m, uint64_t now, bool pick)
{
    m->now = now;
    for (uint32_t i = 0; pick && i < MODEL_BACKENDS; i++)
        if (m->back_at[i] && m->back_at[i] <= now) {
            m->back_at[i] = 0;
            m->failures[i] = 0;
            m->seen[i] = m->picks;
            m->out--;
        }
}

static void model_step(struct model *m, const struct script_step *s, uint32_t backend)
{
    uint64_t latency;
    switch (s->op) {
    case SCRIPT_ADD:
        model_member(m, backend, true, s->value);
        break;
    case SCRIPT_WEIGHT:
        m->weight[backend] = s->value;
        m->seen[backend] = m->picks;
        changed(m);
        break;
    case SCRIPT_REMOVE:
        model_member(m, backend, false, 0);
        break;
    case SCRIPT_PICK:
        m->picks++;
        m->since++;
        if (backend < MODEL_BACKENDS) {
            m->count[backend]++;
            m->in_flight[backend] += m->member[backend];
            m->seen[backend] = m->picks;
        }
        break;
    default: {
        enum lb_outcome outcome = script_answer(s, backend, &latency);
        model_done(m, backend, outcome, latency);
    }
    }
}

/* What every pick of every entry must be. */
static bool picks_a_member(const struct model *m, uint32_t backend, char *why, size_t size)
{
    if (m->members == 0 && backend == LB_NONE)
        return true;
    if (backend == LB_NONE)
        snprintf(why, size, "expected: %s with a weight above 0; actual: pick returned LB_NONE",
                 m->members == 1 ? "the one backend" : "one of the backends");
    else if (backend >= m->config->max_backends)
        snprintf(why, size, "expected: a backend below %u; actual: pick returned %u", m->config->max_backends, backend);
    else if (!m->member[backend])
        snprintf(why, size, "expected: a member; actual: backend %u, which has %s", backend, "left, or never joined");
    else if (m->weight[backend] == 0)
        snprintf(why, size, "expected: a backend with a weight above 0; actual: backend %u, whose weight is 0",
                 backend);
    else
        return true;
    return false;
}

/* ---- steps
 * -----------------------------------------------------------------------------------------------------------------------
 */

static struct script_step *next_step(struct steps *s, enum script_op op)
{
    if (s->n == sizeof s->step / sizeof *s->step)
        check_fail(VERDICT_GRADER_FAULT, "a script of more than %u steps", s->n);
    s->step[s->n] = (struct script_step){.at = s->now, .op = op};
    return &s->step[s->n++];
}

void steps_add(struct steps *s, uint32_t backend, uint32_t weight)
{
    struct script_step *step = next_step(s, SCRIPT_ADD);
    step->backend = backend, step->value = weight;
}

void steps_remove(struct steps *s, uint32_t backend)
{
    next_step(s, SCRIPT_REMOVE)->backend = backend;
}

void steps_weight(struct steps *s, uint32_t backend, uint32_t weight)
{
    struct script_step *step = next_step(s, SCRIPT_WEIGHT);
    step->backend = backend, step->value = weight;
}

uint32_t steps_pick(struct steps *s)
{
    next_step(s, SCRIPT_PICK)->id = s->ids;
    return s->ids++;
}

void steps_done(struct steps *s, uint32_t id, enum lb_outcome outcome, uint64_t latency)
{
    struct script_step *step = next_step(s, SCRIPT_DONE);
    step->id = id, step->value = outcome, step->latency = latency;
}

void steps_answer(struct steps *s, uint32_t id, uint32_t bad, uint64_t latency, bool slower_by_number)
{
    struct script_step *step = next_step(s, SCRIPT_ANSWER);
    step->id = id, step->backend = bad, step->latency = latency, step->value = slower_by_number;
}

void steps_count(struct steps *s)
{
    next_step(s, SCRIPT_COUNT);
}

/* ---- one run
 * ------------------------------------------------------------------------------------------------------------------------
 */

struct trial {
    const char *entry;
    const struct lb_config *config;
    property *holds;
    struct host_outcome outcome;
    struct model model;
    char why[600];
    uint32_t shown, total; /* while printing */
    uint64_t picks;
    bool unanswered; /* it did not come to its end: the first pick that is not in the log is where */
    FILE *out;
};

void *script_block(const struct lb_config *config, const struct script_step *steps, uint32_t n, struct script **script,
                   size_t *size)
{
    *size = sizeof(struct adapter_header) + SCRIPT_SIZE(n);
    struct adapter_header *block = calloc(1, *size);
    if (!block)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    block->kind = ADAPTER_SCRIPT;
    *script = (struct script *)(block + 1);
    (*script)->config = *config;
    (*script)->steps = n;
    memcpy((*script)->step, steps, n * sizeof *steps);
    return block;
}

uint32_t count_picks(const struct script_step *steps, uint32_t n)
{
    uint32_t picks = 0;
    for (uint32_t i = 0; i < n; i++)
        picks += steps[i].op == SCRIPT_PICK;
    return picks;
}

static bool visit(void *context, uint32_t index, const struct script_step *step, uint32_t backend)
{
    struct trial *t = context;
    (void)index;
    model_time(&t->model, step->at, step->op == SCRIPT_PICK);
    if (step->op == SCRIPT_PICK && !picks_a_member(&t->model, backend, t->why, sizeof t->why))
        return false;
    if (!t->holds(&t->model, step, backend, t->why, sizeof t->why))
        return false;
    model_step(&t->model, step, backend);
    return true;
}

/* Is there a step that breaks the property? Its index, or n. A run that does not finish breaks it too: at its end. */
static uint32_t broken_step(struct trial *t, const struct script_step *steps, uint32_t n)
{
    size_t size;
    struct script *script;
    void *block = script_block(t->config, steps, n, &script, &size);
    host_outcome_free(&t->outcome);
    check_host_try(t->entry, block, size, sizeof(uint32_t), count_picks(steps, n), &t->outcome);
    if (t->outcome.verdict == VERDICT_GRADER_FAULT)
        check_fail(VERDICT_GRADER_FAULT, "%s", t->outcome.sentence);
    uint32_t broken = n;
    if (t->outcome.verdict == VERDICT_FINISHED) {
        t->model = (struct model){.config = t->config};
        t->why[0] = '\0';
        int64_t fine = script_replay(script, t->outcome.records, t->outcome.count, visit, t);
        if (fine < 0)
            check_fail(VERDICT_GRADER_FAULT, "the script is not valid (%lld)", (long long)fine);
        broken = (uint32_t)fine;
    }
    free(block);
    return broken;
}

static bool fails(const void *items, uint32_t n, void *context)
{
    struct trial *t = context;
    return broken_step(t, items, n) < n || t->outcome.verdict != VERDICT_FINISHED;
}

/* ---- telling
 * --------------------------------------------------------------------------------------------------------------------------
 */

#define SHOW_FIRST 14u
#define SHOW_LAST  14u

static bool print_step(void *context, uint32_t index, const struct script_step *step, uint32_t backend)
{
    struct trial *t = context;
    (void)index;
    t->shown++;
    if (t->unanswered && step->op == SCRIPT_PICK && t->picks++ == t->outcome.count) {
        fprintf(t->out, "%3u. pick, which gives no answer: it ended here, or in a step since the pick before\n",
                t->shown);
        return false;
    }
    if (t->shown <= SHOW_FIRST || t->shown + SHOW_LAST > t->total)
        script_print_step(t->out, t->shown, step, backend);
    else if (t->shown == SHOW_FIRST + 1)
        fprintf(t->out, "     ... %u steps more ...\n", t->total - SHOW_FIRST - SHOW_LAST);
    return true;
}

static bool count_step(void *context, uint32_t index, const struct script_step *step, uint32_t backend)
{
    struct trial *t = context;
    (void)index, (void)backend;
    t->total++;
    return !(t->unanswered && step->op == SCRIPT_PICK && t->picks++ == t->outcome.count);
}

static _Noreturn void tell(struct trial *t, const struct script_step *steps, uint32_t n, bool shrunk)
{
    uint32_t broken = broken_step(t, steps, n);
    char *text = NULL;
    size_t size, bytes;
    bool finished = t->outcome.verdict == VERDICT_FINISHED;
    struct script *script;
    script_block(t->config, steps, finished && broken < n ? broken + 1 : n, &script,
                 &bytes); /* the process ends here */
    t->out = open_memstream(&text, &size);
    if (!t->out)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    fprintf(t->out, "%s\nThe %s that shows it, on %s:\n", finished ? t->why : t->outcome.sentence,
            shrunk ? "smallest run found" : "run", t->entry);
    t->unanswered = !finished;
    script_replay(script, t->outcome.records, t->outcome.count, count_step, t);
    t->picks = 0;
    script_replay(script, t->outcome.records, t->outcome.count, print_step, t);
    fputs("     ^ here", t->out);
    if (t->outcome.output[0])
        fprintf(t->out, "\nIt printed: %.1000s", t->outcome.output);
    fclose(t->out);
    check_fail(finished ? VERDICT_WRONG : t->outcome.verdict, "%s", text);
}

void check_property(const char *entry, const struct lb_config *config, struct steps *steps, property *holds)
{
    struct trial t = {.entry = entry, .config = config, .holds = holds};
    uint32_t broken = broken_step(&t, steps->step, steps->n);
    if (t.outcome.verdict == VERDICT_NO_ENTRY)
        check_fail(t.outcome.verdict, "%s", t.outcome.sentence);
    if (broken == steps->n && t.outcome.verdict == VERDICT_FINISHED) {
        host_outcome_free(&t.outcome);
        return;
    }
    /* What comes after the broken step is not needed. A run with secret seeds is not shown, so it need not be small;
     * nor is one worth waiting for that ends by a time limit. */
    uint32_t n = broken < steps->n ? broken + 1 : steps->n;
    bool slow = t.outcome.verdict == VERDICT_CPU_TIME || t.outcome.verdict == VERDICT_WALL_TIME;
    const bool shrink = !check_large() && !slow;
    if (shrink)
        n = check_shrink(steps->step, n, sizeof *steps->step, 60, fails, &t);
    tell(&t, steps->step, n, shrink);
}

uint32_t *check_picks(const char *entry, const struct lb_config *config, const struct steps *steps, uint32_t *count)
{
    size_t size;
    struct script *script;
    void *block = script_block(config, steps->step, steps->n, &script, &size);
    struct host_outcome outcome;
    *count = count_picks(steps->step, steps->n);
    check_host(entry, block, size, sizeof(uint32_t), *count, &outcome);
    free(block);
    return outcome.records; /* the caller's */
}

/* ---- fleets
 * ---------------------------------------------------------------------------------------------------------------------------
 */

struct watch {
    struct fleet_policy replay;
    void (*pick)(void *, uint32_t, uint64_t);
    void (*done)(void *, uint32_t, enum lb_outcome, uint64_t, uint64_t);
    void *context;
};

static uint32_t watch_pick(void *context, uint32_t balancer, uint64_t now)
{
    struct watch *w = context;
    uint32_t server = w->replay.pick(w->replay.context, balancer, now);
    if (w->pick)
        w->pick(w->context, server, now);
    return server;
}

static void watch_done(void *context, uint32_t balancer, uint32_t server, enum lb_outcome outcome, uint64_t latency,
                       uint64_t now)
{
    struct watch *w = context;
    (void)balancer;
    if (w->done)
        w->done(w->context, server, outcome, latency, now);
}

void check_fleet(const char *entry, const struct fleet_scenario *scenario, struct fleet_result *result,
                 void (*pick)(void *, uint32_t, uint64_t),
                 void (*done)(void *, uint32_t, enum lb_outcome, uint64_t, uint64_t), void *context)
{
    size_t size = sizeof(struct adapter_header) + FLEET_PACKED(scenario);
    char *bytes = calloc(1, size);
    if (!bytes)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    memcpy(bytes, &(struct adapter_header){.kind = ADAPTER_FLEET}, sizeof(struct adapter_header));
    fleet_pack(scenario, bytes + sizeof(struct adapter_header));
    struct host_outcome outcome;
    check_host(entry, bytes, size, sizeof(uint32_t), scenario->requests, &outcome);
    free(bytes);
    struct fleet_replay log = {outcome.records, outcome.count, 0};
    struct watch watch = {fleet_replay_policy(&log), pick, done, context};
    struct fleet_policy policy = {.context = &watch, .pick = watch_pick, .done = watch_done};
    struct error err;
    if (fleet_run(scenario, NULL, &policy, result, &err) != 0)
        check_fail(VERDICT_GRADER_FAULT, "%s", err.text);
    host_outcome_free(&outcome);
}
