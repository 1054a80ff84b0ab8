/* Tests of task 4, GCRA: the bucket of task 3 in one time a key. */
#include "check_calls.h"

#define ENTRY "gcra"

static struct list *bucket_list(struct rng *r, uint32_t round)
{
    switch (round) {
    case 0:
        return list_create(RULE_BUCKET, between(r, 2, 9), 10 * between(r, 5, 30) + 1, between(r, 1, 6));
    case 1:
        return list_create(RULE_BUCKET, 3000, S, between(r, 10, 200));
    default:
        return list_create(RULE_BUCKET, RL_MAX_UNITS - between(r, 0, 9), RL_MAX_WINDOW - between(r, 0, 9),
                           RL_MAX_UNITS - between(r, 0, 9));
    }
}

CHECK(gcra, is_the_bucket)
{
    struct rng r = random_of_test(31);
    for (uint32_t round = 0; round < 3; round++) {
        struct list *l = bucket_list(&r, round);
        const bool far = round == 2;
        list_random(l, &r, far ? RL_MAX_TIME - 2000 * RL_MAX_WINDOW : between(&r, 0, 1000),
                    far             ? 300
                    : check_large() ? 8000
                                    : 1000);
        list_check(ENTRY, l, DECISIONS, NULL);
    }
}

/* A crowd that always asks at the first moment at which it can succeed, and one nanosecond before. */
static void first_moments(uint64_t stream, unsigned what)
{
    struct rng r = random_of_test(stream);
    for (uint32_t round = 0; round < 2; round++) {
        struct list *l = bucket_list(&r, round);
        const uint64_t b = l->config.burst;
        uint64_t at = between(&r, 0, 1000);
        for (uint32_t i = 0; i < (check_large() ? 3000u : 300u); i++)
            at = list_ask_until(l, i % 2, at + between(&r, 0, i % 16 ? 2 : l->config.window_ns),
                                between(&r, 1, i % 8 ? (b + 2) / 3 : b + 1));
        list_check(ENTRY, l, what, NULL);
    }
}

CHECK(gcra, exact_retry)
{
    first_moments(32, RETRY);
}

CHECK(gcra, left)
{
    first_moments(33, LEFT);
}

/* Many keys, none of them idle: each is asked for twice, B at first and then what has come back meanwhile. */
CHECK(gcra, bytes_a_key)
{
    struct rng r = random_of_test(34), again = r;
    const uint32_t keys = check_large() ? 1000000 : 250000;
    const uint64_t step = MS, all = keys * step; /* one key after the other */
    struct bulk *b = bulk_create(3, 3 * all, 5, 3 * keys);
    for (uint32_t i = 0; i < keys; i++)
        bulk_ask(b, rng_next(&r), i * step, 5, true);
    for (uint32_t i = 0; i < keys; i++) { /* a token is due after `all` */
        const uint64_t key = rng_next(&again);
        const bool sooner = i % 2;
        bulk_ask(b, key, all + i * step - sooner, 1, !sooner);
    }
    bulk_check(ENTRY, b, bulk_base_bytes() + 128ull * keys,
               "There is room for 128 bytes a key, the table and its growth included. What has to be remembered of a "
               "key is one time.");
}
