/* runs_crowd.c: the experiments of lab 04: callers who want a value, and those who compute it. */
#include "base/file.h"
#include "base/memory.h"
#include "runs.h"
#include "sim/histogram.h"
#include "sim/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define S 1e9 /* ns */

enum { WAITED = 1, ANSWERED = 2 };

struct watched {
    const struct crowd *crowd;
    const struct cm_recompute_ops *ops;
    void *state;
    const struct caller *caller;
    struct crowd_seen seen;
    uint64_t *latency; /* of each caller that was answered */
    uint64_t answered;
    uint32_t under_way, in_this_second;
    uint64_t second, sampled;
    uint64_t *stored; /* [keys]: when a value came last; 0: none */
    bool *begun;      /* [keys]: somebody began since */
    uint8_t *waited;  /* [callers] */
    double leads;
    uint64_t early;
};

static void sample(struct watched *w, uint64_t now)
{
    for (; w->sampled < COUNT(w->seen.under_way) && w->sampled * UINT64_C(100000000) <= now; w->sampled++)
        w->seen.under_way[w->sampled] = w->under_way;
}

static void answered(struct watched *w, uint32_t caller, uint64_t now)
{
    const uint64_t took = now - w->caller[caller].at;
    const bool first = !(w->waited[caller] & ANSWERED);
    w->waited[caller] |= ANSWERED;
    if (!first || (double)w->caller[caller].at < w->crowd->warm_up * S)
        return;
    w->latency[w->answered++] = took;
    if ((w->waited[caller] & WAITED) && (double)took / S > w->seen.longest_wait)
        w->seen.longest_wait = (double)took / S;
}

static void begins(struct watched *w, const struct question *q)
{
    w->under_way++;
    if (w->under_way > w->seen.most_at_once)
        w->seen.most_at_once = w->under_way;
    if ((double)q->now < w->crowd->warm_up * S)
        return;
    w->seen.computations++;
    w->in_this_second = q->now / 1000000000 == w->second ? w->in_this_second + 1 : 1;
    w->second = q->now / 1000000000;
    if (w->in_this_second > w->seen.most_in_a_second)
        w->seen.most_in_a_second = w->in_this_second;
    if (!w->stored[q->key] || w->begun[q->key])
        return;
    const uint64_t expires = w->stored[q->key] + w->crowd->config.ttl_ns;
    w->begun[q->key] = true;
    w->seen.expiries++;
    if (q->now < expires) {
        w->leads += (double)(expires - q->now) / S;
        w->early++;
    }
}

static bool watch_ask(void *context, const struct question *q, struct cm_decision *d)
{
    struct watched *w = context;
    const bool counts = (double)w->caller[q->caller].at >= w->crowd->warm_up * S;
    sample(w, q->now);
    *d = w->ops->ask(w->state, callers_key(q->key), q->now, q->u);
    w->seen.asked += counts && !q->again;
    if (d->action == CM_COMPUTE || d->action == CM_SERVE_COMPUTE)
        begins(w, q);
    if (d->action == CM_SERVE || d->action == CM_SERVE_COMPUTE)
        answered(w, q->caller, q->now);
    if (d->action == CM_WAIT)
        w->waited[q->caller] |= WAITED;
    w->seen.served += counts && d->action != CM_COMPUTE && d->action != CM_WAIT && !q->again;
    w->seen.computed += counts && d->action == CM_COMPUTE;
    w->seen.waited += counts && d->action == CM_WAIT && !q->again;
    return true;
}

static void watch_done(void *context, const struct computation *c)
{
    struct watched *w = context;
    sample(w, c->now);
    w->under_way--;
    w->ops->done(w->state, callers_key(c->key), c->asked, c->now, c->result, c->u);
    if (c->result != CM_FAILED) {
        w->stored[c->key] = c->now;
        w->begun[c->key] = false;
        answered(w, c->caller, c->now);
    }
}

/* Callers by Poisson's law; and computations, so many of which fail or hang. */
static struct callers *make(const struct crowd *c, uint64_t seed)
{
    const uint32_t first = c->all_at_once ? c->keys : 0, most = first + (uint32_t)(c->rate * c->seconds * 1.3) + 1000;
    struct callers *s = xcalloc(1, CALLERS_SIZE(most, most));
    struct rng r;
    double now = 0;
    uint32_t n = 0;
    rng_seed(&r, seed, 3);
    while (n < first)
        s->caller[n] = (struct caller){.key = n}, n++;
    while (n < most && (now += -real_log(rng_open(&r)) / c->rate) < c->seconds)
        s->caller[n++] = (struct caller){.at = (uint64_t)(now * S), .key = rng_below(&r, c->keys)};
    s->config = c->config;
    s->seed = seed;
    s->asks = UINT64_MAX;
    s->keys = c->keys;
    s->callers = s->works = n;
    for (uint32_t i = 0; i < n; i++)
        callers_works(s)[i] = (struct work){.takes = (uint64_t)(c->takes * S),
                                            .result = c->nothing                                  ? CM_NOTHING
                                                      : c->fail_one_in && i % c->fail_one_in == 0 ? CM_FAILED
                                                                                                  : CM_VALUE,
                                            .hangs = c->hang_one_in && i % c->hang_one_in == 0};
    return s;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

struct crowd_seen runs_crowd(const struct crowd *c, uint64_t seed)
{
    struct callers *s = make(c, seed);
    struct watched w = {.crowd = c, .ops = runs_entry(c->entry)->recompute, .caller = s->caller};
    if (!w.ops || w.ops->create(&c->config, &w.state) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s could not be made", c->entry);
    w.latency = xcalloc(s->callers, sizeof *w.latency);
    w.waited = xcalloc(s->callers, 1);
    w.stored = xcalloc(c->keys, sizeof *w.stored);
    w.begun = xcalloc(c->keys, sizeof *w.begun);
    if (callers_simulate(s, &(struct callers_policy){&w, watch_ask, watch_done}) != 0)
        error_exit(EXIT_CANNOT_TELL, "the callers could not be run");
    qsort(w.latency, w.answered, sizeof *w.latency, by_size);
    const uint64_t rank = (99 * w.answered + 99) / 100;
    w.seen.p99 = w.answered ? (double)w.latency[rank - 1] / S : NAN;
    w.seen.lead = w.early ? w.leads / (double)w.early : NAN;
    w.ops->destroy(w.state);
    free(w.latency);
    free(w.waited);
    free(w.stored);
    free(w.begun);
    free(s);
    return w.seen;
}
