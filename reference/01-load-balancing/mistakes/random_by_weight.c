/* A wrong answer to smooth-weighted: draws by weight.
 *
 * Its author believed that a backend which is drawn with a chance of weight / total gets its share. It does on average,
 * over many cycles; in one cycle of `total` picks some get one more and others one fewer, which is just what the taking
 * of turns is there to avoid.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

struct backend {
    uint32_t weight; /* 0: not a member */
};

struct smooth {
    uint32_t n;
    uint32_t total;
    struct rng random;
    struct backend backend[];
};

static int create(const struct lb_config *config, void **balancer)
{
    struct smooth *b = calloc(1, sizeof *b + config->max_backends * sizeof b->backend[0]);
    if (!b)
        return -ENOMEM;
    b->n = config->max_backends;
    b->random = config->random;
    *balancer = b;
    return 0;
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct smooth *b = balancer;
    (void)now;
    b->backend[backend].weight = weight;
    b->total = 0;
    for (uint32_t i = 0; i < b->n; i++)
        b->total += b->backend[i].weight;
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    set_weight(balancer, backend, 0, now);
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct smooth *b = balancer;
    (void)now;
    if (b->total == 0)
        return LB_NONE;
    uint32_t i = 0, at = rng_below(&b->random, b->total);
    while (at >= b->backend[i].weight)
        at -= b->backend[i++].weight;
    return i;
}

static const struct lb_ops ops = {
    .create = create, .destroy = free, .add = set_weight, .remove = leave, .set_weight = set_weight, .pick = pick};
LB_ENTRY(smooth_weighted, "smooth-weighted", "turns by weight, interleaved", &ops);
