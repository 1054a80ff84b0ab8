/* Tests of task 1, the ring, and task 2, who keeps the copies. */
#include "check_steps.h"

#define ENTRY "ring"

static struct ch_config config_of(uint32_t points, uint32_t bits)
{
    struct ch_config c = CH_USUAL;
    c.points = points;
    c.bits = bits;
    return c;
}

/* Nodes come and go, one and several at a time, and keys are looked up meanwhile. */
static void come_and_go(struct list *l, struct rng *r, uint32_t steps, uint32_t weight, uint32_t copies)
{
    for (uint32_t i = 0; i < steps; i++) {
        const uint32_t what = rng_below(r, 8), nodes = model_nodes(l->model);
        if (nodes < 30 && (what < 2 || nodes == 0))
            list_add(l, no_node(l, r), between(r, 1, weight), 1);
        else if (what == 2)
            list_remove(l, some_node(l, r));
        else if (copies)
            list_replicas(l, rng_next(r), between(r, 1, copies));
        else
            list_lookup(l, rng_next(r), between(r, 2, 40));
    }
}

CHECK(ring, owners)
{
    struct rng r = random_of_test(1);
    struct list *l = list_create(RULE_RING, config_of(20, 64));
    list_lookup(l, rng_next(&r), 1); /* nobody is there */
    list_add(l, between(&r, 0, 1000), 1, 1);
    list_lookup(l, rng_next(&r), 20);
    list_add(l, between(&r, 2000, 3000), 1, check_large() ? 40 : 9);
    list_lookup(l, rng_next(&r), check_large() ? 20000 : 2000);
    list_check(ENTRY, l, NULL);
    l = list_create(RULE_RING, config_of(100, 64)); /* as many points as people take */
    list_add(l, between(&r, 0, 1000), 1, 100);
    list_lookup(l, rng_next(&r), check_large() ? 2000 : 400);
    list_check(ENTRY, l, NULL);
}

/* One point for each of three nodes: a third of the keys, on average, lie behind the last one. And keys that stand
 * exactly on a point, one before it and one behind it. */
CHECK(ring, wraps_around)
{
    struct rng r = random_of_test(2);
    for (uint32_t round = 0; round < 4; round++) {
        const uint32_t id = between(&r, 0, 1000), bits = round % 2 ? 64 : 32;
        struct list *l = list_create(RULE_RING, config_of(1, bits));
        list_add(l, id, 1, 3);
        for (uint32_t i = 0; i < 3; i++) {
            const uint64_t point = ch_point(id + i, 0), step = UINT64_C(1) << (64 - bits);
            list_lookup(l, point, 1);
            list_lookup(l, point + step, 1);
            list_lookup(l, point - step, 1);
        }
        list_lookup(l, 0, 1);
        list_lookup(l, UINT64_MAX, 1);
        list_lookup(l, rng_next(&r), 50);
        list_check(ENTRY, l, "Behind the last point the ring goes on with the first.");
    }
}

/* So few positions that most hold points of several nodes. The order in which they joined must not matter. */
CHECK(ring, ties)
{
    struct rng r = random_of_test(3);
    for (uint32_t round = 0; round < 3; round++) {
        struct list *l = list_create(RULE_RING, config_of(between(&r, 8, 30), between(&r, 8, 10)));
        for (uint32_t i = 0; i < 12; i++)
            list_add(l, no_node(l, &r), 1, 1);
        list_lookup(l, rng_next(&r), 300);
        for (uint32_t i = 0; i < 6; i++) {
            list_remove(l, some_node(l, &r));
            list_lookup(l, rng_next(&r), 100);
        }
        list_check(ENTRY, l, "Of points at one position that of the smallest node counts, on every machine.");
    }
}

CHECK(ring, weights)
{
    struct rng r = random_of_test(4);
    struct list *l = list_create(RULE_RING, config_of(between(&r, 3, 12), 64));
    for (uint32_t i = 0; i < 8; i++)
        list_add(l, no_node(l, &r), between(&r, 1, i < 6 ? 5 : 60), 1);
    list_lookup(l, rng_next(&r), check_large() ? 4000 : 600);
    list_remove(l, some_node(l, &r));
    list_lookup(l, rng_next(&r), 600);
    list_check(ENTRY, l, "A node has config->points x weight points.");
}

CHECK(ring, come_and_go)
{
    struct rng r = random_of_test(5);
    struct list *l = list_create(RULE_RING, config_of(10, 64));
    come_and_go(l, &r, check_large() ? 800 : 150, 3, 0);
    list_check(ENTRY, l, NULL);
    l = list_create(RULE_RING, config_of(4, 12));
    come_and_go(l, &r, check_large() ? 800 : 150, 2, 0);
    while (model_nodes(l->model) > 0)
        list_remove(l, some_node(l, &r));
    list_lookup(l, rng_next(&r), 2); /* nobody is left */
    list_add(l, 7, 1, 2);
    list_lookup(l, rng_next(&r), 50);
    list_check(ENTRY, l, NULL);
}

/* What fails changes nothing: the lookups behind it are as before. */
CHECK(ring, refuses)
{
    struct rng r = random_of_test(6);
    struct list *l = list_create(RULE_RING, config_of(5, 64));
    const uint32_t id = between(&r, 10, 1000);
    list_remove(l, id);
    list_add(l, id, 1, 4);
    list_add(l, id + 2, 1, 1);  /* there already */
    list_add(l, id - 3, 1, 4);  /* the last of them is */
    list_add(l, id + 10, 0, 1); /* no weight */
    list_add(l, id + 10, CH_MAX_WEIGHT + 1, 1);
    list_add(l, CH_MAX_NODES, 1, 1); /* no node has this number */
    list_remove(l, id + 4);
    list_lookup(l, rng_next(&r), 100);
    list_add(l, CH_MAX_NODES - 1, 1, 1);
    list_add(l, 0, 1, 1);
    list_lookup(l, rng_next(&r), 100);
    list_check(ENTRY, l, "All nodes of an add join, or none.");
}

/* ---- task 2 ---- */

CHECK(replicas, clockwise_distinct)
{
    struct rng r = random_of_test(7);
    struct list *l = list_create(RULE_RING, config_of(25, 64));
    list_add(l, between(&r, 0, 1000), 1, 8);
    for (uint32_t i = 0; i < (check_large() ? 1000 : 150); i++)
        list_replicas(l, rng_next(&r), between(&r, 1, 5));
    list_check(ENTRY, l, "Copies go to the next different nodes clockwise.");
    l = list_create(RULE_RING, config_of(6, 10)); /* points of several nodes at one position */
    come_and_go(l, &r, check_large() ? 600 : 150, 3, 6);
    list_check(ENTRY, l, "Of points at one position the smaller node's come first.");
}

CHECK(replicas, fewer_nodes_than_copies)
{
    struct rng r = random_of_test(8);
    struct list *l = list_create(RULE_RING, config_of(15, 64));
    list_replicas(l, rng_next(&r), 3);
    for (uint32_t i = 0; i < 6; i++) {
        list_add(l, no_node(l, &r), between(&r, 1, 3), 1);
        for (uint32_t k = 0; k < 10; k++)
            list_replicas(l, rng_next(&r), between(&r, i + 1, REPLICAS_MOST));
    }
    while (model_nodes(l->model) > 0) {
        list_remove(l, some_node(l, &r));
        list_replicas(l, rng_next(&r), 4);
    }
    list_check(ENTRY, l, "With fewer nodes than copies each node keeps one.");
}
