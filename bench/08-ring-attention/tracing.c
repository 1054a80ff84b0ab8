/* tracing.c: wrappers that trace a rank: when it computes, when it waits. */
#include "tracing.h"

#include "measure/clock.h"

#include <errno.h>

/* An ops table has no context, so the thread knows whom it works for. On the loop that changes inside a call of the
 * link: each sets it again when it is back. */
static _Thread_local struct tracing *current;
static _Thread_local struct tracing nobody;

static uint64_t now(const struct tracing *w)
{
    return w->virtual_clock ? loop_now() : clock_now_ns();
}

static void note(struct tracing *w, enum job_what what, uint64_t begin)
{
    struct job_rank *r = w->rank;
    if (r && r->spans < r->room)
        r->span[r->spans++] = (struct job_span){what, w->step, begin, now(w)};
}

/* ---- the link ---- */

static int traced_send(void *self, const void *data, size_t bytes)
{
    struct tracing *w = self;
    uint64_t begin = now(w);
    int code = w->inner.send(w->inner.self, data, bytes);
    current = w;
    note(w, JOB_WAIT, begin);
    return code;
}

static int traced_receive(void *self, void *data, size_t bytes)
{
    struct tracing *w = self;
    uint64_t begin = now(w);
    int code = w->inner.receive(w->inner.self, data, bytes);
    current = w;
    note(w, JOB_WAIT, begin);
    return code;
}

static int traced_wait(void *self)
{
    struct tracing *w = self;
    uint64_t begin = now(w);
    int code = w->inner.wait(w->inner.self);
    current = w;
    note(w, JOB_WAIT, begin);
    w->step++;
    return code;
}

static int traced_begin_pair(void *self, const void *out, size_t out_bytes, void *in, size_t in_bytes)
{
    struct tracing *w = self;
    return w->inner.begin(w->inner.self, out, out_bytes, in, in_bytes);
}

static int traced_barrier(void *self)
{
    struct tracing *w = self;
    int code = w->inner.barrier(w->inner.self);
    current = w;
    return code;
}

static uint64_t traced_sent(const void *self)
{
    const struct tracing *w = self;
    return w->inner.sent(w->inner.self);
}

/* ---- the blocks ---- */

static const struct at_ops *blocks(void)
{
    return current->job->ring.blocks;
}

static uint32_t parts(void)
{
    return current->job->parts ? current->job->parts : 1;
}

static int traced_workspace(const struct at_problem *p, uint32_t n, size_t *bytes)
{
    (void)n;
    return blocks()->workspace(p, parts(), bytes);
}

static int watched_forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                           const struct at_in *v, const struct at_result *result, uint32_t part, uint32_t n, void *work)
{
    struct tracing *w = current;
    uint64_t begin = now(w), pairs = job_pairs_of(p), all = parts();
    int code = n == 1 && part == 0 ? 0 : -ENOTSUP;
    for (uint32_t i = 0; i < all && code == 0; i++) {
        code = blocks()->forward(p, q, k, v, result, i, (uint32_t)all, work);
        if (w->job->tick)
            w->job->tick(w->job->context, w->inner.rank, w->met + pairs * (i + 1) / all, w->all);
    }
    if (w->virtual_clock)
        loop_work(pairs);
    w->met += pairs;
    note(w, JOB_COMPUTE, begin);
    return code;
}

static void watched_merge(const struct at_problem *p, const struct at_result *into, const struct at_result *from)
{
    struct job_rank *r = current->rank;
    blocks()->merge(p, into, from);
    if (r && r->spans && r->span[r->spans - 1].what == JOB_COMPUTE)
        r->span[r->spans - 1].end = now(current);
}

static int watched_backward_workspace(const struct at_problem *p, uint32_t n, size_t *bytes)
{
    return blocks()->backward_workspace ? blocks()->backward_workspace(p, n, bytes) : -ENOTSUP;
}

static int watched_backward(const struct at_problem *p, const struct at_in *q, const struct at_in *k,
                            const struct at_in *v, const struct at_result *result, const struct at_in *d_out,
                            const struct at_gradients *gradients, uint32_t part, uint32_t n, void *work)
{
    uint64_t begin = now(current);
    int code = blocks()->backward(p, q, k, v, result, d_out, gradients, part, n, work);
    if (current->virtual_clock)
        loop_work(job_pairs_of(p) * 5 / 2); /* five products, not two */
    note(current, JOB_COMPUTE, begin);
    return code;
}

const struct at_ops tracing_blocks = {.workspace = traced_workspace,
                                      .forward = watched_forward,
                                      .merge = watched_merge,
                                      .backward_workspace = watched_backward_workspace,
                                      .backward = watched_backward};

/* ---- begin and end ---- */

void tracing_begin(struct tracing *w, const struct job *job, struct job_rank *rank, const struct at_link *link,
                   bool virtual_clock)
{
    *w = (struct tracing){.job = job,
                          .rank = rank,
                          .inner = *link,
                          .link = {.self = w,
                                   .rank = link->rank,
                                   .ranks = link->ranks,
                                   .send = traced_send,
                                   .receive = traced_receive,
                                   .begin = traced_begin_pair,
                                   .wait = traced_wait,
                                   .barrier = traced_barrier,
                                   .sent = traced_sent},
                          .virtual_clock = virtual_clock};
    for (uint32_t other = 0; other < job->ring.ranks; other++) {
        struct at_positions keys;
        struct at_problem p = {.n_q = rank->n, .causal = job->ring.causal, .q = rank->at};
        if (job->ops->shard(&job->ring, other, &keys))
            continue;
        p.k = keys;
        p.n_k = keys.run[0].count + keys.run[1].count;
        w->all += job_pairs_of(&p);
    }
    rank->spans = 0;
    current = w;
}

void tracing_workspace(const struct job *job)
{
    nobody = (struct tracing){.job = job};
    current = &nobody;
}

void tracing_end(void)
{
    current = NULL;
}
