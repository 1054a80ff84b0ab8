/* Tests of task 3, jump. */
#include "check_steps.h"

#define ENTRY "jump"

/* Asks for `key` with nodes 0 … n-1, and expects `bucket`: published by others, so that the judge's own model is tested
 * by them as well. */
static void vector(uint64_t key, uint32_t n, uint32_t bucket)
{
    const struct step step[] = {{.op = STEP_ADD, .id = 0, .weight = 1, .n = n},
                                {.op = STEP_LOOKUP, .key = key, .n = 1}};
    const struct ch_config config = CH_USUAL;
    struct host_outcome o;
    size_t size;
    void *block = steps_block(&config, step, 2, 0, &size);
    check_host(ENTRY, block, size, sizeof(uint32_t), 2, &o);
    const uint32_t *answer = o.records;
    check_that(answer[0] == 0, "adding nodes 0 to %u failed with %u", n - 1, answer[0]);
    check_that(answer[1] == bucket,
               "expected: key %llu belongs to node %u of nodes 0 to %u, as Lamping & Veach's own code says; actual: "
               "%s%u",
               (unsigned long long)key, bucket, n - 1, answer[1] == CH_NONE ? "none, " : "node ", answer[1]);
    host_outcome_free(&o);
    free(block);
}

/* Of Google's reference code and of Guava, as they stand in the tests of go-jump. */
CHECK(jump, published_vectors)
{
    static const uint32_t of_100[] = {0, 55, 62, 8, 45, 59, 86, 97, 82, 59, 73, 37, 17, 56, 86, 21, 90, 37, 38, 83};
    for (uint32_t key = 0; key < 20; key += check_large() ? 1 : 4)
        vector(key, 100, of_100[key]);
    vector(UINT64_C(10863919174838991), 11, 6);
    vector(UINT64_C(2016238256797177309), 11, 3);
    vector(UINT64_C(1673758223894951030), 11, 5);
    vector(2, 100001, 80343);
    vector(2201, 100001, 22152);
    vector(2202, 100001, 15018);
    vector(1, 6, 0);
    vector(1, 17, 6);
    vector(1, 18, 17);
    vector(0xdeadbeef, 16, 5);
    vector(0xdeadbeef, 17, 16);
}

CHECK(jump, any_number_of_nodes)
{
    struct rng r = random_of_test(10);
    const uint32_t many[] = {1, 2, 3, 10, 1000, between(&r, 1001, 99999), 500000};
    for (uint32_t i = 0; i < sizeof many / sizeof *many; i++) {
        struct list *l = list_create(RULE_JUMP, CH_USUAL);
        if (i == 0)
            list_lookup(l, rng_next(&r), 1); /* nobody is there */
        list_add(l, between(&r, 0, 1000), 1, many[i]);
        list_lookup(l, rng_next(&r), check_large() ? 3000 : 300);
        list_lookup(l, 0, 1);
        list_lookup(l, UINT64_MAX, 1);
        list_check(ENTRY, l, NULL);
    }
}

/* Nodes with any numbers, in any order: jump counts them as they join, and only the last can leave. */
CHECK(jump, only_the_last_leaves)
{
    struct rng r = random_of_test(11);
    struct list *l = list_create(RULE_JUMP, CH_USUAL);
    for (uint32_t i = 0; i < (check_large() ? 600 : 120); i++) {
        const uint32_t what = rng_below(&r, 8), nodes = model_nodes(l->model);
        if (what < 3 || nodes < 2)
            list_add(l, no_node(l, &r), 1, 1);
        else if (what == 3)
            list_remove(l, some_node(l, &r)); /* most often not the last: refused */
        else if (what == 4)
            list_remove(l, model_node(l->model, nodes - 1));
        else if (what == 5)
            list_remove(l, no_node(l, &r));
        else
            list_lookup(l, rng_next(&r), between(&r, 2, 20));
        if (i % 32 == 31)
            list_add(l, no_node(l, &r), 2, 1); /* a weight that it can't keep */
    }
    list_check(ENTRY, l, "A node that isn't the last can't leave: -ENOTSUP, and nothing changes.");
}
