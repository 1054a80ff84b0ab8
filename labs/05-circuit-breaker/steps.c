/* steps.c: a list of steps for a breaker or for retries, carried out by the host and replayed by the judge. */
#include "steps.h"

#include "host/log.h"
#include "sim/ns.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t records_of(const struct step *s)
{
    return s->op == STEP_ALLOW || s->op == STEP_FAILED;
}

uint64_t steps_records(const struct step *step, uint32_t n)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++)
        all += records_of(&step[i]);
    return all;
}

static bool is_valid(const struct step *s, uint32_t instances)
{
    const bool call = s->op == STEP_ALLOW || s->op == STEP_RECORD;
    return s->op <= STEP_COUNT && s->instance < instances && (!call || s->call.id < STEPS_MOST) &&
           (s->op != STEP_RECORD || s->call.outcome <= CB_IGNORED);
}

/* ---- carrying them out ---- */

struct going {
    uint64_t ticket;
    bool now; /* allowed, and not ended */
};

struct hosted {
    const struct cb_ops *ops;
    void *instance[STEPS_INSTANCES];
    struct going *going; /* by id */
    struct decision_log *log;
};

static void note(const struct hosted *h, uint64_t record)
{
    if (h->log)
        log_append(h->log, &record);
}

static void carry_out(struct hosted *h, const struct step *s)
{
    void *it = h->instance[s->instance];
    struct going *g = &h->going[s->op <= STEP_RECORD ? s->call.id : 0];
    uint64_t delay = 0;
    switch (s->op) {
    case STEP_ALLOW: {
        const struct cb_permit permit = h->ops->breaker->allow(it, s->at);
        *g = (struct going){permit.ticket, permit.allowed};
        note(h, permit.allowed);
        break;
    }
    case STEP_RECORD:
        if (g->now)
            h->ops->breaker->record(it, g->ticket, s->at, (enum cb_outcome)s->call.outcome, s->call.latency);
        g->now = false;
        break;
    case STEP_FAILED: {
        const bool again = h->ops->retry->retry(it, &s->failed, &delay);
        note(h, again ? delay : STEPS_GIVE_UP);
        break;
    }
    case STEP_SUCCEEDED:
        if (h->ops->retry->succeeded)
            h->ops->retry->succeeded(it, s->at);
        break;
    default:
        log_count_from_here();
    }
}

static int create(const struct hosted *h, const struct steps_config *c, uint32_t i, void **out)
{
    return h->ops->breaker ? h->ops->breaker->create(&c->breaker[i], out) : h->ops->retry->create(&c->retry[i], out);
}

/* How many calls there are room for. What is late is all zeros until counting begins, so ids of those are below the
 * others' number, or a counted list says so by its first steps. */
static uint32_t most_id(const struct steps *s)
{
    uint32_t most = s->late;
    for (uint32_t i = 0; i < s->count; i++)
        if (s->step[i].op <= STEP_RECORD && s->step[i].call.id < STEPS_MOST && s->step[i].call.id >= most)
            most = s->step[i].call.id;
    return most;
}

static int run_round(const struct steps *s, const struct cb_ops *ops, struct decision_log *log)
{
    struct hosted h = {.ops = ops, .log = log};
    const uint32_t ids = most_id(s) + 1 + s->count;
    uint32_t made = 0;
    int code = 0;
    h.going = calloc(ids, sizeof *h.going);
    if (!h.going)
        return -ENOMEM;
    while (code == 0 && made < s->config.instances) {
        code = create(&h, &s->config, made, &h.instance[made]);
        made += code == 0;
    }
    for (uint32_t i = 0; i < s->count && code == 0; i++) {
        if (!is_valid(&s->step[i], s->config.instances) || (s->step[i].op <= STEP_RECORD && s->step[i].call.id >= ids))
            return -EINVAL; /* of our own making: it goes with the process */
        carry_out(&h, &s->step[i]);
    }
    for (uint32_t i = 0; i < made && !s->late; i++) /* or ending would be counted too */
        (ops->breaker ? ops->breaker->destroy : ops->retry->destroy)(h.instance[i]);
    free(h.going);
    return code;
}

int steps_run(const struct steps *s, const struct cb_ops *ops, struct decision_log *log)
{
    int code = s->config.instances < 1 || s->config.instances > STEPS_INSTANCES || s->late > s->count ? -EINVAL : 0;
    for (uint32_t round = 1; code == 0 && round < s->config.rounds; round++)
        code = run_round(s, ops, NULL);
    return code ? code : run_round(s, ops, log);
}

/* ---- the judge's side ---- */

int64_t steps_replay(const struct steps *s, const uint64_t *record, uint64_t records, steps_visit *visit, void *context)
{
    const uint32_t ids = most_id(s) + 1;
    bool *goes = calloc(ids, sizeof *goes);
    uint64_t at = 0;
    uint32_t i = 0;
    if (!goes)
        return -ENOMEM;
    for (; i < s->count; i++) {
        const struct step *step = &s->step[i];
        const uint64_t *own = records_of(step) && at < records ? &record[at] : NULL;
        at += records_of(step);
        if (step->op == STEP_COUNT || (step->op == STEP_RECORD && !goes[step->call.id]))
            continue;
        if (step->op <= STEP_RECORD)
            goes[step->call.id] = step->op == STEP_ALLOW && own && *own == 1;
        if (!visit(context, i, step, own))
            break;
    }
    free(goes);
    return i;
}

static void print_call(FILE *out, const struct step *s, const uint64_t *record)
{
    static const char *const outcome[] = {"a success", "an error", "a time-out", "something to ignore"};
    if (s->op == STEP_ALLOW) {
        fprintf(out, "call %u asks: %s", s->call.id,
                !record        ? "no answer"
                : *record == 1 ? "may go"
                : *record == 0 ? "refused"
                               : "an answer that is none");
        return;
    }
    fprintf(out, "call %u ends with %s after ", s->call.id, outcome[s->call.outcome]);
    ns_print(out, s->call.latency);
}

static void print_failed(FILE *out, const struct step *s, const uint64_t *record)
{
    fprintf(out, "try %u failed, the caller waits until ", s->failed.tries);
    ns_print(out, s->failed.deadline);
    fprintf(out, ", u = %.6f: ", s->failed.u);
    if (!record) {
        fputs("no answer", out);
    } else if (*record == STEPS_GIVE_UP) {
        fputs("gives up", out);
    } else {
        fputs("again after ", out);
        ns_print(out, *record);
    }
}

void step_print(FILE *out, uint32_t number, const struct step *s, const uint64_t *record)
{
    fprintf(out, "%4u. at ", number);
    ns_print(out, s->at);
    fputc(' ', out);
    if (s->instance > 0)
        fprintf(out, "(number %u) ", s->instance);
    if (s->op <= STEP_RECORD)
        print_call(out, s, record);
    else if (s->op == STEP_FAILED)
        print_failed(out, s, record);
    else
        fputs(s->op == STEP_SUCCEEDED ? "a request succeeds" : "from here on it is counted", out);
    fputc('\n', out);
}
