/* callers.c: callers that want values, and computations that take time: a simulation by events. */
#include "callers.h"

#include "host/log.h"
#include "sim/event_queue.h"
#include "sim/ns.h"

#include <errno.h>
#include <stdlib.h>

#define NOBODY UINT32_MAX

enum event_kind { ARRIVES, RETURNS, GIVES_UP_WAITING };

struct waiting {
    uint64_t until;
    uint32_t before, behind; /* in its key's list */
    uint32_t asked;          /* how often */
    bool waits;
};

struct begun {
    uint64_t asked;
    uint32_t caller;
};

struct run {
    const struct callers *scenario;
    const struct work *work;
    const struct callers_policy *policy;
    struct event_queue *queue;
    struct waiting *waiting; /* [callers] */
    struct begun *begun;     /* [callers]: each caller computes once at most */
    struct {
        uint32_t first, last;
    } * list; /* [keys]: who waits for it */
    uint32_t computations;
    uint64_t asks;
    bool stopped;
};

uint64_t callers_key(uint32_t i)
{
    uint64_t state = i;
    switch (i % 4) {
    case 2:
        return (uint64_t)i << 32 | 5;
    case 3:
        return (uint64_t)i << 48 | 5;
    default:
        return i == 0 ? 0 : i == 1 ? UINT64_MAX : rng_splitmix64(&state);
    }
}

/* Uniform in (0, 1], by the seed, the caller, and how often it asked: nothing that one caller does shifts another. */
static double draw(const struct run *r, uint32_t caller, uint32_t asked, uint32_t purpose)
{
    uint64_t state = r->scenario->seed ^ ((uint64_t)caller << 32 | (uint64_t)asked << 1 | purpose);
    rng_splitmix64(&state);
    return (double)(int64_t)((rng_splitmix64(&state) >> 11) + 1) * 0x1p-53;
}

static void push(struct run *r, uint64_t at, uint32_t index, enum event_kind kind)
{
    if (event_queue_push(r->queue, at, index * 4 + kind) != 0)
        r->stopped = true;
}

/* ---- waiting ---- */

static void begin_waiting(struct run *r, uint32_t caller, uint64_t until)
{
    const uint32_t key = r->scenario->caller[caller].key, last = r->list[key].last;
    struct waiting *w = &r->waiting[caller];
    w->waits = true;
    w->until = until;
    w->before = last;
    w->behind = NOBODY;
    *(last == NOBODY ? &r->list[key].first : &r->waiting[last].behind) = caller;
    r->list[key].last = caller;
    push(r, until, caller, GIVES_UP_WAITING);
}

static void end_waiting(struct run *r, uint32_t caller)
{
    const uint32_t key = r->scenario->caller[caller].key;
    struct waiting *w = &r->waiting[caller];
    w->waits = false;
    *(w->before == NOBODY ? &r->list[key].first : &r->waiting[w->before].behind) = w->behind;
    *(w->behind == NOBODY ? &r->list[key].last : &r->waiting[w->behind].before) = w->before;
}

/* ---- what happens ---- */

static void begin_computing(struct run *r, uint32_t caller, uint64_t now)
{
    const uint32_t last = r->scenario->works - 1, i = r->computations++;
    const struct work *w = &r->work[i < last ? i : last];
    r->begun[i] = (struct begun){now, caller};
    if (!w->hangs)
        push(r, now + w->takes, i, RETURNS);
}

static void ask(struct run *r, uint32_t caller, uint64_t now)
{
    struct waiting *w = &r->waiting[caller];
    struct question q = {caller, r->scenario->caller[caller].key, now, draw(r, caller, w->asked, 0), w->asked > 0};
    struct cm_decision d = {CM_SERVE, 0};
    if (r->asks == r->scenario->asks || !r->policy->ask(r->policy->context, &q, &d)) {
        r->stopped = true;
        return;
    }
    r->asks++;
    w->asked++;
    if (d.action == CM_COMPUTE || d.action == CM_SERVE_COMPUTE)
        begin_computing(r, caller, now);
    else if (d.action == CM_WAIT && d.until > now)
        begin_waiting(r, caller, d.until);
}

/* Those who wait now ask again; who begins to wait meanwhile does so behind them, for another computation. */
static void returns(struct run *r, uint32_t i, uint64_t now)
{
    const struct begun *b = &r->begun[i];
    const uint32_t last_work = r->scenario->works - 1, key = r->scenario->caller[b->caller].key;
    const enum cm_result result = (enum cm_result)r->work[i < last_work ? i : last_work].result;
    const struct computation c = {b->caller, key, b->asked, now, result, draw(r, b->caller, 0, 1)};
    if (r->policy->done)
        r->policy->done(r->policy->context, &c);
    const uint32_t last = r->list[key].last;
    for (bool more = last != NOBODY; more && !r->stopped;) {
        const uint32_t first = r->list[key].first;
        more = first != last;
        end_waiting(r, first);
        ask(r, first, now);
    }
}

static void happens(struct run *r, const struct event *e)
{
    const uint32_t index = (uint32_t)(e->data / 4);
    switch (e->data % 4) {
    case ARRIVES:
        ask(r, index, e->time);
        if (index + 1 < r->scenario->callers)
            push(r, r->scenario->caller[index + 1].at, index + 1, ARRIVES);
        break;
    case RETURNS:
        returns(r, index, e->time);
        break;
    default:
        if (!r->waiting[index].waits || r->waiting[index].until != e->time)
            return; /* it asked meanwhile */
        end_waiting(r, index);
        ask(r, index, e->time);
    }
}

/* Times stay below 2^62, so that nothing that is added to one wraps round. */
static bool is_valid(const struct callers *s, const struct work *work)
{
    bool good = s->callers >= 1 && s->callers <= CALLERS_MOST && s->keys >= 1 && s->keys <= CALLERS_MOST_KEYS &&
                s->works >= 1 && s->works <= CALLERS_MOST;
    for (uint32_t i = 0; good && i < s->callers; i++)
        good = s->caller[i].key < s->keys && s->caller[i].at < UINT64_C(1) << 62 &&
               (i == 0 || s->caller[i - 1].at <= s->caller[i].at);
    for (uint32_t i = 0; good && i < s->works; i++)
        good = work[i].result <= CM_FAILED && work[i].takes < UINT64_C(1) << 62;
    return good;
}

int callers_simulate(const struct callers *s, const struct callers_policy *policy)
{
    const struct work *work = (const struct work *)(s->caller + s->callers);
    if (!is_valid(s, work))
        return -EINVAL;
    struct run r = {.scenario = s, .work = work, .policy = policy};
    struct event e;
    int code = event_queue_create(1024, &r.queue);
    r.waiting = calloc(s->callers, sizeof *r.waiting);
    r.begun = calloc(s->callers, sizeof *r.begun);
    r.list = calloc(s->keys, sizeof *r.list);
    if (code == 0 && r.waiting && r.begun && r.list) {
        for (uint32_t i = 0; i < s->keys; i++)
            r.list[i].first = r.list[i].last = NOBODY;
        push(&r, s->caller[0].at, 0, ARRIVES);
        while (!r.stopped && event_queue_pop(r.queue, &e))
            happens(&r, &e);
    } else {
        code = -ENOMEM;
    }
    event_queue_destroy(r.queue);
    free(r.waiting);
    free(r.begun);
    free(r.list);
    return code;
}

/* ---- in the host ---- */

struct hosted {
    const struct cm_recompute_ops *ops;
    void *state;
    struct decision_log *log;
};

static bool hosted_ask(void *context, const struct question *q, struct cm_decision *d)
{
    struct hosted *h = context;
    *d = h->ops->ask(h->state, callers_key(q->key), q->now, q->u);
    const struct ask_record record = {d->until, (uint32_t)d->action, 0};
    if (h->log)
        log_append(h->log, &record);
    return true;
}

static void hosted_done(void *context, const struct computation *c)
{
    struct hosted *h = context;
    h->ops->done(h->state, callers_key(c->key), c->asked, c->now, c->result, c->u);
}

static int run_round(const struct callers *s, const struct cm_recompute_ops *ops, struct decision_log *log)
{
    struct hosted h = {.ops = ops, .log = log};
    int code = ops->create(&s->config, &h.state);
    if (code)
        return code;
    code = callers_simulate(s, &(struct callers_policy){&h, hosted_ask, hosted_done});
    ops->destroy(h.state);
    return code;
}

int callers_run(const struct callers *s, const struct cm_recompute_ops *ops, struct decision_log *log)
{
    int code = 0;
    for (uint32_t round = 1; code == 0 && round < s->rounds; round++)
        code = run_round(s, ops, NULL);
    return code ? code : run_round(s, ops, log);
}

void question_print(FILE *out, uint32_t number, const struct question *q, const struct cm_decision *d)
{
    static const char *const words[] = {"serve what is there", "compute", "serve what is there, and compute",
                                        "wait until "};
    fprintf(out, "%4u. at ", number);
    ns_print(out, q->now);
    fprintf(out, " caller %u wants key %u%s: %s", q->caller, q->key, q->again ? " again" : "",
            d->action <= CM_WAIT ? words[d->action] : "no action that there is");
    if (d->action == CM_WAIT)
        ns_print(out, d->until);
    fputc('\n', out);
}
