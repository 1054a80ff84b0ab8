/* A wrong answer to smooth-weighted: with all weights 0 the first member gets it.
 *
 * Its author believed that a weight of 0 needs no thought, since whoever earns nothing never has the largest account.
 * When all earn nothing all accounts are equal, and the first is picked: a fleet that was drained goes on getting
 * requests.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

struct backend {
    bool member;
    uint32_t weight;
    int64_t account;
};

struct smooth {
    uint32_t n;
    int64_t total;
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
    b->backend[backend].member = true;
    b->total = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        b->backend[i].account = 0;
        b->total += b->backend[i].weight;
    }
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    set_weight(balancer, backend, 0, now);
    ((struct smooth *)balancer)->backend[backend].member = false;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct smooth *b = balancer;
    uint32_t best = LB_NONE;
    (void)now;
    for (uint32_t i = 0; i < b->n; i++) {
        if (!b->backend[i].member)
            continue;
        b->backend[i].account += b->backend[i].weight;
        if (best == LB_NONE || b->backend[i].account > b->backend[best].account)
            best = i;
    }
    if (best != LB_NONE)
        b->backend[best].account -= b->total;
    return best;
}

static const struct lb_ops ops = {
    .create = create, .destroy = free, .add = set_weight, .remove = leave, .set_weight = set_weight, .pick = pick};
LB_ENTRY(smooth_weighted, "smooth-weighted", "turns by weight, interleaved", &ops);
