/* calls.c: a list of calls, carried out by the host and replayed by the judge. */
#include "calls.h"

#include "sim/ns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What became of an allow, by its id. */
enum fate { UNKNOWN, REFUSED, RUNNING, ENDED };

struct request {
    uint64_t key, at;
    uint32_t cost;
    uint8_t fate;
};

static bool is_valid(const struct calls *c)
{
    if (c->count > CALLS_MOST || c->config.nodes == 0 || c->config.threads == 0)
        return false;
    for (uint64_t i = 0; i < c->count; i++) {
        const struct call *call = &c->call[i];
        if (call->id >= CALLS_MOST || call->at >= RL_MAX_TIME ||
            (c->config.threads == 1 && i && call->at < c->call[i - 1].at) || call->kind > CALL_DONE ||
            (call->kind == CALL_ALLOW && (call->cost == 0 || call->node >= c->config.nodes)))
            return false;
    }
    return true;
}

/* A record for each id, or one for all where nothing ends: a long list then costs the host no memory. */
struct requests {
    bool each;
    struct request *request;
};

static struct requests requests_of(const struct calls *c)
{
    uint32_t most = 0;
    bool each = false;
    for (uint64_t i = 0; i < c->count; i++) {
        most = c->call[i].id > most ? c->call[i].id : most;
        each = each || c->call[i].kind == CALL_DONE;
    }
    return (struct requests){each, calloc(each ? (size_t)most + 1 : 1, sizeof(struct request))};
}

static struct request *request_of(const struct requests *all, const struct call *call)
{
    return &all->request[all->each ? call->id : 0];
}

/* Whether a call is carried out at all, given what became of the requests so far. */
static bool applies(const struct call *call, const struct requests *all)
{
    const uint8_t fate = request_of(all, call)->fate;
    return call->kind == CALL_ALLOW ? fate == UNKNOWN || !all->each : fate == RUNNING;
}

int calls_run(const struct calls *c, const struct rl_ops *ops, struct decision_log *log)
{
    void *limiter;
    if (!is_valid(c))
        return -EINVAL;
    struct requests all = requests_of(c);
    int code = all.request ? ops->create(&c->config, &limiter) : -ENOMEM;
    if (code) {
        free(all.request);
        return code;
    }
    for (uint64_t i = 0; i < c->count; i++) {
        const struct call *call = &c->call[i];
        struct request *r = request_of(&all, call);
        if (!applies(call, &all))
            continue;
        if (call->kind == CALL_DONE) {
            r->fate = ENDED;
            if (ops->done)
                ops->done(limiter, r->key, call->at, r->cost, call->at - r->at, (enum rl_outcome)call->cost);
            continue;
        }
        struct rl_answer a = ops->allow(limiter, call->key, call->at, call->cost, call->node);
        struct call_answer record = {a.delay_ns, a.retry_ns, a.left, a.allowed, 0};
        *r = (struct request){call->key, call->at, call->cost, a.allowed ? RUNNING : REFUSED};
        log_append(log, &record);
    }
    ops->destroy(limiter);
    free(all.request);
    return 0;
}

int64_t calls_replay(const struct calls *c, const struct call_answer *answers, uint64_t count, calls_visit *visit,
                     void *context)
{
    if (!is_valid(c))
        return -EINVAL;
    struct requests all = requests_of(c);
    if (!all.request)
        return -ENOMEM;
    uint64_t i = 0, next = 0;
    for (; i < c->count; i++) {
        const struct call *call = &c->call[i];
        struct request *r = request_of(&all, call);
        const struct call_answer *answer = NULL;
        if (!applies(call, &all))
            continue;
        if (call->kind == CALL_ALLOW) {
            answer = next < count ? &answers[next] : NULL;
            next++;
            r->fate = answer && answer->allowed == 1 ? RUNNING : REFUSED;
        } else {
            r->fate = ENDED;
        }
        if (!visit(context, i, call, answer))
            break;
    }
    free(all.request);
    return (int64_t)i;
}

void call_print(FILE *out, uint64_t number, const struct call *call, const struct call_answer *answer)
{
    fprintf(out, "%4llu. at ", (unsigned long long)number);
    ns_print(out, call->at);
    if (call->kind == CALL_DONE) {
        fprintf(out, ": request %u ends%s\n", call->id, call->cost == RL_OK ? "" : ", dropped");
        return;
    }
    fprintf(out, ": key %llu asks for %u", (unsigned long long)call->key, call->cost);
    if (!answer) {
        fputs(": no answer\n", out);
        return;
    }
    fputs(answer->allowed ? ": allowed" : answer->retry_ns == RL_NEVER ? ": refused for ever" : ": refused", out);
    if (!answer->allowed && answer->retry_ns != RL_NEVER && answer->retry_ns != RL_UNKNOWN) {
        fputs(", retry in ", out);
        ns_print(out, answer->retry_ns);
    }
    if (answer->allowed && answer->delay_ns) {
        fputs(" after ", out);
        ns_print(out, answer->delay_ns);
    }
    fprintf(out, ", left %llu\n", (unsigned long long)answer->left);
}
