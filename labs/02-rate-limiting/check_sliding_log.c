/* Tests of task 1, the sliding log. */
#include "check_calls.h"

#define ENTRY "sliding-log"

/* The article's night: 100 a minute, 100 requests at 11:59:59 and 100 more at 12:00:01. */
#define MINUTE      (60 * S)
#define NEARLY_NOON (12 * 60 * MINUTE - S)

CHECK(sliding_log, exactly_n)
{
    struct rng r = random_of_test(1);
    struct list *l;
    for (uint32_t round = 0; round < 2; round++) {
        l = list_create(RULE_LOG, between(&r, 2, round ? 30 : 6), between(&r, 3, round ? 1000 : 30), 1);
        list_random(l, &r, between(&r, 0, 100), check_large() ? 4000 : 400);
        list_check(ENTRY, l, DECISIONS, NULL);
    }
    l = list_create(RULE_LOG, 100, MINUTE, 1);
    for (uint32_t i = 0; i < 200; i++)
        list_ask(l, 7, NEARLY_NOON + (i < 100 ? 0 : 2 * S), 1);
    for (uint32_t i = 0; i < 202; i++)
        list_ask(l, 7, NEARLY_NOON + MINUTE - (i < 101 ? 1 : 0), 1);
    list_check(ENTRY, l, DECISIONS, "The window has to slide: [t, t + T) holds at most N for every t.");
    l = list_create(RULE_LOG, RL_MAX_UNITS, RL_MAX_WINDOW, 1);
    list_random(l, &r, RL_MAX_TIME - 2000 * RL_MAX_WINDOW, 300);
    list_check(ENTRY, l, DECISIONS, "A request of cost 10^8 is one thing to remember, not 10^8.");
}

CHECK(sliding_log, retry_after)
{
    struct rng r = random_of_test(2);
    for (uint32_t round = 0; round < 2; round++) {
        struct list *l = list_create(RULE_LOG, between(&r, 3, round ? 40 : 8), round ? MINUTE : between(&r, 10, 60), 1);
        const uint64_t t = l->config.window_ns, n = l->config.limit;
        uint64_t at = between(&r, 0, t);
        for (uint32_t i = 0; i < (check_large() ? 2000u : 200u); i++)
            at = list_ask_until(l, i % 2, at + between(&r, 0, t / n), between(&r, 1, i % 8 ? (n + 2) / 3 : n + 1));
        list_check(ENTRY, l, RETRY | LEFT, NULL);
    }
}

/* Somebody who knocks all the time, whatever he is told, gets N in each T all the same. */
CHECK(sliding_log, refusals_do_not_count)
{
    struct rng r = random_of_test(3);
    const uint64_t n = between(&r, 3, 12), t = n * between(&r, 20, 50);
    struct list *l = list_create(RULE_LOG, n, t, 1);
    const uint64_t start = between(&r, 0, 3 * t);
    for (uint64_t at = start; at < start + (check_large() ? 60 : 6) * t; at += between(&r, 1, t / (3 * n)))
        list_ask(l, 7, at, rng_below(&r, 8) ? 1 : n + 1);
    list_check(ENTRY, l, DECISIONS, "A request that is refused changes nothing: it is not in the log.");
}

/* ---- memory ---- */

/* Keys that come once and never again, a thousand of them in each T. */
static struct bulk *passers_by(struct rng *r, uint32_t keys)
{
    struct bulk *b = bulk_create(100, 1000 * MS, 1, 3 * keys);
    for (uint32_t i = 0; i < keys; i++) {
        const uint64_t key = rng_next(r), at = i * MS;
        const uint32_t cost = (uint32_t)between(r, 51, 90);
        bulk_ask(b, key, at, cost, true);
        bulk_ask(b, key, at, cost, false);
        bulk_ask(b, key, at, 100 - cost, true);
    }
    return b;
}

/* One key that asks twice as often as it may, for ever. */
static struct bulk *for_ever(struct rng *r, uint32_t calls)
{
    struct bulk *b = bulk_create(100, 200 * MS, 1, calls);
    const uint64_t key = rng_next(r);
    for (uint32_t i = 0; i < calls; i++)
        bulk_ask(b, key, i * MS, 1, i % 200 < 100);
    return b;
}

CHECK(sliding_log, log_is_given_back)
{
    struct rng r = random_of_test(4);
    bulk_check(ENTRY, passers_by(&r, check_large() ? 1000000 : 250000), bulk_base_bytes() + (5u << 20),
               "Each key came once, and 1,000 of them in each T. What is older than T decides nothing: it has to be "
               "given back, and so has the key.");
    bulk_check(ENTRY, for_ever(&r, check_large() ? 4000000 : 1000000), bulk_base_bytes() + (1u << 20),
               "There was one key, and never more than N = 100 units of it in a window of T. What is older than T "
               "decides nothing, so its place has to be used again.");
}
