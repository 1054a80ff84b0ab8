/* claims_many.c: several nodes that share a limit, several clients that share a limiter, and the server behind it. */
#include "parts.h"
#include "runs.h"

#include "base/memory.h"
#include "sim/exponential.h"
#include "sim/rng.h"

#include <stdlib.h>

enum { NODES = 4, LIMIT = 1000 };

/* ---- several nodes ---- */

static struct rl_config of_nodes(uint32_t sync_s)
{
    struct rl_config config = article_limit();
    config.limit = LIMIT;
    config.nodes = NODES;
    config.sync_ns = sync_s * S;
    return config;
}

/* x requests a second come to each node in turn, evenly, from the begin of a window on; nodes tell each other every n
 * seconds. How many are admitted in that window, all nodes together. */
static double admitted_by_nodes(const struct claim_run *run)
{
    const struct rl_config config = of_nodes(run->n);
    struct limiter l = limiter_create(run->entry, &config);
    uint64_t admitted = 0, n = (uint64_t)(run->x * (double)config.window_ns / 1e9);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t now = config.window_ns + (uint64_t)((double)i * 1e9 / run->x);
        admitted += limiter_ask(&l, 1, now, (uint32_t)(i % NODES)).allowed;
    }
    limiter_destroy(&l);
    return (double)admitted;
}

/* Each node knows its own count; of the others it may miss what came since they last spoke. */
static double predict_overshoot(const struct claim_run *run)
{
    return LIMIT + (NODES - 1.0) / NODES * run->x * run->n;
}

enum { BURST = 50 };

/* Each node (or one for all) has a bucket of BURST of its own and its part of the rate, and is asked all the time, from
 * the begin of a window up to its end. */
static double admitted_by_buckets(const struct claim_run *run)
{
    const uint32_t nodes = run->n;
    struct rl_config config = article_limit();
    uint64_t admitted = 0;
    config.limit = LIMIT / nodes;
    config.burst = BURST;
    for (uint32_t node = 0; node < nodes; node++) {
        struct limiter l = limiter_create("gcra", &config);
        for (uint64_t now = config.window_ns; now <= 2 * config.window_ns;) {
            const struct rl_answer answer = limiter_ask(&l, 1, now, node);
            admitted += answer.allowed;
            now += answer.retry_ns;
        }
        limiter_destroy(&l);
    }
    return (double)admitted;
}

/* ---- a greedy and a polite client ---- */

/* Jain's index of what two clients got of what each could have had at most, a window's limit: 1 is fair, 1/2 is one who
 * gets all. Broken, both have one key. One asks 100 times as often as the other, who asks as often as the limit allows. */
static double jain(const struct claim_run *run)
{
    struct rl_config config = article_limit();
    struct limiter l = limiter_create("gcra", &config);
    struct rng random;
    double got[2] = {0, 0}, now[2] = {0, 0}, gap[2];
    gap[0] = (double)config.window_ns / (double)config.limit;
    gap[1] = gap[0] / 100;
    rng_seed(&random, run->seed, 0);
    while (now[0] < 20.0 * (double)config.window_ns) {
        int who = now[0] + gap[0] < now[1] + gap[1] ? 0 : 1;
        now[who] += gap[who] * (0.5 + rng_double(&random));
        uint64_t at = (uint64_t)(now[0] > now[1] ? now[0] : now[1]);
        got[who] += limiter_ask(&l, run->broken ? 1 : 1 + (uint64_t)who, at, 0).allowed;
    }
    limiter_destroy(&l);
    double sum = got[0] + got[1], squares = got[0] * got[0] + got[1] * got[1];
    return sum * sum / (2 * squares);
}

/* ---- the server behind the limiter ---- */

/* A server takes one request after the other, at exactly the rate that the limit promises. Clients come as in the
 * article: N just before the edge, N just after. The longest wait for it, in s. */
static double longest_wait_s(const struct claim_run *run)
{
    struct rl_config config = article_limit();
    struct limiter l = limiter_create(run->entry, &config);
    struct admissions a = {NULL, 0, 0};
    ask_at(&l, &a, 119 * S, config.limit);
    ask_at(&l, &a, 121 * S, config.limit);
    uint64_t each = config.window_ns / config.limit, free_at = 0, longest = 0;
    for (size_t i = 0; i < a.count; i++) {
        uint64_t begin = a.list[i].at > free_at ? a.list[i].at : free_at;
        free_at = begin + each;
        longest = free_at - a.list[i].at > longest ? free_at - a.list[i].at : longest;
    }
    limiter_destroy(&l);
    admissions_free(&a);
    return (double)longest / 1e9;
}

/* The last of 2N leaves 2N/C after the first came; it came itself 2 s later. */
static double predict_drain(const struct claim_run *run)
{
    (void)run;
    const struct rl_config config = article_limit();
    return 2 * (double)config.window_ns / 1e9 - 2;
}

static const struct claim claims[] = {
    {.id = "nodes-times-limit",
     .statement = "Four nodes that each enforce the limit by themselves admit four times the limit.",
     .formula = "M N",
     .unit = "requests a window",
     .source = "counted",
     .broken = "one window for all nodes",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "local-windows", .x = 200, .n = 1},
     .instead = {.entry = "fixed-window"},
     .predicted = NODES * LIMIT,
     .measure = admitted_by_nodes},
    {.id = "overshoot-of-syncing",
     .statement =
         "Nodes that tell each other their counts every S admit at most what the others let through meanwhile.",
     .formula = "N + (M - 1) / M x rate x S, rate being that of all nodes together",
     .unit = "requests a window",
     .source = "counted",
     .broken = "nodes that never tell each other",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.entry = "distributed-window", .x = 400, .n = 2},
     .instead = {.entry = "local-windows"},
     .predict = predict_overshoot,
     .measure = admitted_by_nodes},
    {.id = "syncing-overshoots",
     .statement = "They do admit more than the limit: news that is S old lets some through.",
     .formula = "more than N",
     .unit = "requests a window",
     .source = "counted",
     .broken = "one window for all nodes",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.entry = "distributed-window", .x = 400, .n = 2},
     .instead = {.entry = "fixed-window"},
     .predicted = LIMIT + 1,
     .measure = admitted_by_nodes},
    {.id = "local-buckets",
     .statement =
         "Four nodes that share the rate, a bucket of 50 each: what they may admit at once is 200, not 50. That "
         "is the price of not asking a Redis for each decision.",
     .formula = "M B + r T",
     .unit = "requests a window",
     .source = "counted",
     .broken = "one bucket for all nodes",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.n = NODES},
     .instead = {.n = 1},
     .predicted = NODES * BURST + LIMIT,
     .measure = admitted_by_buckets},
    {.id = "a-key-for-each",
     .statement = "With a key for each client, one that asks a hundred times as often gets no more than its share.",
     .formula = "Jain's index (sum x)^2 / (n sum x^2) is 1 where all get the same",
     .unit = "",
     .source = "simulated",
     .broken = "one key for both clients",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .predicted = 1,
     .measure = jain,
     .slack = 0.01,
     .slack_why = "the polite one comes at random and misses a turn now and then"},
    {.id = "what-the-edge-does-behind",
     .statement =
         "Behind a fixed window, a server that can just do the promised rate makes the last one at the edge wait "
         "for nearly two windows.",
     .formula = "2 N / C - 2 s, C = N a minute: the burst drains in two minutes, and its last part came 2 s later",
     .unit = "s",
     .source = "counted",
     .broken = "the sliding log in place of the fixed window",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "fixed-window"},
     .instead = {.entry = "sliding-log"},
     .predict = predict_drain,
     .measure = longest_wait_s},
};

const struct claim_part part_many = {.claim = claims, .claims = COUNT(claims)};
