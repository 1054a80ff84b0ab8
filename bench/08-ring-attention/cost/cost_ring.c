/* cost_ring.c: a ring of threads, against as many threads with all keys in one place; and the layouts of a causal ring
 * against each other. Both are jobs (job.h), which start threads of their own and bind them to processors. */
#include "cost_parts.h"

#include "job.h"
#include "runs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct ring_state {
    struct job job;
    struct job_rank *ranks;  /* a ring ... */
    struct job_whole *whole; /* ... or no ring */
    uint32_t threads;
};

bool cost_takes_ring(const struct plugin_entry *entry)
{
    return ((const struct at_ops *)entry->ops)->ring_forward != NULL;
}

void cost_ring_destroy(void *state)
{
    struct ring_state *s = state;
    job_free(&s->job, s->ranks);
    job_whole_free(s->whole);
    free(s);
}

void cost_ring_run(void *state, unsigned thread, uint64_t n)
{
    static const struct job_way way = {.transport = JOB_THREADS};
    struct ring_state *s = state;
    uint64_t ns;
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        if ((s->whole ? job_whole_run(s->whole, &ns) : job_run(&s->job, s->ranks, &way, &ns)) != 0)
            abort(); /* it was possible when it was made */
}

/* ops NULL: no ring. */
static int make(const struct cost_subject *subject, const struct at_ops *ops, enum at_type type, bool causal,
                enum at_layout layout, void **state, struct error *err)
{
    struct ring_state *s = run_memory(1, sizeof *s);
    s->job = (struct job){.ops = ops ? ops : runs_entry("ring"), .seed = subject->seed};
    s->job.ring = (struct at_ring){.total = subject->size,
                                   .ranks = subject->threads,
                                   .layout = layout,
                                   .causal = causal,
                                   .batch = 1,
                                   .heads = 1,
                                   .kv_heads = 1,
                                   .d = COST_D,
                                   .scale = (float)(1 / sqrt(COST_D)),
                                   .type = type,
                                   .blocks = runs_fastest(type)->ops};
    int code = ops ? job_make(&s->job, &s->ranks) : job_whole_make(&s->job, subject->threads, &s->whole);
    if (code) {
        cost_ring_destroy(s);
        return code == -EINVAL ? error_set(err, -ENOTSUP, "there are too few tokens for so many ranks") : code;
    }
    *state = s;
    return 0;
}

static int make_ring(const struct cost_subject *s, enum at_type type, void **state, struct error *err)
{
    return make(s, s->plugin ? plugin_find(s->plugin, s->name) : NULL, type, false, AT_CONTIGUOUS, state, err);
}

int cost_ring_create(const struct cost_subject *s, void **state, struct error *err)
{
    return make_ring(s, AT_F32, state, err);
}

int cost_ring_bf16_create(const struct cost_subject *s, void **state, struct error *err)
{
    return make_ring(s, AT_BF16, state, err);
}

int cost_layout_create(const struct cost_subject *s, void **state, struct error *err)
{
    const enum at_layout layout = strcmp(s->name, "zigzag") == 0    ? AT_ZIGZAG
                                  : strcmp(s->name, "striped") == 0 ? AT_STRIPED
                                                                    : AT_CONTIGUOUS;
    return make(s, runs_entry("ring"), AT_BF16, true, layout, state, err);
}

const char *cost_ring_limit(const struct cost_subject *s)
{
    (void)s;
    return cost_best_limit(AT_F32);
}

const char *cost_ring_bf16_limit(const struct cost_subject *s)
{
    (void)s;
    return cost_best_limit(AT_BF16);
}
