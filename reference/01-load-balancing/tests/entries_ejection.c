/* entries_ejection.c: the wrapper: who is out, for how long, how many at once; and what the wrapped one is told. */
#include "entries.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(entries_ejection, .timeout = 60);

/* ---- the rules, kept beside the driver ---- */

struct rules {
    uint32_t failures[MOST], ejections[MOST], out;
    uint64_t back_at[MOST]; /* 0: is not out */
};

static void comes_back(struct rules *r, uint32_t i)
{
    r->back_at[i] = 0;
    r->failures[i] = 0;
    r->out--;
}

/* Whoever's time is up; and when nobody with a weight is left in, the one whose time is up first, until there is. */
static void bring_back(struct driver *d)
{
    struct rules *r = d->context;
    uint32_t n = d->config.max_backends;
    for (uint32_t i = 0; i < n; i++)
        if (r->back_at[i] && r->back_at[i] <= d->now)
            comes_back(r, i);
    for (;;) {
        uint32_t in = 0, first = LB_NONE;
        for (uint32_t i = 0; i < n; i++) {
            in += d->member[i] && !r->back_at[i] && d->weight[i] > 0;
            if (r->back_at[i] && (first == LB_NONE || r->back_at[i] < r->back_at[first]))
                first = i;
        }
        if (in > 0 || first == LB_NONE)
            return;
        comes_back(r, first);
    }
}

static void forget(struct driver *d, uint32_t i)
{
    struct rules *r = d->context;
    r->out -= r->back_at[i] != 0;
    r->back_at[i] = 0;
    r->failures[i] = r->ejections[i] = 0;
}

static void ended(struct driver *d, uint32_t i, enum lb_outcome outcome)
{
    struct rules *r = d->context;
    uint32_t all = 0;
    for (uint32_t k = 0; k < d->config.max_backends; k++)
        all += d->member[k];
    if (!d->member[i] || r->back_at[i])
        return;
    if (outcome == LB_OK) {
        r->failures[i] = r->ejections[i] = 0;
        return;
    }
    if (++r->failures[i] < d->config.eject_after)
        return;
    r->failures[i] = 0;
    uint32_t allowed = all * d->config.eject_max_percent / 100;
    if (r->out >= (allowed > 1 ? allowed : 1) || r->out + 1 >= all)
        return;
    r->out++;
    r->back_at[i] = d->now + ++r->ejections[i] * d->config.eject_for_ns;
}

static void is_in(const struct driver *d, uint32_t backend)
{
    const struct rules *r = d->context;
    cr_assert(r->back_at[backend] == 0, "%s, at %lu ns: expected: none that is out; actual: backend %u, out until %lu",
              d->name, d->now, backend, r->back_at[backend]);
}

static void start(struct driver *d, struct rules *r, const char *name, uint32_t n, uint64_t seed)
{
    *r = (struct rules){0};
    driver_start(d, name, n, seed);
    d->context = r;
    d->picked = is_in;
    d->ended = ended;
}

static uint32_t pick(struct driver *d)
{
    bring_back(d);
    return driver_pick(d);
}

/* Some backends fail more than others; requests stay in flight for a while, so late news of those that are out comes
 * too. At the end all are healthy and, after the longest ejection, all must be picked again. */
static void obey(const char *inner)
{
    char name[120];
    snprintf(name, sizeof name, "outlier-ejection+%s", inner);
    static const uint32_t sizes[] = {1, 2, 3, 7, 64}, percents[] = {0, 10, 50, 100};
    for (uint32_t s = 0; s < 5; s++)
        for (uint32_t p = 0; p < 4; p++) {
            struct driver d;
            struct rules r;
            uint32_t n = sizes[s], got[MOST] = {0}, ejections = 0;
            start(&d, &r, name, n, s + 1);
            driver_stop(&d); /* once more, with another share that may be out */
            d.config.eject_max_percent = percents[p];
            cr_assert(d.ops->create(&d.config, &d.balancer) == 0, "%s: no balancer", name);
            for (uint32_t i = 0; i < n; i++)
                driver_add(&d, i, 1 + i % 3);
            for (uint32_t k = 0; k < 3000; k++) {
                d.now += rng_below(&d.random, 5000000);
                if (d.flights == 0 || (d.flights < 40 && rng_below(&d.random, 2))) {
                    uint32_t b = pick(&d);
                    cr_assert(b != LB_NONE, "%s, %u members, %u out: expected: one of them; actual: LB_NONE", name, n,
                              r.out);
                    continue;
                }
                uint32_t flight = rng_below(&d.random, d.flights), b = d.flying[flight], out = r.out;
                bool fails = rng_below(&d.random, 100) < (b % 3 == 0 ? 90u : 20u);
                driver_end(&d, flight, fails ? (enum lb_outcome)(1 + rng_below(&d.random, 3)) : LB_OK, 1000000);
                ejections += r.out > out;
            }
            cr_assert(n == 1 ? ejections == 0 : ejections > 0, "%s, %u members: expected: %s; actual: %u", name, n,
                      n == 1 ? "no ejection" : "some ejections", ejections);
            while (d.flights > 0)
                driver_end(&d, 0, LB_OK, 1000000);
            d.now += 1000 * d.config.eject_for_ns;
            for (uint32_t k = 0; k < 40 * n; k++) {
                d.now += 1000000;
                got[pick(&d)]++;
                if (k % (4 * n) == 0)
                    while (d.flights > 0)
                        driver_end(&d, 0, LB_OK, 1000000);
            }
            for (uint32_t i = 0; i < n && strcmp(inner, "join-shortest-queue") != 0; i++)
                cr_assert(got[i] > 0, "%s, all %u healthy again: expected: some of %u picks for backend %u; actual: 0",
                          name, n, 40 * n, i);
            driver_stop(&d);
        }
}

Test(entries_ejection, any_wrapped_entry_obeys)
{
    uint32_t tested = 0;
    for (const struct plugin_entry *const *e = linked.first; e != linked.last; e++, tested++)
        if (!entry_wraps(*e))
            obey((*e)->name);
    cr_assert(tested >= 18, "expected: at least 18 entries; actual: %u", tested);
}

/* ---- what the wrapped one is told: a spy that keeps account ---- */

static struct spy {
    bool member[MOST];
    uint32_t weight[MOST], next, n;
    uint64_t dones, reports, idles;
    uint32_t last_backend; /* of the last done, and what came with it */
    enum lb_outcome last_outcome;
    uint64_t last_latency, last_now;
} * spy;

static int spy_create(const struct lb_config *config, void **out)
{
    spy = calloc(1, sizeof *spy);
    if (!spy)
        return -ENOMEM;
    spy->n = config->max_backends;
    *out = spy;
    return 0;
}

static int spy_add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct spy *s = balancer;
    (void)now;
    cr_assert(!s->member[backend], "expected: add of who is no member; actual: backend %u, who is", backend);
    s->member[backend] = true;
    s->weight[backend] = weight;
    return 0;
}

static void spy_remove(void *balancer, uint32_t backend, uint64_t now)
{
    struct spy *s = balancer;
    (void)now;
    cr_assert(s->member[backend], "expected: remove of a member; actual: backend %u, who is none", backend);
    s->member[backend] = false;
}

static int spy_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct spy *s = balancer;
    (void)now;
    cr_assert(s->member[backend], "expected: set_weight of a member; actual: backend %u, who is none", backend);
    s->weight[backend] = weight;
    return 0;
}

static uint32_t spy_pick(void *balancer, uint64_t now)
{
    struct spy *s = balancer;
    (void)now;
    for (uint32_t i = 0; i < s->n; i++) {
        s->next = (s->next + 1) % s->n;
        if (s->member[s->next] && s->weight[s->next] > 0)
            return s->next;
    }
    return LB_NONE;
}

static void spy_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct spy *s = balancer;
    s->dones++;
    s->last_backend = backend;
    s->last_outcome = outcome;
    s->last_latency = latency;
    s->last_now = now;
}

static void spy_report(void *balancer, uint32_t backend, uint32_t load, uint64_t now)
{
    (void)backend, (void)load, (void)now;
    ((struct spy *)balancer)->reports++;
}

static void spy_idle(void *balancer, uint32_t backend, uint64_t now)
{
    struct spy *s = balancer;
    (void)now;
    cr_assert(s->member[backend], "expected: idle of a member; actual: backend %u, who is out", backend);
    s->idles++;
}

static const struct lb_ops spy_ops = {.create = spy_create,
                                      .destroy = free,
                                      .add = spy_add,
                                      .remove = spy_remove,
                                      .set_weight = spy_set_weight,
                                      .pick = spy_pick,
                                      .done = spy_done,
                                      .report = spy_report,
                                      .idle = spy_idle};

static void start_with_spy(struct driver *d, struct rules *r, uint32_t n, uint64_t seed)
{
    start(d, r, "outlier-ejection+round-robin", n, seed);
    driver_stop(d);
    d->config.inner = &spy_ops;
    cr_assert(d->ops->create(&d->config, &d->balancer) == 0, "no balancer round the spy");
}

static void change(struct driver *d, uint32_t i)
{
    uint32_t weight = 1 + rng_below(&d->random, 9);
    if (!d->member[i]) {
        forget(d, i);
        driver_add(d, i, weight);
    } else if (rng_below(&d->random, 3) == 0) {
        driver_remove(d, i);
        forget(d, i);
    } else {
        driver_weight(d, i, weight);
    }
}

Test(entries_ejection, the_wrapped_one_has_all_but_those_that_are_out)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct driver d;
        struct rules r;
        uint64_t dones = 0;
        uint32_t n = 2 + (uint32_t)seed % 9, most_out = 0;
        start_with_spy(&d, &r, n, seed);
        for (uint32_t k = 0; k < 4000; k++) {
            uint32_t what = rng_below(&d.random, 100);
            d.now += rng_below(&d.random, 5000000);
            if (what < 3) {
                change(&d, rng_below(&d.random, n));
            } else if (what < 55 && d.flights < 40) {
                pick(&d);
                for (uint32_t i = 0; i < n; i++) {
                    bool in = d.member[i] && r.back_at[i] == 0;
                    cr_assert(spy->member[i] == in, "step %u: expected: backend %u %s the wrapped one's; actual: it %s",
                              k, i, in ? "is" : "is not", spy->member[i] ? "is" : "is not");
                    cr_assert(!in || spy->weight[i] == d.weight[i],
                              "step %u: expected: backend %u of weight %u; actual: %u", k, i, d.weight[i],
                              spy->weight[i]);
                }
            } else if (d.flights > 0) {
                uint32_t flight = rng_below(&d.random, d.flights);
                bool fails = rng_below(&d.random, 100) < 60 || d.flying[flight] == 0;
                uint32_t backend = d.flying[flight];
                enum lb_outcome outcome = fails ? (enum lb_outcome)(1 + rng_below(&d.random, 3)) : LB_OK;
                driver_end(&d, flight, outcome, k + 1);
                dones++;
                cr_assert(spy->dones == dones, "expected: %lu answers passed on; actual: %lu", dones, spy->dones);
                cr_assert(spy->last_backend == backend && spy->last_outcome == outcome && spy->last_latency == k + 1 &&
                              spy->last_now == d.now,
                          "expected: done of %u with outcome %d after %u ns at %lu; actual: %u, %d, %lu, %lu", backend,
                          outcome, k + 1, d.now, spy->last_backend, spy->last_outcome, spy->last_latency,
                          spy->last_now);
            }
            most_out = r.out > most_out ? r.out : most_out;
        }
        cr_assert(most_out > 0, "expected: some were out; actual: none in 4000 steps");
        driver_stop(&d);
    }
}

/* Three failures in a row by the one backend that is picked first. */
static uint32_t eject_one(struct driver *d)
{
    struct rules *r = d->context;
    uint32_t who = pick(d);
    driver_end(d, d->flights - 1, LB_ERROR, 1);
    while (r->out == 0) {
        uint32_t b = pick(d);
        driver_end(d, d->flights - 1, b == who ? LB_TIMEOUT : LB_OK, 1);
    }
    return who;
}

Test(entries_ejection, messages_are_passed_on)
{
    struct driver d;
    struct rules r;
    start_with_spy(&d, &r, 4, 1);
    for (uint32_t i = 0; i < 4; i++)
        driver_add(&d, i, 1);
    uint32_t out = eject_one(&d);
    for (uint32_t i = 0; i < 4; i++) {
        driver_report(&d, i, 3);
        driver_idle(&d, i);
    }
    cr_assert(spy->reports == 4, "expected: 4 reports, also of backend %u, which is out; actual: %lu", out,
              spy->reports);
    cr_assert(spy->idles == 3, "expected: 3, all but backend %u, are idle; actual: %lu", out, spy->idles);
    driver_stop(&d);
}

/* One request, answered at once: by `who` as `outcome` says, by others well. Did `who` get it? */
static uint32_t one_request(struct driver *d, uint32_t who, enum lb_outcome outcome)
{
    bool mine = driver_pick(d) == who;
    driver_end(d, d->flights - 1, mine ? outcome : LB_OK, 1000000);
    return mine;
}

/* To the nanosecond; and a success begins the row anew. */
Test(entries_ejection, the_kth_in_a_row_lasts_k_times_as_long)
{
    enum { who = 1 };
    struct driver d;
    struct rules r;
    start_with_spy(&d, &r, 3, 1);
    d.picked = NULL; /* only the spy is asked here */
    d.ended = NULL;
    for (uint32_t i = 0; i < 3; i++)
        driver_add(&d, i, 1);
    for (uint32_t row = 0; row < 2; row++) {
        uint32_t failures = 0;
        for (uint32_t k = 1; k <= 5; k++) {
            while (spy->member[who] && failures < 10)
                failures += one_request(&d, who, LB_REFUSED);
            cr_assert(failures == 3, "expected: out after 3 failures in a row; actual: %u", failures);
            d.now += k * d.config.eject_for_ns - 1;
            one_request(&d, who, LB_REFUSED);
            cr_assert(!spy->member[who], "ejection %u in a row: expected: out for %u x; actual: back 1 ns before", k,
                      k);
            d.now += 1;
            failures = one_request(&d, who, LB_REFUSED);
            cr_assert(spy->member[who], "ejection %u in a row: expected: back after %u x; actual: still out", k, k);
        }
        while (!one_request(&d, who, LB_OK)) {
        }
    }
    driver_stop(&d);
}

Test(entries_ejection, nothing_is_made_without_memory_or_sense)
{
    struct driver d;
    struct rules r;
    void *balancer = NULL;
    start_with_spy(&d, &r, 3, 1);
    struct lb_config config = d.config;
    config.eject_after = 0;
    int code = d.ops->create(&config, &balancer);
    cr_assert(code == -EINVAL && !balancer, "eject_after 0: expected: -EINVAL; actual: %d", code);
    config = d.config;
    config.inner_config = NULL;
    code = d.ops->create(&config, &balancer);
    cr_assert(code == -EINVAL && !balancer, "no inner_config: expected: -EINVAL; actual: %d", code);
    driver_stop(&d);
}
