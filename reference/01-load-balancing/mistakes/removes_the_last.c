/* A wrong answer to peak-ewma: remove takes the last of the list away.
 *
 * Its author believed that a list becomes right by becoming shorter. Unless the backend that leaves happens to stand at
 * the end, another one is forgotten and the one that has left goes on being drawn.
 */
#include "load_balancing.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct backend {
    double average; /* 0: never measured */
    uint64_t when;
    uint32_t in_flight;
};

struct peak {
    struct rng random;
    double tau;
    uint32_t count;
    uint32_t *member;
    struct backend backend[];
};

static int create(const struct lb_config *config, void **balancer)
{
    struct peak *b = calloc(1, sizeof *b + config->max_backends * sizeof b->backend[0]);
    uint32_t *member = calloc(config->max_backends, sizeof *member);
    if (!b || !member) {
        free(b);
        free(member);
        return -ENOMEM;
    }
    b->random = config->random;
    b->tau = (double)config->ewma_decay_ns;
    b->member = member;
    *balancer = b;
    return 0;
}

static void destroy(void *balancer)
{
    free(((struct peak *)balancer)->member);
    free(balancer);
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct peak *b = balancer;
    (void)now;
    if (weight > 0)
        b->member[b->count++] = backend;
    else
        b->count--;
    (void)backend;
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct peak *b = balancer;
    set_weight(b, backend, 0, now);
    b->backend[backend].average = 0;
}

static double load(const struct backend *x, double tau, uint64_t now)
{
    if (x->average > 0)
        return x->average * exp(-(double)(now - x->when) / tau) * (x->in_flight + 1.0);
    return x->in_flight ? 1e30 : 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct peak *b = balancer;
    if (b->count == 0)
        return LB_NONE;
    uint32_t i = rng_below(&b->random, b->count), j = i;
    if (b->count > 1) {
        j = rng_below(&b->random, b->count - 1);
        j += j >= i;
    }
    uint32_t best = b->member[i], second = b->member[j];
    if (load(&b->backend[second], b->tau, now) < load(&b->backend[best], b->tau, now))
        best = second;
    b->backend[best].in_flight++;
    return best;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct peak *b = balancer;
    struct backend *x = &b->backend[backend];
    double w = exp(-(double)(now - x->when) / b->tau), sample = latency ? (double)latency : 1;
    (void)outcome;
    x->in_flight--;
    x->average = sample > x->average ? sample : x->average * w + sample * (1 - w);
    x->when = now;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = set_weight,
                                  .remove = leave,
                                  .set_weight = set_weight,
                                  .pick = pick,
                                  .done = done};
LB_ENTRY(peak_ewma, "peak-ewma", "the one of two with the lower peak EWMA x in flight", &ops);
