/* retries.c: the laws of each retry. */
#include "entries.h"

TestSuite(retries, .timeout = 60);

static const char *const entries[] = {"fixed-retry",  "exponential",  "full-jitter",
                                      "decorrelated", "retry-budget", NULL};

struct retries {
    const struct cb_retry_ops *ops;
    void *state;
};

static struct retries start(const char *name, const struct cb_retry_config *config)
{
    struct retries r = {.ops = entry_named(name)->retry};
    cr_assert(r.ops->create(config, &r.state) == 0, "%s", name);
    return r;
}

static void stop(struct retries *r)
{
    r->ops->destroy(r->state);
}

static const struct cb_retry_config config = {
    .most_tries = 10, .base_ns = 100, .cap_ns = 1000, .budget_percent = 10, .budget_most = 1000};

static struct cb_failed failure(uint32_t tries, double u)
{
    return (struct cb_failed){.now = S, .deadline = UINT64_C(1) << 62, .last_delay = 0, .tries = tries, .u = u};
}

static uint64_t delay_of(const struct retries *r, struct cb_failed f)
{
    uint64_t delay = 0;
    cr_assert(r->ops->retry(r->state, &f, &delay), "gave up at try %u", f.tries);
    return delay;
}

Test(retries, so_many_tries)
{
    for (const char *const *name = entries; *name; name++) {
        struct retries r = start(*name, &config);
        uint64_t delay;
        struct cb_failed f = failure(9, 0.5);
        cr_assert(r.ops->retry(r.state, &f, &delay), "%s: the tenth", *name);
        f.tries = 10;
        cr_assert(!r.ops->retry(r.state, &f, &delay), "%s: an eleventh", *name);
        stop(&r);
    }
}

/* A retry begins before whoever waits is gone, or not at all. */
Test(retries, deadline)
{
    for (const char *const *name = entries; *name; name++) {
        struct retries r = start(*name, &config);
        uint64_t delay;
        struct cb_failed f = failure(1, 1);
        const uint64_t wait = delay_of(&r, f);
        f.deadline = f.now + wait;
        cr_assert(!r.ops->retry(r.state, &f, &delay), "%s begins at the deadline", *name);
        f.deadline++;
        cr_assert(r.ops->retry(r.state, &f, &delay), "%s does not begin just before it", *name);
        stop(&r);
    }
}

Test(retries, none)
{
    struct retries r = start("no-retry", &config);
    uint64_t delay;
    const struct cb_failed f = failure(1, 0.5);
    cr_assert(!r.ops->retry(r.state, &f, &delay));
    stop(&r);
}

Test(retries, waits)
{
    static const uint64_t doubled[] = {100, 200, 400, 800, 1000, 1000, 1000};
    struct retries fixed = start("fixed-retry", &config), exponential = start("exponential", &config),
                   jitter = start("full-jitter", &config), budget = start("retry-budget", &config);
    for (uint32_t i = 0; i < 7; i++) {
        cr_assert(delay_of(&fixed, failure(i + 1, 0.3)) == 100, "fixed");
        cr_assert(delay_of(&exponential, failure(i + 1, 0.3)) == doubled[i], "exponential");
        for (double u = 0.25; u <= 1; u += 0.25) {
            cr_assert(delay_of(&jitter, failure(i + 1, u)) == (uint64_t)(u * (double)doubled[i]), "full jitter");
            cr_assert(delay_of(&budget, failure(i + 1, u)) == (uint64_t)(u * (double)doubled[i]), "budget");
        }
    }
    stop(&fixed);
    stop(&exponential);
    stop(&jitter);
    stop(&budget);
}

/* The largest of everything: 2^4294967294 times base is still at most the cap. */
Test(retries, no_overflow)
{
    const struct cb_retry_config large = {
        .most_tries = UINT32_MAX, .base_ns = UINT64_C(1) << 40, .cap_ns = UINT64_C(1) << 61, .budget_most = 10};
    static const char *const names[] = {"exponential", "full-jitter", "retry-budget", NULL};
    for (const char *const *name = names; *name; name++) {
        struct retries r = start(*name, &large);
        cr_assert(delay_of(&r, failure(UINT32_MAX - 1, 1)) == large.cap_ns, "%s", *name);
        stop(&r);
    }
}

/* Full jitter: uniform, so its mean is half of the ceiling and its variance a twelfth of its square. */
Test(retries, jitter_is_uniform)
{
    struct retries r = start("full-jitter", &config);
    struct rng random;
    double sum = 0, squares = 0;
    rng_seed(&random, 3, 0);
    for (uint32_t i = 0; i < 100000; i++) {
        const double d = (double)delay_of(&r, failure(9, rng_open(&random)));
        sum += d;
        squares += d * d;
    }
    const double mean = sum / 100000;
    cr_assert(mean > 497 && mean < 502, "mean %.1f", mean);
    const double variance = squares / 100000 - mean * mean;
    cr_assert(variance > 82000 && variance < 84700, "variance %.0f", variance);
    stop(&r);
}

/* Uniform between base and three times the last wait, and never above the cap. */
Test(retries, decorrelated)
{
    struct retries r = start("decorrelated", &config);
    for (uint64_t last = 0; last <= 1000; last += 50)
        for (double u = 0.125; u <= 1; u += 0.125) {
            struct cb_failed f = failure(2, u);
            f.last_delay = last;
            const double most = 3 * (double)(last ? last : 100), drawn = 100 + u * (most - 100);
            const uint64_t d = delay_of(&r, f);
            cr_assert(d == (uint64_t)(drawn < 1000 ? drawn : 1000), "%lu after %lu", d, last);
        }
    stop(&r);
}

/* Retries never are more than the purse at first and its share of what succeeded; and as many as that. */
Test(retries, budget)
{
    struct rng random;
    rng_seed(&random, 5, 0);
    for (uint32_t round = 0; round < 50; round++) {
        const struct cb_retry_config c = {.most_tries = 3,
                                          .base_ns = 1,
                                          .cap_ns = 1,
                                          .budget_percent = rng_below(&random, 101),
                                          .budget_most = rng_below(&random, 20)};
        struct retries r = start("retry-budget", &c);
        uint64_t purse = 100 * (uint64_t)c.budget_most, delay;
        for (uint32_t i = 0; i < 5000; i++) {
            const struct cb_failed f = failure(1, 0.5);
            if (rng_below(&random, 3)) {
                r.ops->succeeded(r.state, S);
                purse += c.budget_percent;
                purse = purse < 100 * (uint64_t)c.budget_most ? purse : 100 * (uint64_t)c.budget_most;
                continue;
            }
            const bool expected = purse >= 100;
            cr_assert(r.ops->retry(r.state, &f, &delay) == expected, "round %u, step %u", round, i);
            purse -= expected ? 100 : 0;
        }
        stop(&r);
    }
}

/* Who gives up for another reason pays nothing. */
Test(retries, no_retry_is_free)
{
    const struct cb_retry_config c = {.most_tries = 2, .base_ns = 1, .cap_ns = 1, .budget_most = 1};
    struct retries r = start("retry-budget", &c);
    uint64_t delay;
    const struct cb_failed last = failure(2, 0.5), first = failure(1, 0.5);
    cr_assert(!r.ops->retry(r.state, &last, &delay));
    cr_assert(r.ops->retry(r.state, &first, &delay));
    cr_assert(!r.ops->retry(r.state, &first, &delay));
    stop(&r);
}
