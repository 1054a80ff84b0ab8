/* A wrong answer to weighted-least-connections: compares in_flight / weight.
 *
 * Its author believed that the load is what is in flight now. But the question is how loaded the backend will be WITH
 * this request: without the + 1 every idle backend has load 0, whatever its weight, and at low load the slow ones get
 * as much as the fast.
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

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    set_weight(balancer, backend, 0, now);
}

/* Is x less loaded than y? */
static bool less(const struct backend *x, const struct backend *y)
{
    return (uint64_t)x->in_flight * y->weight < (uint64_t)y->in_flight * x->weight;
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
                                  .set_weight = set_weight,
                                  .pick = pick,
                                  .done = done};
LB_ENTRY(weighted_least_connections, "weighted-least-connections", "least (in flight + 1) / weight", &ops);
