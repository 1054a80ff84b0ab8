/* A wrong answer to outlier-ejection: a success does not end the row of ejections.
 *
 * Its author believed that k counts all ejections of a backend. It counts those in a row: one that has worked well for
 * a month is out for the simple time again, not for k times.
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

struct backend {
    bool member, out;
    uint32_t weight, failures, ejections;
    uint64_t back_at;
};

struct wrapper {
    const struct lb_ops *inner;
    void *wrapped;
    struct lb_config config;
    uint32_t members, out;
    struct backend backend[];
};

static int create(const struct lb_config *config, void **balancer)
{
    struct wrapper *b = calloc(1, sizeof *b + config->max_backends * sizeof b->backend[0]);
    if (!b)
        return -ENOMEM;
    b->inner = config->inner;
    b->config = *config;
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
    b->backend[backend] = (struct backend){.member = true, .weight = weight};
    b->members++;
    return b->inner->add(b->wrapped, backend, weight, now);
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct wrapper *b = balancer;
    b->members--;
    if (b->backend[backend].out)
        b->out--;
    else
        b->inner->remove(b->wrapped, backend, now);
    b->backend[backend] = (struct backend){0};
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct wrapper *b = balancer;
    b->backend[backend].weight = weight;
    return b->backend[backend].out ? 0 : b->inner->set_weight(b->wrapped, backend, weight, now);
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct wrapper *b = balancer;
    for (uint32_t i = 0; i < b->config.max_backends; i++) {
        if (!b->backend[i].out || b->backend[i].back_at > now)
            continue;
        b->backend[i].out = false;
        b->out--;
        b->inner->add(b->wrapped, i, b->backend[i].weight, now);
    }
    return b->inner->pick(b->wrapped, now);
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct wrapper *b = balancer;
    struct backend *x = &b->backend[backend];
    uint32_t allowed = b->members * b->config.eject_max_percent / 100;
    if (b->inner->done)
        b->inner->done(b->wrapped, backend, outcome, latency, now);
    if (!x->member || x->out)
        return;
    if (outcome == LB_OK) {
        x->failures = 0;
        return;
    }
    if (++x->failures < b->config.eject_after)
        return;
    x->failures = 0;
    if (b->out >= (allowed ? allowed : 1) || b->out + 1 >= b->members)
        return;
    x->out = true;
    x->back_at = now + ++x->ejections * b->config.eject_for_ns;
    b->out++;
    b->inner->remove(b->wrapped, backend, now);
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
