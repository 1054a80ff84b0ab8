/* A wrong answer to outlier-ejection: passes everything on and ejects nobody.
 *
 * Its author believed that the inner entry sees the answers and will avoid a bad backend by itself. Round robin looks
 * at no answer; and those that look at load or latency are drawn to a backend that fails fast, since it answers sooner
 * than any other.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

/* ---- round robin, for the wrapper to wrap ---- */

struct turns {
    uint32_t n, last;
    bool member[];
};

static int turns_create(const struct lb_config *config, void **balancer)
{
    struct turns *b = calloc(1, sizeof *b + config->max_backends);
    if (!b)
        return -ENOMEM;
    b->n = config->max_backends;
    *balancer = b;
    return 0;
}

static int turns_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    (void)now;
    ((struct turns *)balancer)->member[backend] = weight > 0;
    return 0;
}

static void turns_remove(void *balancer, uint32_t backend, uint64_t now)
{
    turns_set_weight(balancer, backend, 0, now);
}

static uint32_t turns_pick(void *balancer, uint64_t now)
{
    struct turns *b = balancer;
    (void)now;
    for (uint32_t i = 0; i < b->n; i++) {
        b->last = (b->last + 1) % b->n;
        if (b->member[b->last])
            return b->last;
    }
    return LB_NONE;
}

static const struct lb_ops turns_ops = {.create = turns_create,
                                        .destroy = free,
                                        .add = turns_set_weight,
                                        .remove = turns_remove,
                                        .set_weight = turns_set_weight,
                                        .pick = turns_pick};
LB_ENTRY(round_robin, "round-robin", "the members take turns", &turns_ops);

/* ---- outlier ejection ---- */

struct wrapper {
    const struct lb_ops *inner;
    void *wrapped;
};

static int create(const struct lb_config *config, void **balancer)
{
    struct wrapper *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->inner = config->inner;
    int failed = b->inner->create(config->inner_config, &b->wrapped);
    if (failed)
        free(b);
    else
        *balancer = b;
    return failed;
}

static void destroy(void *balancer)
{
    struct wrapper *b = balancer;
    b->inner->destroy(b->wrapped);
    free(b);
}

static int add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct wrapper *b = balancer;
    return b->inner->add(b->wrapped, backend, weight, now);
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct wrapper *b = balancer;
    b->inner->remove(b->wrapped, backend, now);
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct wrapper *b = balancer;
    return b->inner->set_weight(b->wrapped, backend, weight, now);
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct wrapper *b = balancer;
    return b->inner->pick(b->wrapped, now);
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct wrapper *b = balancer;
    if (b->inner->done)
        b->inner->done(b->wrapped, backend, outcome, latency, now);
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = add,
                                  .remove = leave,
                                  .set_weight = set_weight,
                                  .pick = pick,
                                  .done = done,
                                  .wraps = true};
LB_ENTRY(outlier_ejection, "outlier-ejection", "takes out backends that fail in a row", &ops);
