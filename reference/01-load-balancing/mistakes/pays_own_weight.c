/* A wrong answer to smooth-weighted: who is picked pays its own weight.
 *
 * Its author believed that a backend gives back what it has just earned. The payment must match what ALL earned in this
 * pick, the sum of the weights, or the accounts grow without bound and their order has nothing to do with the shares.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

struct backend {
    uint32_t weight; /* 0: not a member */
    int64_t account;
};

struct smooth {
    uint32_t n;
    struct backend backend[];
};

static int create(const struct lb_config *config, void **balancer)
{
    struct smooth *b = calloc(1, sizeof *b + config->max_backends * sizeof b->backend[0]);
    if (!b)
        return -ENOMEM;
    b->n = config->max_backends;
    *balancer = b;
    return 0;
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct smooth *b = balancer;
    (void)now;
    b->backend[backend].weight = weight;
    for (uint32_t i = 0; i < b->n; i++)
        b->backend[i].account = 0;
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    set_weight(balancer, backend, 0, now);
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct smooth *b = balancer;
    uint32_t best = LB_NONE;
    (void)now;
    for (uint32_t i = 0; i < b->n; i++) {
        if (b->backend[i].weight == 0)
            continue;
        b->backend[i].account += b->backend[i].weight;
        if (best == LB_NONE || b->backend[i].account > b->backend[best].account)
            best = i;
    }
    if (best != LB_NONE)
        b->backend[best].account -= b->backend[best].weight;
    return best;
}

static const struct lb_ops ops = {
    .create = create, .destroy = free, .add = set_weight, .remove = leave, .set_weight = set_weight, .pick = pick};
LB_ENTRY(smooth_weighted, "smooth-weighted", "turns by weight, interleaved", &ops);
