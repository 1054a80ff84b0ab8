/* cost_right.c: is an entry right, how exact is it, how much memory does it ask for. */
#include "cost_parts.h"

#include "job.h"
#include "runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- how exact, how large ---- */

#define RIGHT_ROWS 16u

static struct at_call *computed(const struct cost_subject *s, enum at_type type, bool causal)
{
    const struct at_problem p = at_call_problem(1, (uint32_t)s->size, COST_D, type, causal);
    struct at_call *c;
    struct error err;
    if (at_call_make(plugin_find(s->plugin, s->name), &p, false, 1, s->seed, &c, &err) != 0)
        return NULL;
    if (at_call_part(c, 0) == 0)
        return c;
    at_call_free(c);
    return NULL;
}

double cost_error(const struct cost_subject *s)
{
    struct at_call *c = computed(s, *(const enum at_type *)s->arg, false);
    const double error = c ? at_call_error(c, RIGHT_ROWS) : NAN;
    if (c)
        at_call_free(c);
    return error;
}

double cost_memory(const struct cost_subject *s)
{
    const struct at_problem p = at_call_problem(1, (uint32_t)s->size, COST_D, AT_F32, false);
    const struct at_ops *ops = plugin_find(s->plugin, s->name);
    size_t bytes;
    if (!ops || !ops->workspace || (ops->here && !ops->here()) || ops->workspace(&p, 1, &bytes) != 0)
        return NAN;
    return (double)(bytes + (4 * (size_t)p.d + 1) * sizeof(float) * p.n_q) / (double)s->size;
}

/* ---- is it right? ---- */

#define F32_OFF  1e-5 /* of the root of the mean square; 1e-7 is usual */
#define BF16_OFF 3e-2

static int verify_forward(const struct cost_subject *subject, const struct at_ops *ops, char *why, size_t size)
{
    struct cost_subject s = *subject;
    for (int i = 0; i < 4; i++) {
        const enum at_type type = i < 2 ? AT_F32 : AT_BF16;
        const bool causal = i % 2;
        if ((type == AT_F32 && ops->can & AT_ONLY_BF16) || (type == AT_BF16 && !(ops->can & AT_TAKES_BF16)) ||
            (causal && !(ops->can & AT_CAUSAL)))
            continue;
        s.size = 173; /* no multiple of any block */
        struct at_call *c = computed(&s, type, causal);
        const double error = c ? at_call_error(c, 24) : NAN;
        if (c)
            at_call_free(c);
        if (error <= (type == AT_F32 || !(ops->can & AT_ONLY_BF16) ? F32_OFF : BF16_OFF))
            continue;
        snprintf(why, size,
                 "it is wrong: %s%s, 173 tokens: %.2g off from float64, relative to the root of the mean "
                 "square",
                 type == AT_F32 ? "float32" : "bfloat16", causal ? ", causal" : "", error);
        return -1;
    }
    return 0;
}

static int verify_ring(const struct cost_subject *subject, const struct at_ops *ops, char *why, size_t size)
{
    static const struct job_way way = {.transport = JOB_THREADS};
    struct job job = {.ops = ops, .seed = subject->seed};
    struct job_rank *ranks;
    struct job_error off = {0, 0, 0};
    uint64_t ns;
    job.ring = (struct at_ring){.total = 173,
                                .ranks = 2,
                                .layout = AT_ZIGZAG,
                                .causal = true,
                                .batch = 1,
                                .heads = 1,
                                .kv_heads = 1,
                                .d = 48,
                                .scale = 0.14F,
                                .blocks = runs_entry("blockwise")};
    int code = job_make(&job, &ranks);
    if (code == 0) {
        code = job_run(&job, ranks, &way, &ns);
        for (uint32_t i = 0; i < 2 && code == 0; i++) {
            code = job_rank_check(&job, &ranks[i], 16, &off);
            code = code ? code : off.out <= F32_OFF ? 0 : 1;
        }
        job_free(&job, ranks);
    }
    if (code == 0)
        return 0;
    snprintf(why, size, "it is wrong: a causal zigzag ring of 173 tokens on 2 threads %s (%.2g off from float64)",
             code < 0 ? "failed" : "has another result", off.out);
    return -1;
}

int cost_verify(const struct cost_subject *subject, char *why, size_t size)
{
    const struct at_ops *ops = plugin_find(subject->plugin, subject->name);
    if (!ops || (ops->here && !ops->here()))
        return 0; /* its rows say so */
    int code = ops->forward ? verify_forward(subject, ops, why, size) : 0;
    return code == 0 && ops->ring_forward ? verify_ring(subject, ops, why, size) : code;
}
