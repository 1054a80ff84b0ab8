/* threads.c: entries that several threads call at the same time. The counts must be right to the last unit; which
 * thread got what is nobody's business. Under ThreadSanitizer: races.c.
 */
#include "crowd.h"
#include "keys.h"
#include "limiters.h"

#include <pthread.h>
#include <string.h>

TestSuite(threads, .timeout = 240);

static const char *const names[] = {"gcra-atomic", "gcra-mutex", "fixed-window-atomic", "fixed-window-mutex",
                                    "sharded-window"};
#define NAMES (sizeof names / sizeof *names)

static struct rl_config threads_config(uint64_t limit, uint32_t threads)
{
    struct rl_config c = plain_config(limit, 1000000007);
    c.threads = threads;
    return c;
}

/* Everybody at one key, at one moment: exactly N. */
Test(threads, one_key_gets_exactly_its_limit)
{
    static const uint64_t limit[] = {1, 1000, 100003, 400000};
    for (uint32_t i = 0; i < NAMES; i++)
        for (uint32_t n = 2; n <= 4; n++)
            for (uint32_t k = 0; k < 4; k++) {
                struct rl_config config = threads_config(limit[k], n);
                struct crowd c = {.threads = n, .keys = 1, .calls = 500000 / n, .most_cost = 1, .now = 123456789};
                struct limiter_run l;
                cr_assert(limiter_start(&l, names[i], &config) == 0, "%s: created", names[i]);
                crowd_run(&c, l.ops, l.limiter);
                uint64_t left = ask(&l, 0, c.now, RL_MAX_UNITS).left;
                limiter_stop(&l);
                cr_assert(c.units[0] == limit[k] && left == 0,
                          "%s, %u threads at one key: expected: %lu, 0 left; actual: %lu, %lu left", names[i], n,
                          limit[k], c.units[0], left);
                crowd_end(&c);
            }
}

/* Costs of 1 ... 5: never more than N; and what is left afterwards can be had, and nothing more. */
Test(threads, costs_add_up)
{
    for (uint32_t i = 0; i < NAMES; i++)
        for (uint32_t round = 0; round < 20; round++) {
            uint64_t limit = 20000 + round * 777;
            struct rl_config config = threads_config(limit, 3);
            struct crowd c = {.threads = 3, .keys = 1, .calls = 30000, .most_cost = 5, .now = 5, .seed = round};
            struct limiter_run l;
            cr_assert(limiter_start(&l, names[i], &config) == 0, "%s: created", names[i]);
            crowd_run(&c, l.ops, l.limiter);
            uint64_t left = ask(&l, 0, c.now, RL_MAX_UNITS).left;
            bool had = left == 0 || ask(&l, 0, c.now, (uint32_t)left).allowed;
            bool more = ask(&l, 0, c.now, 1).allowed;
            limiter_stop(&l);
            cr_assert(c.units[0] + left == limit && had && !more,
                      "%s: expected: %lu in all, the rest to be had; actual: %lu and %lu left, had %d, more %d",
                      names[i], limit, c.units[0], left, had, more);
            crowd_end(&c);
        }
}

/* The same where it matters most: all threads at a key at the moment when it runs out. */
Test(threads, costs_add_up_in_a_rush)
{
    for (uint32_t i = 0; i < NAMES; i++)
        for (uint32_t n = 2; n <= 3; n++) {
            struct rl_config config = threads_config(40, n);
            struct crowd c = {.threads = n, .keys = 4000, .calls = 80000, .most_cost = 7, .now = 5, .order = TOGETHER};
            struct limiter_run l;
            cr_assert(limiter_start(&l, names[i], &config) == 0, "%s: created", names[i]);
            crowd_run(&c, l.ops, l.limiter);
            for (uint32_t k = 0; k < c.keys; k++) {
                uint64_t left = ask(&l, k, c.now, RL_MAX_UNITS).left;
                if (c.units[k] + left != 40)
                    cr_assert(false, "%s, key %u: expected: 40; actual: %lu and %lu left", names[i], k, c.units[k],
                              left);
            }
            limiter_stop(&l);
            crowd_end(&c);
        }
    cr_assert(true, "all add up");
}

/* ---- growth ----------------------------------------------------------------------------------------------------- */

/* Everybody at many keys, all new: tables grow under their hands, and each key gets exactly N. */
Test(threads, many_keys_get_exactly_their_limits)
{
    for (uint32_t i = 0; i < NAMES; i++)
        for (uint64_t round = 0; round < 50; round++) {
            const uint32_t threads = 2 + (uint32_t)(round % 3);
            struct rl_config config = threads_config(7, threads);
            struct crowd c = {.threads = threads,
                              .keys = round ? 2000 : 20000,
                              .most_cost = 1,
                              .now = 99,
                              .first_key = round << 32,
                              .order = APART};
            struct limiter_run l;
            c.calls = c.keys * UINT64_C(8);
            cr_assert(limiter_start(&l, names[i], &config) == 0, "%s: created", names[i]);
            crowd_run(&c, l.ops, l.limiter);
            limiter_stop(&l);
            for (uint32_t k = 0; k < c.keys; k++)
                if (c.units[k] != 7)
                    cr_assert(false, "%s, key %u of %u: expected: 7; actual: %lu", names[i], k, c.keys, c.units[k]);
            crowd_end(&c);
        }
    cr_assert(true, "all exact");
}

struct hot {
    struct limiter_run l;
    uint64_t admitted;
    bool grown;
};

enum { HOT_LIMIT = 20000, HOT_NOW = 99, BESIDE = 1000, BESIDE_ROUNDS = 100 };

/* The hot key and those beside it are all of one shard, the only one that grows. */
static uint64_t beside(uint64_t i)
{
    return keys_unmix((i + 1) * UINT64_C(0x123456789abcdf) >> 6);
}

static void *ask_hot(void *context)
{
    struct hot *h = context;
    while (!__atomic_load_n(&h->grown, __ATOMIC_ACQUIRE))
        h->admitted += ask(&h->l, beside(0), HOT_NOW, 1).allowed;
    return NULL;
}

/* One thread asks for one key without a pause, while another one makes the table grow from 8 slots to thousands, moving
 * the hot key each time. Each unit that is admitted must move with it: what the slot held a moment before it was locked
 * is too little. (With that mistake about one round in three lets a unit too many through.) */
Test(threads, growth_loses_nothing)
{
    for (uint32_t i = 0; i < NAMES; i++)
        for (uint32_t round = 0; round < BESIDE_ROUNDS; round++) {
            struct rl_config config = threads_config(HOT_LIMIT, 2);
            struct hot h = {.admitted = 0};
            pthread_t other;
            cr_assert(limiter_start(&h.l, names[i], &config) == 0, "%s: created", names[i]);
            cr_assert(pthread_create(&other, NULL, ask_hot, &h) == 0, "a thread");
            for (uint64_t k = 1; k <= BESIDE; k++)
                ask(&h.l, beside(k), HOT_NOW, 1);
            __atomic_store_n(&h.grown, true, __ATOMIC_RELEASE);
            pthread_join(other, NULL);
            while (ask(&h.l, beside(0), HOT_NOW, 1).allowed)
                h.admitted++;
            limiter_stop(&h.l);
            cr_assert(h.admitted == HOT_LIMIT, "%s, round %u: expected: %d; actual: %lu", names[i], round, HOT_LIMIT,
                      h.admitted);
        }
}

/* Round by round time goes on, all keys of the round before are idle, and new ones take their slots while everybody
 * asks. Each key of a round gets exactly N, and memory doesn't grow. */
Test(threads, slots_change_hands)
{
    for (uint32_t i = 0; i < NAMES; i++) {
        struct rl_config config = threads_config(5, 4);
        struct limiter_run l;
        size_t first = 0, last = 0;
        cr_assert(limiter_start(&l, names[i], &config) == 0, "%s: created", names[i]);
        for (uint32_t round = 0; round < 60; round++) {
            struct crowd c = {.threads = 4,
                              .keys = 1000,
                              .calls = 6000,
                              .most_cost = 1,
                              .now = (round + 1) * UINT64_C(3000000021),
                              .first_key = round % 3 ? round * UINT64_C(1000) : 0, /* some come back */
                              .order = APART};
            crowd_run(&c, l.ops, l.limiter);
            for (uint32_t k = 0; k < c.keys; k++)
                if (c.units[k] != 5)
                    cr_assert(false, "%s, round %u, key %u: expected: 5; actual: %lu", names[i], round, k, c.units[k]);
            crowd_end(&c);
            last = l.ops->bytes(l.limiter);
            first = round == 5 ? last : first;
        }
        limiter_stop(&l);
        cr_assert(last <= 2 * first, "%s, 60 rounds: expected: about %zu bytes as after 5; actual: %zu", names[i],
                  first, last);
    }
}

/* Clocks that differ: an older time gets nothing that the newest would not, also after the key has been forgotten. */
Test(threads, an_older_clock_gets_nothing_extra)
{
    for (uint32_t i = 0; i < NAMES; i++) {
        struct rl_config config = threads_config(10, 2);
        struct limiter_run l;
        uint64_t t = config.window_ns, allowed = 0;
        cr_assert(limiter_start(&l, names[i], &config) == 0, "%s: created", names[i]);
        for (uint32_t k = 0; k < 20; k++)
            allowed += ask(&l, 1, 5 * t, 1).allowed;
        for (uint32_t k = 0; k < 20; k++)
            allowed += ask(&l, 1, 5 * t - 1 - k, 1).allowed;
        cr_assert(allowed == 10, "%s, an older clock: expected: 10 in all; actual: %lu", names[i], allowed);
        struct rl_answer a = ask(&l, 1, 5 * t - 100, 1);
        bool early = ask(&l, 1, 5 * t - 100 + a.retry_ns - 1, 1).allowed;
        bool then = ask(&l, 1, 5 * t - 100 + a.retry_ns, 1).allowed;
        cr_assert(!early && then, "%s, told to wait %lu by its own clock: expected: 0, 1; actual: %d, %d", names[i],
                  a.retry_ns, early, then);
        /* Idle, and pushed out by a crowd. */
        for (uint64_t k = 0; k < 100000; k++)
            ask(&l, 1000 + k, 20 * t, 1);
        allowed = 0;
        for (uint32_t k = 0; k < 20; k++)
            allowed += ask(&l, 1, 5 * t, 1).allowed;
        for (uint32_t k = 0; k < 20; k++)
            allowed += ask(&l, 1, 20 * t, 1).allowed;
        bool forgot = allowed == 10 || (strcmp(names[i], "gcra-atomic") == 0 && allowed <= 10);
        cr_assert(forgot, "%s, forgotten at 20 T and asked at 5 T: expected: 10 in all; actual: %lu", names[i],
                  allowed);
        limiter_stop(&l);
    }
}

/* The single caller goes from core to core: what lies in the part of another core is found. */
Test(threads, shards_find_what_lies_elsewhere)
{
    static struct oracle o;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rng r;
        rng_seed(&r, seed, 9);
        struct rl_config config = plain_config(1 + rng_below(&r, seed % 2 ? 200 : 2000), 1000000);
        struct limiter_run l;
        uint64_t now = 0;
        config.threads = 2 + rng_below(&r, 5);
        o.promise = FIXED;
        o.config = config;
        o.count = 0;
        cr_assert(limiter_start(&l, "sharded-window", &config) == 0, "created");
        for (uint32_t step = 0; step < 1500; step++) {
            if (rng_below(&r, 16) == 0)
                crowd_move();
            now += rng_below(&r, 300) ? 0 : rng_below(&r, 2000000);
            uint32_t cost = 1 + (rng_below(&r, 4) ? 0 : rng_below(&r, 40));
            struct rl_answer a = ask(&l, 1, now, cost), b = oracle_ask(&o, now, cost, 0);
            bool right =
                a.allowed == b.allowed && a.retry_ns == b.retry_ns && (a.allowed ? a.left <= b.left : a.left == b.left);
            cr_assert(right, "step %u: expected: allowed %d, retry %lu, left %lu; actual: %d, %lu, %lu", step,
                      b.allowed, b.retry_ns, b.left, a.allowed, a.retry_ns, a.left);
        }
        limiter_stop(&l);
    }
}
