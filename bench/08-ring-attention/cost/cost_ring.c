/* cost_ring.c: a ring of threads, against as many threads with all keys in one place; and the layouts of a causal ring
 * against each other. Both are jobs (job.h), which start threads of their own and bind them to processors. */
#include "cost_parts.h"

#include "job.h"
#include "runs.h"

#include "base/memory.h"

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

bool cost_takes_ring(const struct plugin_entry *entry, const void *shape)
{
    (void)shape;
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

/* An entry; "whole": no ring; else the ring in the layout of that name. */
int cost_ring_create(const struct cost_subject *subject, void **state, struct error *err)
{
    const struct cost_shape *shape = subject->arg;
    const bool whole = strcmp(subject->name, "whole") == 0;
    struct ring_state *s = xcalloc(1, sizeof *s);
    s->job = (struct job){.ops = subject->plugin ? plugin_find(subject->plugin, subject->name) : runs_entry("ring"),
                          .seed = subject->seed};
    s->job.ring = (struct at_ring){.total = subject->size,
                                   .ranks = subject->threads,
                                   .layout = strcmp(subject->name, "zigzag") == 0    ? AT_ZIGZAG
                                             : strcmp(subject->name, "striped") == 0 ? AT_STRIPED
                                                                                     : AT_CONTIGUOUS,
                                   .causal = shape->causal,
                                   .batch = 1,
                                   .heads = shape->heads,
                                   .kv_heads = shape->heads,
                                   .d = shape->d,
                                   .scale = (float)(1 / sqrt(shape->d)),
                                   .type = shape->type,
                                   .blocks = runs_fastest(shape->type)->ops};
    int code = whole ? job_whole_make(&s->job, subject->threads, &s->whole) : job_make(&s->job, &s->ranks);
    if (code) {
        cost_ring_destroy(s);
        return code == -EINVAL ? error_set(err, -ENOTSUP, "there are too few tokens for so many ranks") : code;
    }
    *state = s;
    return 0;
}

const char *cost_ring_limit(const struct cost_subject *s)
{
    return cost_best_limit(((const struct cost_shape *)s->arg)->type);
}
