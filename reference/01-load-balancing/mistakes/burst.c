/* A wrong answer to smooth-weighted: plain weighted round robin.
 *
 * Its author believed that weight w means w requests in a row. The shares are exact over a cycle, but with weights 5,
 * 1, 1 the first backend gets five requests at once and queues four of them while the other two stand idle: the
 * sequence is to be a a b a c a a.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

struct backend {
    uint32_t weight; /* 0: not a member */
};

struct smooth {
    uint32_t n;
    uint32_t at;   /* whose turn it is */
    uint32_t left; /* how many more of its requests */
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
    b->at = b->n - 1;
    b->left = 0;
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
    for (uint32_t i = 0; b->left == 0 && i < b->n; i++) {
        b->at = (b->at + 1) % b->n;
        b->left = b->backend[b->at].weight;
    }
    if (b->left == 0)
        return LB_NONE;
    b->left--;
    return b->at;
}

static const struct lb_ops ops = {
    .create = create, .destroy = free, .add = set_weight, .remove = leave, .set_weight = set_weight, .pick = pick};
LB_ENTRY(smooth_weighted, "smooth-weighted", "turns by weight, interleaved", &ops);
