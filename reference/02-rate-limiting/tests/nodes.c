/* nodes.c: several nodes at one limit. */
#include "limiters.h"

TestSuite(nodes, .timeout = 120);

/* Each of M nodes is asked once every `gap` ns, in turn, over one window. What all of them allow. */
static uint64_t steady(const char *name, const struct rl_config *config, uint64_t gap)
{
    struct limiter_run l;
    uint64_t allowed = 0;
    int code = limiter_start(&l, name, config);
    cr_assert(code == 0, "%s: created: %d", name, code);
    for (uint64_t now = 0; now < config->window_ns; now += gap)
        for (uint32_t node = 0; node < config->nodes; node++)
            allowed += l.ops->allow(l.limiter, 1, now, 1, node).allowed;
    limiter_stop(&l);
    return allowed;
}

Test(nodes, each_with_its_own_window_gives_nodes_times_the_limit)
{
    for (uint32_t nodes = 1; nodes <= 20; nodes++) {
        struct rl_config config = plain_config(100, 1000000000);
        config.nodes = nodes;
        uint64_t allowed = steady("local-windows", &config, 1000000);
        cr_assert(allowed == 100 * nodes, "%u nodes: expected: %u; actual: %lu", nodes, 100 * nodes, allowed);
    }
}

/* At a rate of r a node, at most (M - 1) r S beyond N. That much when a sync comes just as the nodes have r S to go,
 * and each of them allows all of it. */
Test(nodes, overshoot_is_what_the_others_allow_between_two_syncs)
{
    struct rng r;
    rng_seed(&r, 1, 15);
    for (uint32_t nodes = 1; nodes <= 8; nodes++)
        for (uint64_t sync = 1; sync <= 512; sync *= 2)
            for (uint32_t k = 0; k < 6; k++) {
                struct rl_config config = plain_config(2 * nodes * sync + sync, 5000000);
                uint64_t gap = 1000;
                config.limit += k == 0 ? 0 : rng_below(&r, nodes * (uint32_t)sync);
                config.nodes = nodes;
                config.sync_ns = sync * gap;
                uint64_t allowed = steady("distributed-window", &config, gap),
                         bound = config.limit + (nodes - 1) * sync;
                cr_assert(allowed >= config.limit && allowed <= bound && (k > 0 || allowed == bound),
                          "%u nodes, N = %lu, %lu requests of each between syncs: expected: %s %lu; actual: %lu", nodes,
                          config.limit, sync, k ? "at most" : "exactly", bound, allowed);
            }
}

/* Syncs further apart than a window: nobody hears of anybody in time. */
Test(nodes, rare_syncs_are_none)
{
    struct rl_config config = plain_config(100, 1000000);
    config.nodes = 5;
    config.sync_ns = 1000000;
    uint64_t allowed = steady("distributed-window", &config, 1000);
    cr_assert(allowed == 500, "5 nodes, a sync a window: expected: 500; actual: %lu", allowed);
}

Test(nodes, one_node_is_a_fixed_window)
{
    struct rng r;
    rng_seed(&r, 3, 10);
    static const char *const name[] = {"distributed-window", "local-windows"};
    for (uint32_t round = 0; round < 100; round++) {
        struct rl_config config = draw_config(&r);
        struct limiter_run fixed, l;
        config.nodes = 1;
        cr_assert(limiter_start(&fixed, "fixed-window", &config) == 0 &&
                      limiter_start(&l, name[round % 2], &config) == 0,
                  "created");
        uint64_t now = 0, left = config.limit;
        for (uint32_t step = 0; step < 1000; step++) {
            now = draw_next(&r, &config, now);
            uint32_t cost = draw_cost(&r, &config, left);
            struct rl_answer a = ask(&fixed, step % 3, now, cost);
            expect_answer(name[round % 2], step, ask(&l, step % 3, now, cost), a);
            left = a.left;
        }
        limiter_stop(&fixed);
        limiter_stop(&l);
    }
    cr_assert(true, "all the same");
}
