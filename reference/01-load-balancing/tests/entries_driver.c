/* entries_driver.c: calls an entry as the contract allows, keeps the account, and holds each pick against it. */
#include "entries.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

const struct plugin linked = {"01", __start_plugin_entries, __stop_plugin_entries, NULL};

void driver_start(struct driver *d, const char *name, uint32_t n, uint64_t seed)
{
    const struct lb_ops *inner;
    *d = (struct driver){.name = name};
    d->ops = adapter_find(&linked, name, &inner);
    cr_assert(d->ops, "expected: an entry %s; actual: none", name);
    d->config = (struct lb_config){.max_backends = n,
                                   .ewma_decay_ns = 1000000000,
                                   .eject_after = 3,
                                   .eject_max_percent = 50,
                                   .eject_for_ns = 100000000};
    rng_seed(&d->config.random, seed, 1);
    rng_seed(&d->random, seed, 2);
    if (inner) {
        d->inner_config = d->config;
        rng_jump(&d->inner_config.random);
        d->config.inner = inner;
        d->config.inner_config = &d->inner_config;
    }
    int failed = d->ops->create(&d->config, &d->balancer);
    cr_assert(failed == 0, "%s: expected: create gives 0; actual: %d", name, failed);
}

void driver_stop(struct driver *d)
{
    d->ops->destroy(d->balancer);
    d->balancer = NULL;
}

static void count_members(struct driver *d)
{
    d->members = 0;
    for (uint32_t i = 0; i < d->config.max_backends; i++)
        d->members += d->member[i] && d->weight[i] > 0;
}

void driver_add(struct driver *d, uint32_t backend, uint32_t weight)
{
    int failed = d->ops->add(d->balancer, backend, weight, d->now);
    cr_assert(failed == 0, "%s: expected: add gives 0; actual: %d", d->name, failed);
    d->member[backend] = true;
    d->weight[backend] = weight;
    count_members(d);
}

void driver_remove(struct driver *d, uint32_t backend)
{
    d->ops->remove(d->balancer, backend, d->now);
    d->member[backend] = false;
    count_members(d);
}

void driver_weight(struct driver *d, uint32_t backend, uint32_t weight)
{
    int failed = d->ops->set_weight(d->balancer, backend, weight, d->now);
    cr_assert(failed == 0, "%s: expected: set_weight gives 0; actual: %d", d->name, failed);
    d->weight[backend] = weight;
    count_members(d);
}

uint32_t driver_pick(struct driver *d)
{
    uint32_t backend = d->ops->pick(d->balancer, d->now), n = d->config.max_backends;
    if (backend == LB_NONE) {
        cr_assert(d->members == 0, "%s, %u backends: expected: one of %u members; actual: LB_NONE", d->name, n,
                  d->members);
        return backend;
    }
    cr_assert(backend < n, "%s: expected: a backend below %u; actual: %u", d->name, n, backend);
    cr_assert(d->member[backend] && d->weight[backend] > 0,
              "%s, %u backends: expected: a member with a weight above 0 (there are %u); actual: backend %u, %s",
              d->name, n, d->members, backend, d->member[backend] ? "of weight 0" : "no member");
    if (d->picked)
        d->picked(d, backend);
    d->in_flight[backend]++;
    cr_assert(d->flights < MOST_FLYING, "%s: expected: room for a request; actual: %u in flight", d->name, d->flights);
    d->flying[d->flights++] = backend;
    return backend;
}

void driver_end(struct driver *d, uint32_t flight, enum lb_outcome outcome, uint64_t latency)
{
    uint32_t backend = d->flying[flight];
    d->flying[flight] = d->flying[--d->flights];
    d->in_flight[backend]--;
    if (d->ops->done)
        d->ops->done(d->balancer, backend, outcome, latency, d->now);
    if (d->ended)
        d->ended(d, backend, outcome);
}

void driver_report(struct driver *d, uint32_t backend, uint32_t load)
{
    d->reported[backend] = load;
    if (d->ops->report)
        d->ops->report(d->balancer, backend, load, d->now);
}

void driver_idle(struct driver *d, uint32_t backend)
{
    if (d->ops->idle)
        d->ops->idle(d->balancer, backend, d->now);
}

static void change(struct driver *d, uint32_t backend)
{
    /* Small weights, now and then the largest, and one in six is 0. */
    uint32_t kind = rng_below(&d->random, 12), weight = kind < 2    ? 0
                                                        : kind == 2 ? LB_MAX_WEIGHT
                                                                    : 1 + rng_below(&d->random, 9);
    if (!d->member[backend])
        driver_add(d, backend, weight);
    else if (rng_below(&d->random, 2))
        driver_remove(d, backend);
    else
        driver_weight(d, backend, weight);
}

void driver_step(struct driver *d, bool changes)
{
    uint32_t what = rng_below(&d->random, 100), backend = rng_below(&d->random, d->config.max_backends);
    d->now += rng_below(&d->random, 2000000);
    if (what < 4 && changes) {
        change(d, backend);
    } else if (what < 7) {
        driver_report(d, backend, rng_below(&d->random, 20));
    } else if (what < 10) {
        driver_idle(d, backend);
    } else if (what < 56 && d->flights < MOST_FLYING) {
        driver_pick(d);
    } else if (d->flights > 0) {
        enum lb_outcome outcome = rng_below(&d->random, 2) ? LB_OK : (enum lb_outcome)rng_below(&d->random, 4);
        driver_end(d, rng_below(&d->random, d->flights), outcome, rng_below(&d->random, 50000000));
    }
}

bool entry_wraps(const struct plugin_entry *e)
{
    return ((const struct lb_ops *)e->ops)->wraps;
}

bool chi_square_fits(double chi_square, uint32_t degrees)
{
    double d = degrees, z = (cbrt(chi_square / d) - (1 - 2 / (9 * d))) / sqrt(2 / (9 * d));
    return z < 4.75;
}
