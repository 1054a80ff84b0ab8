/* Tests of task 4, full jitter with a budget. */
#include "check_steps.h"

#define ENTRY "retry-budget"

static const struct cb_retry_config usual = {
    .most_tries = 4, .base_ns = 100 * MS, .cap_ns = 10 * S, .budget_percent = 10, .budget_most = 1000};

CHECK(retry_budget, jitter)
{
    struct rng r = random_of_test(30);
    for (uint32_t round = 0; round < 4; round++) {
        struct cb_retry_config c = usual;
        c.most_tries = round == 3 ? UINT32_MAX : (uint32_t)between(&r, 2, 100);
        c.base_ns = between(&r, 1, S);
        c.cap_ns = round == 1 ? c.base_ns / 2 : between(&r, c.base_ns, 1000 * S);
        struct list *l = list_retry(&c, 1);
        for (uint32_t i = 0; i < 300; i++) {
            const uint32_t tries =
                rng_below(&r, 4) ? (uint32_t)between(&r, 1, 12) : (uint32_t)between(&r, 1, 3000000000);
            list_failed(l, 0, tries, UINT64_C(1) << 61, i == 0 ? 1 : rng_open(&r));
            l->now += MS;
        }
        list_check(ENTRY, l,
                   "The k-th retry waits u x min(cap, base x 2^(k-1)); k grows beyond what fits into a shift.");
    }
}

CHECK(retry_budget, budget)
{
    struct rng r = random_of_test(31);
    for (uint32_t round = 0; round < 5; round++) {
        struct cb_retry_config c = usual;
        c.budget_most = round == 0 ? 0 : (uint32_t)between(&r, 1, 20);
        c.budget_percent = round == 1 ? 0 : round == 2 ? 250 : (uint32_t)between(&r, 1, 60);
        struct list *l = list_retry(&c, round == 4 ? 3 : 1);
        for (uint32_t i = 0; i < (check_large() ? 6000u : 1200u); i++) {
            const uint32_t instance = rng_below(&r, l->config.instances);
            if (rng_below(&r, 30) < (i / 100 % 2 ? 25u : 5u))
                list_succeeded(l, instance);
            else
                list_failed(l, instance, (uint32_t)between(&r, 1, 5), UINT64_C(1) << 61, rng_open(&r));
            l->now += MS;
        }
        list_check(
            ENTRY, l,
            "A retry costs 100 hundredths, a success brings budget_percent of them, up to 100 x budget_most, which is "
            "also what there is at first. Who gives up for another reason pays nothing.");
    }
}

CHECK(retry_budget, deadlines)
{
    struct rng r = random_of_test(32);
    for (uint32_t round = 0; round < 3; round++) {
        struct cb_retry_config c = usual;
        c.budget_most = round == 0 ? 1000 : 3;
        struct list *l = list_retry(&c, 1);
        l->now = round == 2 ? UINT64_C(1) << 61 : 0;
        for (uint32_t i = 0; i < 500; i++) {
            list_failed(l, 0, (uint32_t)between(&r, 1, 4), between(&r, 1, 600 * MS), rng_open(&r));
            if (rng_below(&r, 3) == 0)
                list_succeeded(l, 0);
            l->now += MS;
        }
        list_check(ENTRY, l, "A retry that would begin at the deadline or later is none, and costs nothing.");
    }
    struct list *l = list_retry(&usual, 2);
    for (uint32_t i = 0; i < 20; i++)
        list_failed(l, i % 2, 1, S, rng_open(&r));
    list_check_ends(ENTRY, l);
}
