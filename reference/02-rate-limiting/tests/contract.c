/* contract.c: what every entry must have and refuse, and the sizes at which arithmetic breaks. */
#include "limiters.h"

#include <errno.h>
#include <string.h>

TestSuite(contract, .timeout = 60);

static bool takes(const char *name, struct rl_config config)
{
    struct limiter_run l;
    int code = limiter_start(&l, name, &config);
    cr_assert(code == 0 || code == -EINVAL, "%s: expected: 0 or -EINVAL; actual: %d", name, code);
    if (code == 0)
        limiter_stop(&l);
    return code == 0;
}

Test(contract, entries_are_all_here)
{
    uint32_t count = 0;
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++, count++) {
        const struct rl_ops *ops = (*e)->ops;
        cr_assert(ops->create && ops->destroy && ops->allow && ops->bytes && *(*e)->summary, "%s lacks something",
                  (*e)->name);
    }
    cr_assert(count == candidates_count + 2, "expected: %u, and two of concurrency; actual: %u", candidates_count,
              count);
}

Test(contract, entries_refuse_what_they_cannot_keep)
{
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++) {
        const char *name = (*e)->name;
        const struct rl_config good = plain_config(100, 1000000000);
        struct rl_config bad[] = {good, good, good, good, good, good};
        bad[0].limit = 0;
        bad[1].limit = RL_MAX_UNITS + 1;
        bad[2].window_ns = 0;
        bad[3].window_ns = RL_MAX_WINDOW + 1;
        bad[4].threads = 0;
        bad[5].threads = RL_MAX_THREADS + 1;
        cr_assert(takes(name, good), "%s: expected: 100 a second is taken", name);
        for (uint32_t i = 0; i < 6; i++)
            cr_assert(!takes(name, bad[i]), "%s: expected: bad configuration %u is refused", name, i);
        struct rl_config two = good;
        two.threads = 2;
        bool safe = ((const struct rl_ops *)(*e)->ops)->thread_safe;
        cr_assert(takes(name, two) == safe, "%s, 2 threads: expected: %d; actual: %d", name, safe, !safe);
    }
}

Test(contract, buckets_refuse_bursts_that_never_come_back)
{
    static const char *const name[] = {"token-bucket", "leaky-bucket", "gcra",
                                       "gcra-atomic",  "gcra-mutex",   "leaky-queue"};
    for (uint32_t i = 0; i < 6; i++) {
        struct rl_config c = plain_config(1, RL_MAX_WINDOW);
        c.burst = 0;
        cr_assert(!takes(name[i], c), "%s: expected: a burst of 0 is refused", name[i]);
        c.burst = RL_MAX_UNITS + 1;
        cr_assert(!takes(name[i], c), "%s: expected: too large a burst is refused", name[i]);
        c.burst = 2305; /* 73 years, less than 2^61 ns */
        cr_assert(takes(name[i], c), "%s: expected: a burst of %lu at one in 10^15 ns is taken", name[i], c.burst);
        c.burst = 2306;
        cr_assert(!takes(name[i], c), "%s: expected: a burst of %lu at one in 10^15 ns is refused", name[i], c.burst);
    }
}

Test(contract, nodes_and_syncs_are_checked)
{
    struct rl_config c = plain_config(1, 1);
    c.nodes = 0;
    cr_assert(!takes("local-windows", c) && !takes("distributed-window", c), "no nodes: expected: refused");
    c.nodes = 4097;
    cr_assert(!takes("local-windows", c) && !takes("distributed-window", c), "4097 nodes: expected: refused");
    c.nodes = 4096;
    cr_assert(takes("local-windows", c) && takes("distributed-window", c), "4096 nodes: expected: taken");
    c.sync_ns = 0;
    cr_assert(takes("local-windows", c) && !takes("distributed-window", c), "no syncs: expected: matters to one");
}

/* The largest of everything, at the end of time. Expected answers written down by hand. */
Test(contract, large_numbers_stay_right)
{
    const uint64_t n = RL_MAX_UNITS, t = RL_MAX_WINDOW, now = RL_MAX_TIME - 2 * t, start = now / t * t;
    for (uint32_t i = 0; i < candidates_count; i++) {
        struct rl_config config = plain_config(n, t);
        struct limiter_run l;
        uint64_t more = candidates[i].promise == QUEUE;
        if (candidates[i].promise == QUEUE)
            config.burst = n - 1;
        cr_assert(limiter_start(&l, candidates[i].name, &config) == 0, "%s: created", candidates[i].name);
        struct rl_answer first = ask(&l, 9, now, (uint32_t)n), again = ask(&l, 9, now, (uint32_t)n);
        uint64_t wait = candidates[i].promise == FIXED || candidates[i].promise >= LOCAL ? start + t - now
                        : candidates[i].promise == COUNTER                               ? start + 2 * t - now
                                                                                         : t;
        struct rl_answer should = {.allowed = true, .delay_ns = more ? t - t / n : 0};
        expect_answer(candidates[i].name, 1, first, should);
        expect_answer(candidates[i].name, 2, again, (struct rl_answer){.retry_ns = wait});
        expect_answer(candidates[i].name, 3, ask(&l, 9, now + wait - 1, (uint32_t)n),
                      (struct rl_answer){.retry_ns = 1,
                                         .left = wait == t && candidates[i].promise == LOG ? 0
                                                 : candidates[i].promise == FIXED || candidates[i].promise >= LOCAL
                                                     ? 0
                                                     : n - 1});
        expect_answer(candidates[i].name, 4, ask(&l, 9, now + wait, (uint32_t)n), should);
        limiter_stop(&l);
    }
}

/* Limiters know nothing of each other, and keys nothing of keys. */
Test(contract, keys_and_limiters_are_alone)
{
    static const uint64_t key[] = {0, UINT64_MAX, 1, UINT64_C(1) << 63, 42};
    for (uint32_t i = 0; i < candidates_count; i++) {
        struct rl_config config = plain_config(3, 1000);
        struct limiter_run a, b;
        config.burst = candidates[i].promise == QUEUE ? 2 : 3;
        cr_assert(limiter_start(&a, candidates[i].name, &config) == 0 &&
                      limiter_start(&b, candidates[i].name, &config) == 0,
                  "%s: created", candidates[i].name);
        for (uint32_t round = 0; round < 4; round++)
            for (uint32_t k = 0; k < 5; k++) {
                bool one = ask(&a, key[k], 10, 1).allowed;
                bool other = k % 2 == 0 && round == 0 ? ask(&b, key[k], 10, 1).allowed : true;
                cr_assert(one == (round < 3) && other, "%s, key %lx, request %u: expected: %d; actual: %d",
                          candidates[i].name, key[k], round, round < 3, one);
            }
        limiter_stop(&a);
        limiter_stop(&b);
    }
}
