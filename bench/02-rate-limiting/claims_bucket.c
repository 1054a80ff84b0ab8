/* claims_bucket.c: buckets: what they promise, what they do not, and the one timestamp that does the same. */
#include "parts.h"
#include "runs.h"

#include "base/memory.h"
#include "sim/exponential.h"
#include "sim/rng.h"

#include <math.h>

enum { SMALL_BURST = 10, LIMIT = 100 };

/* ---- clients ---- */

/* Waits until the bucket is full, takes all there is, then each token as soon as it is there. */
static double worst_of_a_greedy_one(const char *entry, const struct rl_config *config)
{
    struct limiter l = limiter_create(entry, config);
    struct admissions a = {NULL, 0, 0};
    uint64_t now = 10 * config->window_ns, end = now + 3 * config->window_ns;
    while (now < end) {
        struct rl_answer answer = limiter_ask(&l, 1, now, 0);
        if (answer.allowed)
            admissions_add(&a, now);
        else
            now += answer.retry_ns;
    }
    double worst = (double)window_worst(a.list, a.count, config->window_ns).total;
    limiter_destroy(&l);
    admissions_free(&a);
    return worst;
}

/* How many of n decisions differ between two entries, for the same random clients. */
static double decisions_that_differ(const char *one, const char *other, uint64_t n, uint64_t seed)
{
    struct rl_config config = {
        .limit = 7, .window_ns = 1000003, .burst = 5, .threads = 1, .nodes = 1, .sync_ns = S}; /* T / N is no integer */
    struct limiter a = limiter_create(one, &config), b = limiter_create(other, &config);
    struct rng random;
    uint64_t now = 0, differ = 0;
    rng_seed(&random, seed, 0);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key = rng_below(&random, 4);
        now += rng_below(&random, 80000);
        differ += limiter_ask(&a, key, now, 0).allowed != limiter_ask(&b, key, now, 0).allowed;
    }
    limiter_destroy(&a);
    limiter_destroy(&b);
    return (double)differ;
}

/* The longest that an admitted request has to wait when a thousand come at once. */
static double longest_delay_ms(const struct claim_run *run)
{
    struct rl_config config = article_limit();
    config.burst = run->n;
    struct limiter l = limiter_create("leaky-queue", &config);
    uint64_t longest = 0;
    for (int i = 0; i < 1000; i++) {
        struct rl_answer answer = limiter_ask(&l, 1, 60 * S, 0);
        longest = answer.allowed && answer.delay_ns > longest ? answer.delay_ns : longest;
    }
    limiter_destroy(&l);
    return (double)longest / 1e6;
}

/* ---- the claims ---- */

static struct rl_config bucket(uint64_t burst, uint64_t refill)
{
    struct rl_config config = article_limit();
    config.burst = burst;
    config.limit = refill;
    return config;
}

static double measure_full_bucket(const struct claim_run *run)
{
    struct rl_config config = bucket(LIMIT, LIMIT);
    return worst_of_a_greedy_one(run->entry, &config);
}

/* B + r T = N: the burst comes off the rate. */
static double measure_chosen_bucket(const struct claim_run *run)
{
    struct rl_config config = bucket(SMALL_BURST, run->broken ? LIMIT : LIMIT - SMALL_BURST);
    return worst_of_a_greedy_one("token-bucket", &config);
}

enum { DECISIONS = 1000000 };

static double measure_the_same(const struct claim_run *run)
{
    return decisions_that_differ(run->entry, "token-bucket", DECISIONS, run->seed);
}

static double predict_delay(const struct claim_run *run)
{
    const struct rl_config config = article_limit();
    return run->n * (double)config.window_ns / (double)config.limit / 1e6;
}

static const struct claim claims[] = {
    {.id = "a-full-bucket",
     .statement = "A token bucket that holds a whole window's worth lets nearly twice that through in one window.",
     .formula = "B + N - 1 at B = N: the bucket, and what drips in before the window is over",
     .unit = "requests a window",
     .source = "counted",
     .broken = "the sliding log in place of the bucket",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "token-bucket"},
     .instead = {.entry = "sliding-log"},
     .predicted = LIMIT + LIMIT - 1,
     .measure = measure_full_bucket},
    {.id = "a-chosen-bucket",
     .statement = "To keep 100 in every window, the burst has to come off the rate: a bucket of 10 with 90 a minute.",
     .formula = "B + r T <= N",
     .unit = "requests a window",
     .source = "counted",
     .broken = "10 and 100 a minute in place of 10 and 90",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .predicted = LIMIT,
     .measure = measure_chosen_bucket},
    {.id = "gcra-is-the-bucket",
     .statement = "GCRA, with one timestamp a key, decides as the token bucket does, in each of ten million decisions.",
     .formula = "0 differ",
     .unit = "decisions",
     .source = "simulated",
     .broken = "the fixed window in place of GCRA",
     .relation = CLAIM_EQUALS,
     .seeds = 10,
     .of = {.entry = "gcra"},
     .instead = {.entry = "fixed-window"},
     .predicted = 0,
     .measure = measure_the_same},
    {.id = "meter-is-the-bucket",
     .statement = "The leaky bucket as a meter is the token bucket seen from below: the same decisions.",
     .formula = "0 differ",
     .unit = "decisions",
     .source = "simulated",
     .broken = "the sliding counter in place of the leaky bucket",
     .relation = CLAIM_EQUALS,
     .seeds = 10,
     .of = {.entry = "leaky-bucket"},
     .instead = {.entry = "sliding-counter"},
     .predicted = 0,
     .measure = measure_the_same},
    {.id = "queue-delay",
     .statement =
         "The leaky bucket as a queue refuses less and makes wait instead, never longer than its size over its "
         "rate.",
     .formula = "B T / N",
     .unit = "ms",
     .source = "counted",
     .broken = "a queue of twice the size",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.n = SMALL_BURST},
     .instead = {.n = 2 * SMALL_BURST},
     .predict = predict_delay,
     .measure = longest_delay_ms},
};

const struct claim_part part_bucket = {.claim = claims, .claims = COUNT(claims)};
