/* Tests of task 4, bounded loads. */
#include "check_steps.h"

#define ENTRY "bounded-ring"

static struct list *bounded_list(struct rng *r, uint32_t percent)
{
    struct ch_config c = CH_USUAL;
    c.points = between(r, 2, 10);
    c.percent = percent;
    return list_create(RULE_BOUNDED, c);
}

CHECK(bounded_loads, never_above)
{
    static const uint32_t percents[] = {125, 100, 101, 1000, 110};
    struct rng r = random_of_test(20);
    for (uint32_t i = 0; i < 5; i++) {
        struct list *l = bounded_list(&r, percents[i]);
        list_place(l, rng_next(&r), 2); /* nobody is there */
        /* of two nodes and 110 % the bound is whole for 100, 180, 200 keys, and in doubles a little more */
        list_add(l, between(&r, 0, 1000), 1, percents[i] == 110 ? 2 : between(&r, 3, 12));
        const uint64_t hot = rng_next(&r);
        for (uint32_t k = 0; k < 240; k++)
            list_place(l, hot, 1); /* the same key over and over: its node is always full */
        list_place(l, rng_next(&r), check_large() ? 5000 : 400);
        list_check(ENTRY, l,
                   "With this key m are placed: the first node in the key's order that would hold at most "
                   "ceil(percent / 100 x m x weight / all weights).");
    }
}

CHECK(bounded_loads, weights)
{
    struct rng r = random_of_test(21);
    struct list *l = bounded_list(&r, 110);
    for (uint32_t i = 0; i < 6; i++)
        list_add(l, no_node(l, &r), between(&r, 1, i ? 4 : 40), 1);
    list_place(l, rng_next(&r), check_large() ? 4000 : 500);
    list_check(ENTRY, l, "A node of weight w may hold w times as much.");
}

CHECK(bounded_loads, release_and_leave)
{
    struct rng r = random_of_test(22);
    struct list *l = bounded_list(&r, 120);
    list_add(l, between(&r, 0, 50), 1, 4);
    list_release(l, model_node(l->model, 0)); /* none is there */
    for (uint32_t i = 0; i < (check_large() ? 1500 : 250); i++) {
        const uint32_t what = rng_below(&r, 16), nodes = model_nodes(l->model);
        if (what == 0 && nodes < 12)
            list_add(l, no_node(l, &r), between(&r, 1, 2), 1);
        else if (what == 1 && nodes > 2)
            list_remove(l, some_node(l, &r)); /* and what it held is gone with it */
        else if (what < 6)
            list_release(l, some_node(l, &r));
        else if (what == 6)
            list_release(l, no_node(l, &r));
        else
            list_place(l, rng_next(&r), between(&r, 1, 6));
    }
    list_check(ENTRY, l, "What a node held is gone when it leaves, and a key that was released counts no more.");
}
