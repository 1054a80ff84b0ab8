/* check_model.c: what the judge of lab 05 holds answers against. */
#include "check_model.h"

#include "base/memory.h"
#include "sim/ns.h"

#include <stdlib.h>

struct outcome {
    uint64_t at;
    bool failed, slow;
};

struct sum {
    uint64_t calls, failures, slow;
};

struct model {
    enum rule rule;
    struct cb_breaker_config b;
    struct cb_retry_config r;
    enum cb_state state;
    uint64_t since;
    uint64_t stay;       /* counted up at each change of state */
    uint64_t *call_stay; /* [ids] of the stay in which each call was allowed, + 1 */
    uint32_t ids;
    struct outcome *outcome; /* that count in this stay */
    uint32_t n, room;
    uint32_t probes; /* half-open: allowed, less those that gave their permit back */
    uint64_t saved;  /* hundredths of a retry */
    char wrong[500];
};

struct model *model_create(enum rule rule, const struct steps_config *config, uint32_t instance)
{
    struct model *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->rule = rule;
    m->b = config->breaker[instance];
    m->r = config->retry[instance];
    m->saved = 100 * (uint64_t)m->r.budget_most;
    return m;
}

void model_destroy(struct model *m)
{
    if (!m)
        return;
    free(m->call_stay);
    free(m->outcome);
    free(m);
}

enum cb_state model_state(const struct model *m)
{
    return m->state;
}

uint64_t model_since(const struct model *m)
{
    return m->since;
}

#define WRONG(...) (snprintf(m->wrong, sizeof m->wrong, __VA_ARGS__), m->wrong)

/* ---- a breaker ---- */

static void change(struct model *m, enum cb_state state, uint64_t now)
{
    m->state = state;
    m->since = now;
    m->stay++;
    m->n = 0;
    m->probes = 0;
}

static bool is_over(const struct model *m, uint64_t now)
{
    return (m->state == CB_OPEN && now >= m->since + m->b.open_ns);
}

static bool is_stuck(const struct model *m, uint64_t now)
{
    return m->state == CB_HALF_OPEN && now >= m->since + m->b.probes_ns;
}

static bool may_go(const struct model *m, uint64_t now)
{
    if (is_stuck(m, now))
        return false;
    return m->state == CB_CLOSED || is_over(m, now) || (m->state == CB_HALF_OPEN && m->probes < m->b.probes);
}

static const char *explain(struct model *m, uint64_t now, bool expected)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return WRONG("the judge has no memory");
    fprintf(out, "expected: the call %s; ", expected ? "may go" : "is refused");
    if (m->state == CB_CLOSED)
        fprintf(out, "the breaker is closed, with %u outcomes", m->n);
    else if (is_over(m, now))
        fputs("it was open for open_ns, so it is half-open", out);
    else {
        fprintf(out, "it is %s since ", m->state == CB_OPEN ? "open" : "half-open");
        ns_print(out, m->since);
    }
    if (is_stuck(m, now))
        fputs(", and that is too long: it opens again", out);
    else if (m->state == CB_HALF_OPEN)
        fprintf(out, ", and %u of %u probes are on their way or back", m->probes, m->b.probes);
    fprintf(out, "; actual: it %s", expected ? "is refused" : "may go");
    fclose(out);
    snprintf(m->wrong, sizeof m->wrong, "%s", text);
    free(text);
    return m->wrong;
}

static const char *enter_allow(struct model *m, const struct step *s, const uint64_t *record)
{
    const bool expected = may_go(m, s->at);
    if (*record > 1)
        return WRONG("the answer is neither yes nor no");
    if (*record != expected)
        return explain(m, s->at, expected);
    if (is_stuck(m, s->at))
        change(m, CB_OPEN, s->at);
    else if (is_over(m, s->at))
        change(m, CB_HALF_OPEN, s->at);
    if (!expected)
        return NULL;
    m->probes += m->state == CB_HALF_OPEN;
    if (s->call.id >= m->ids) {
        const uint32_t ids = s->call.id + 1024;
        m->call_stay = realloc(m->call_stay, ids * sizeof *m->call_stay);
        if (!m->call_stay)
            abort();
        while (m->ids < ids)
            m->call_stay[m->ids++] = 0;
    }
    m->call_stay[s->call.id] = m->stay + 1;
    return NULL;
}

static struct sum sum_of(const struct model *m, uint64_t now)
{
    struct sum sum = {0, 0, 0};
    const uint64_t slice = m->rule == RULE_TIME ? m->b.window_ns / m->b.slices : 1;
    for (uint32_t i = 0; i < m->n; i++) {
        const struct outcome *o = &m->outcome[i];
        if (m->state == CB_CLOSED && m->rule == RULE_COUNT && m->n - i > m->b.window_calls)
            continue;
        if (m->state == CB_CLOSED && m->rule == RULE_TIME && now / slice - o->at / slice >= m->b.slices)
            continue;
        sum.calls++;
        sum.failures += o->failed;
        sum.slow += o->slow;
    }
    return sum;
}

static bool is_bad(const struct model *m, const struct sum *s)
{
    return 100 * s->failures >= m->b.failure_percent * s->calls || 100 * s->slow >= m->b.slow_percent * s->calls;
}

static void enter_record(struct model *m, const struct step *s)
{
    if (s->call.id >= m->ids || m->call_stay[s->call.id] != m->stay + 1)
        return; /* of an earlier stay */
    if (s->call.outcome == CB_IGNORED) {
        m->probes -= m->state == CB_HALF_OPEN;
        return;
    }
    if (m->n == m->room) {
        m->room = m->room ? 2 * m->room : 256;
        m->outcome = realloc(m->outcome, m->room * sizeof *m->outcome);
        if (!m->outcome)
            abort();
    }
    m->outcome[m->n++] = (struct outcome){s->at, s->call.outcome == CB_ERROR || s->call.outcome == CB_TIMEOUT,
                                          s->call.latency >= m->b.slow_ns};
    const struct sum sum = sum_of(m, s->at);
    if (m->state == CB_HALF_OPEN && sum.calls == m->b.probes)
        change(m, is_bad(m, &sum) ? CB_OPEN : CB_CLOSED, s->at);
    else if (m->state == CB_CLOSED && sum.calls >= m->b.least_calls && is_bad(m, &sum))
        change(m, CB_OPEN, s->at);
}

/* ---- a retry ---- */

static double delay_of(const struct model *m, const struct cb_failed *f)
{
    double most = (double)m->r.base_ns;
    for (uint32_t i = 1; i < f->tries && most < (double)m->r.cap_ns; i++)
        most *= 2;
    if (most > (double)m->r.cap_ns)
        most = (double)m->r.cap_ns;
    return f->u * most;
}

static const char *enter_failed(struct model *m, const struct cb_failed *f, uint64_t record)
{
    const double delay = delay_of(m, f), nearly = 2 + 1e-9 * delay, left = (double)(f->deadline - f->now);
    const bool late = delay >= left, either = delay > left - nearly && delay < left + nearly;
    const bool again = record != STEPS_GIVE_UP;
    const char *why = f->tries >= m->r.most_tries ? "all tries are used up"
                      : m->saved < 100            ? "there is no retry left in the budget"
                      : late && !either           ? "nobody waits any more at that time"
                                                  : NULL;
    if (again && why)
        return WRONG("expected: it gives up, since %s; actual: again after %llu ns", why, (unsigned long long)record);
    if (!again && !why && !either)
        return WRONG("expected: again after %.0f ns (%llu hundredths of a retry are saved); actual: it gives up", delay,
                     (unsigned long long)m->saved);
    if (again && ((double)record > delay + nearly || (double)record < delay - nearly))
        return WRONG("expected: again after u x min(cap, base x 2^(tries-1)) = %.0f ns; actual: after %llu ns", delay,
                     (unsigned long long)record);
    m->saved -= again ? 100 : 0;
    return NULL;
}

static void enter_succeeded(struct model *m)
{
    const uint64_t most = 100 * (uint64_t)m->r.budget_most, more = m->saved + m->r.budget_percent;
    m->saved = more < most ? more : most;
}

const char *model_enter(struct model *m, const struct step *s, const uint64_t *record)
{
    switch (s->op) {
    case STEP_ALLOW:
        return record ? enter_allow(m, s, record) : WRONG("there is no answer");
    case STEP_RECORD:
        enter_record(m, s);
        return NULL;
    case STEP_FAILED:
        return record ? enter_failed(m, &s->failed, *record) : WRONG("there is no answer");
    default:
        enter_succeeded(m);
        return NULL;
    }
}

uint64_t model_answer(const struct model *m, const struct step *s)
{
    if (s->op == STEP_ALLOW)
        return may_go(m, s->at);
    const double delay = delay_of(m, &s->failed);
    const bool again =
        s->failed.tries < m->r.most_tries && m->saved >= 100 && delay < (double)(s->failed.deadline - s->failed.now);
    return again ? (uint64_t)delay : STEPS_GIVE_UP;
}
