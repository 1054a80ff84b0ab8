/* A wrong answer to weighted-least-connections: set_weight does nothing.
 *
 * Its author believed that a backend has the weight it joined with. Weights change while it is a member: a slow start
 * raises them step by step, and 0 drains it.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

struct backend {
    uint32_t weight; /* 0: not a member */
    uint32_t in_flight;
};

struct least {
    uint32_t n, start;
    struct backend backend[];
};

static int create(const struct lb_config *config, void **balancer)
{
    struct least *b = calloc(1, sizeof *b + config->max_backends * sizeof b->backend[0]);
    if (!b)
        return -ENOMEM;
    b->n = config->max_backends;
    *balancer = b;
    return 0;
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct least *b = balancer;
    (void)now;
    b->backend[backend].weight = weight;
    return 0;
}

static int keep(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    (void)balancer, (void)backend, (void)weight, (void)now;
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    set_weight(balancer, backend, 0, now);
}

/* Is x less loaded than y? */
static bool less(const struct backend *x, const struct backend *y)
{
    return (x->in_flight + 1ull) * y->weight < (y->in_flight + 1ull) * x->weight;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct least *b = balancer;
    uint32_t best = LB_NONE;
    (void)now;
    for (uint32_t k = 0; k < b->n; k++) {
        uint32_t i = (b->start + k) % b->n;
        if (b->backend[i].weight > 0 && (best == LB_NONE || less(&b->backend[i], &b->backend[best])))
            best = i;
    }
    if (best == LB_NONE)
        return LB_NONE;
    b->backend[best].in_flight++;
    b->start = best + 1;
    return best;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct least *b = balancer;
    (void)outcome, (void)latency, (void)now;
    b->backend[backend].in_flight--;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = free,
                                  .add = set_weight,
                                  .remove = leave,
                                  .set_weight = keep,
                                  .pick = pick,
                                  .done = done};
LB_ENTRY(weighted_least_connections, "weighted-least-connections", "least (in flight + 1) / weight", &ops);
