/* claims_window.c: what each rule lets through in the worst window, and what it remembers for that. */
#include "parts.h"
#include "runs.h"

#include "base/memory.h"
#include "sim/exponential.h"
#include "sim/rng.h"

/* ---- clients ---- */

/* The article's: N requests in the last second of a minute, N in the first of the next. */
static double worst_at_the_edge(const struct claim_run *run)
{
    struct rl_config config = article_limit();
    struct limiter l = limiter_create(run->entry, &config);
    struct admissions a = {NULL, 0, 0};
    ask_at(&l, &a, 119 * S, config.limit);
    ask_at(&l, &a, 121 * S, config.limit);
    double worst = (double)window_worst(a.list, a.count, config.window_ns).total;
    limiter_destroy(&l);
    admissions_free(&a);
    return worst;
}

/* Who knows the rule of the sliding counter: all of N in the last tick of a window, then whatever is allowed, as soon as
 * it is. */
static double worst_by_the_adversary(const struct claim_run *run)
{
    struct rl_config config = article_limit();
    struct limiter l = limiter_create(run->entry, &config);
    struct admissions a = {NULL, 0, 0};
    ask_at(&l, &a, 2 * config.window_ns - 1, config.limit);
    for (uint64_t now = 2 * config.window_ns; now < 3 * config.window_ns;) {
        struct rl_answer answer = limiter_ask(&l, 1, now, 0);
        if (answer.allowed)
            admissions_add(&a, now);
        else if (answer.retry_ns < config.window_ns)
            now += answer.retry_ns ? answer.retry_ns : 1;
        else
            break;
    }
    double worst = (double)window_worst(a.list, a.count, config.window_ns).total;
    limiter_destroy(&l);
    admissions_free(&a);
    return worst;
}

/* Poisson traffic at twice the limit, for a hundred windows. */
static double worst_of_a_crowd(const struct claim_run *run)
{
    struct rl_config config = article_limit();
    struct limiter l = limiter_create(run->entry, &config);
    struct admissions a = {NULL, 0, 0};
    struct rng random;
    double now = 0, gap = (double)config.window_ns / (2.0 * (double)config.limit);
    rng_seed(&random, run->seed, 0);
    for (int i = 0; i < 20000; i++) {
        now += gap * rng_exponential(&random);
        ask_at(&l, &a, (uint64_t)now, 1);
    }
    double worst = (double)window_worst(a.list, a.count, config.window_ns).total;
    limiter_destroy(&l);
    admissions_free(&a);
    return worst;
}

/* Bytes a key after a thousand clients used all that they may. */
static double bytes_a_key(const struct claim_run *run)
{
    enum { KEYS = 1000 };
    struct rl_config config = article_limit();
    struct limiter l = limiter_create(run->entry, &config);
    for (uint64_t i = 0; i < config.limit; i++)
        for (uint64_t key = 1; key <= KEYS; key++)
            limiter_ask(&l, key, 60 * S + i * MS, 0);
    double bytes = (double)l.ops->bytes(l.state) / KEYS;
    limiter_destroy(&l);
    return bytes;
}

/* ---- the claims ---- */

/* x times the limit. */
static double times_the_limit(const struct claim_run *run)
{
    return run->x * (double)article_limit().limit;
}

static double twice_less_one(const struct claim_run *run)
{
    (void)run;
    return 2 * (double)article_limit().limit - 1;
}

/* At 121 s a sixtieth of the window is over; 59/60 of the 100 before still count. */
static double counter_at_the_edge(const struct claim_run *run)
{
    const double limit = (double)article_limit().limit, over = 1.0 / 60;
    (void)run;
    return limit + (double)(uint64_t)(limit - limit * (1 - over) + 1e-9);
}

static const struct claim claims[] = {
    {.id = "edge-of-the-window",
     .statement = "A fixed window of 100 a minute admits 200 in two seconds: 100 just before the minute ends, 100 just "
                  "after.",
     .formula = "2 N",
     .unit = "requests a window",
     .source = "counted",
     .broken = "the sliding log in place of the fixed window",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "fixed-window", .x = 2},
     .instead = {.entry = "sliding-log"},
     .predict = times_the_limit,
     .measure = worst_at_the_edge},
    {.id = "log-at-the-edge",
     .statement = "The sliding log admits exactly its limit in the same two seconds.",
     .formula = "N",
     .unit = "requests a window",
     .source = "counted",
     .broken = "the fixed window in place of the sliding log",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "sliding-log", .x = 1},
     .instead = {.entry = "fixed-window"},
     .predict = times_the_limit,
     .measure = worst_at_the_edge},
    {.id = "log-in-a-crowd",
     .statement =
         "Whenever twice as many ask as may pass, the worst window of the sliding log holds exactly its limit.",
     .formula = "N",
     .unit = "requests a window",
     .source = "simulated",
     .broken = "the fixed window in place of the sliding log",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "sliding-log", .x = 1},
     .instead = {.entry = "fixed-window"},
     .predict = times_the_limit,
     .measure = worst_of_a_crowd},
    {.id = "log-memory",
     .statement = "The sliding log pays for that with a time of eight bytes for each request that it remembers.",
     .formula = "8 N bytes a key, and more for the rest",
     .unit = "bytes a key",
     .source = "counted",
     .broken = "the sliding counter in place of the sliding log",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.entry = "sliding-log", .x = 8},
     .instead = {.entry = "sliding-counter"},
     .predict = times_the_limit,
     .measure = bytes_a_key},
    {.id = "counter-at-the-edge",
     .statement =
         "The sliding counter lets one request through after the edge where the fixed window lets through 100.",
     .formula = "N + floor(N - N (1 - 1/60)): at 1 s of 60, 59/60 of the window before still count",
     .unit = "requests a window",
     .source = "counted",
     .broken = "the fixed window in place of the sliding counter",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "sliding-counter"},
     .instead = {.entry = "fixed-window"},
     .predict = counter_at_the_edge,
     .measure = worst_at_the_edge},
    {.id = "counter-and-its-adversary",
     .statement = "Who knows the rule of the sliding counter still gets 2N - 1 through in one window: all at the last "
                  "moment of one, then each as soon as it is allowed.",
     .formula = "2 N - 1",
     .unit = "requests a window",
     .source = "counted",
     .broken = "the sliding log in place of the sliding counter",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "sliding-counter"},
     .instead = {.entry = "sliding-log"},
     .predict = twice_less_one,
     .measure = worst_by_the_adversary},
};

const struct claim_part part_window = {.claim = claims, .claims = COUNT(claims)};
