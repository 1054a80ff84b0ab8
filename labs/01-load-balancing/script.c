/* script.c: one balancer, step by step.
 *
 * The host calls the entry, the judge reads the log; both walk through the script with the same rules for which steps
 * are carried out, or the judge would accuse an entry of what it was never asked. So the walk is one function, and what
 * differs is what it does on a step.
 */
#include "script.h"

#include "host/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    unsigned char *member; /* [max_backends] */
    uint32_t *sent;        /* [ids]: 1 + the backend of a pick that has not ended, or 0 */
    uint32_t ids;
};

static bool may_be_late(const struct script_step *s)
{
    return s->op == SCRIPT_PICK || s->op == SCRIPT_DONE || s->op == SCRIPT_ANSWER || s->op == SCRIPT_COUNT;
}

/* The largest id of a pick plus 1, or -EINVAL. The host, which may not see the late steps yet, leaves them out and looks
 * at each when it comes; ids have room for them. */
static int64_t check(const struct script *script, bool late_too)
{
    if (script->steps > SCRIPT_MAX_STEPS || !script->config.max_backends ||
        script->config.max_backends > SCRIPT_MAX_BACKENDS || script->late > script->steps)
        return -EINVAL;
    const uint32_t first_late = script->steps - script->late;
    int64_t ids = script->late ? script->steps : 0;
    for (uint32_t i = 0; i < (late_too ? script->steps : first_late); i++) {
        const struct script_step *s = &script->step[i];
        const bool names_backend = s->op <= SCRIPT_WEIGHT, names_pick = !names_backend;
        if ((script->late && i < first_late && (s->op == SCRIPT_COUNT) != (i + 1 == first_late)) ||
            (i >= first_late && (!may_be_late(s) || s->id >= script->steps)))
            return -EINVAL;
        if (s->op > SCRIPT_COUNT || (i && s->at < script->step[i - 1].at) ||
            (names_backend && s->backend >= script->config.max_backends) || (names_pick && s->id >= SCRIPT_MAX_PICKS) ||
            ((s->op == SCRIPT_ADD || s->op == SCRIPT_WEIGHT) && s->value > LB_MAX_WEIGHT) ||
            (s->op == SCRIPT_DONE && s->value > LB_TIMEOUT) || (s->op == SCRIPT_ANSWER && s->value > 1))
            return -EINVAL;
        if (names_pick && s->id >= ids)
            ids = (int64_t)s->id + 1;
    }
    return ids;
}

static void walk_destroy(struct walk *w)
{
    free(w->member);
    free(w->sent);
}

static int walk_create(struct walk *w, const struct script *script, bool late_too)
{
    *w = (struct walk){0};
    const int64_t ids = check(script, late_too);
    if (ids < 0)
        return (int)ids;
    w->ids = (uint32_t)ids;
    w->member = calloc(script->config.max_backends, 1);
    w->sent = calloc((size_t)ids + 1, sizeof *w->sent);
    if (w->member && w->sent)
        return 0;
    walk_destroy(w);
    return -ENOMEM;
}

/* Is the step carried out? *backend: which one it is about; of a pick LB_NONE, as that is not known yet. */
static bool walk_step(struct walk *w, const struct script_step *s, uint32_t *backend)
{
    *backend = s->backend;
    switch (s->op) {
    case SCRIPT_ADD:
        if (w->member[s->backend])
            return false;
        w->member[s->backend] = 1;
        return true;
    case SCRIPT_REMOVE:
        if (!w->member[s->backend])
            return false;
        w->member[s->backend] = 0;
        return true;
    case SCRIPT_WEIGHT:
        return w->member[s->backend];
    case SCRIPT_DONE:
    case SCRIPT_ANSWER:
        if (!w->sent[s->id])
            return false;
        *backend = w->sent[s->id] - 1;
        w->sent[s->id] = 0;
        return true;
    case SCRIPT_COUNT:
        return false;
    default: /* SCRIPT_PICK */
        *backend = LB_NONE;
        return true;
    }
}

static void walk_picked(struct walk *w, const struct script *script, uint32_t id, uint32_t backend)
{
    w->sent[id] = backend < script->config.max_backends && w->member[backend] ? backend + 1 : 0;
}

enum lb_outcome script_answer(const struct script_step *s, uint32_t backend, uint64_t *latency)
{
    *latency = s->latency;
    if (s->op == SCRIPT_DONE)
        return (enum lb_outcome)s->value;
    if (s->value)
        *latency *= (uint64_t)backend + 1;
    return backend == s->backend ? LB_ERROR : LB_OK;
}

static int call(void *balancer, const struct lb_ops *ops, const struct script_step *s, uint32_t backend)
{
    switch (s->op) {
    case SCRIPT_ADD:
        return ops->add(balancer, backend, s->value, s->at);
    case SCRIPT_REMOVE:
        ops->remove(balancer, backend, s->at);
        return 0;
    case SCRIPT_WEIGHT:
        return ops->set_weight(balancer, backend, s->value, s->at);
    default: /* SCRIPT_DONE, SCRIPT_ANSWER */
        if (ops->done) {
            uint64_t latency;
            enum lb_outcome outcome = script_answer(s, backend, &latency);
            ops->done(balancer, backend, outcome, latency, s->at);
        }
        return 0;
    }
}

static int run_steps(const struct script *script, struct walk *w, const struct lb_ops *ops, void *balancer,
                     struct decision_log *log)
{
    const uint32_t first_late = script->steps - script->late;
    int failed = 0;
    for (uint32_t i = 0; i < script->steps && !failed; i++) {
        const struct script_step *s = &script->step[i];
        uint32_t backend;
        if (i >= first_late && (!may_be_late(s) || s->id >= w->ids))
            return -EINVAL;
        if (s->op == SCRIPT_COUNT)
            log_count_from_here();
        if (!walk_step(w, s, &backend))
            continue;
        if (s->op == SCRIPT_PICK) {
            backend = ops->pick(balancer, s->at);
            log_append(log, &backend);
            walk_picked(w, script, s->id, backend);
        } else {
            failed = call(balancer, ops, s, backend);
        }
    }
    return failed;
}

int script_run(const struct script *script, const struct lb_ops *ops, const struct lb_ops *inner,
               struct decision_log *log)
{
    struct walk w;
    struct lb_config config = script->config, inner_config = script->config;
    void *balancer;
    if (ops->wraps != (inner != NULL) || (inner && inner->wraps))
        return -EINVAL;
    rng_jump(&inner_config.random); /* numbers of its own */
    inner_config.inner = NULL;
    inner_config.inner_config = NULL;
    config.inner = inner;
    config.inner_config = inner ? &inner_config : NULL;
    int failed = walk_create(&w, script, false);
    if (failed)
        return failed;
    failed = ops->create(&config, &balancer);
    if (!failed) {
        failed = run_steps(script, &w, ops, balancer, log);
        if (failed || !script->late)
            ops->destroy(balancer);
    }
    walk_destroy(&w);
    return failed > 0 ? -EPROTO : failed; /* the contract knows no number above 0 */
}

int64_t script_replay(const struct script *script, const uint32_t *picks, uint64_t count, script_visit *visit,
                      void *context)
{
    struct walk w;
    const int failed = walk_create(&w, script, true);
    if (failed)
        return failed;
    uint64_t next = 0;
    uint32_t i = 0;
    for (; i < script->steps; i++) {
        const struct script_step *s = &script->step[i];
        uint32_t backend;
        if (!walk_step(&w, s, &backend))
            continue;
        if (s->op == SCRIPT_PICK) {
            backend = next < count ? picks[next] : LB_NONE;
            next++;
            walk_picked(&w, script, s->id, backend);
        }
        if (!visit(context, i, s, backend))
            break;
    }
    walk_destroy(&w);
    return i;
}

/* Milliseconds, all digits that are there and at least one after the point. */
static void print_ms(FILE *out, uint64_t ns)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu64 ".%06" PRIu64, ns / 1000000, ns % 1000000);
    while (text[n - 1] == '0' && text[n - 2] != '.')
        n--;
    fprintf(out, "%.*s ms", n, text);
}

void script_print_step(FILE *out, uint32_t number, const struct script_step *s, uint32_t backend)
{
    static const char *const ends[] = {"ok", "error", "refused", "timeout"};
    uint64_t latency;
    fprintf(out, "%3u. at ", number);
    print_ms(out, s->at);
    switch (s->op) {
    case SCRIPT_ADD:
        fprintf(out, ": add backend %u, weight %u\n", s->backend, s->value);
        break;
    case SCRIPT_REMOVE:
        fprintf(out, ": remove backend %u\n", s->backend);
        break;
    case SCRIPT_WEIGHT:
        fprintf(out, ": set_weight of backend %u to %u\n", s->backend, s->value);
        break;
    case SCRIPT_PICK:
        if (backend == LB_NONE)
            fprintf(out, ": pick gives no backend\n");
        else
            fprintf(out, ": pick gives backend %u\n", backend);
        break;
    default: /* SCRIPT_DONE, SCRIPT_ANSWER */
        fprintf(out, ": done, backend %u: %s after ", backend, ends[script_answer(s, backend, &latency)]);
        print_ms(out, latency);
        fputc('\n', out);
        break;
    }
}
