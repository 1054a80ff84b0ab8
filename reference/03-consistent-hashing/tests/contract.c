/* contract.c: what every entry must have, refuse and survive. */
#include "maps.h"

TestSuite(contract, .timeout = 60);

#define KEYS 600u

Test(contract, entries_are_all_here)
{
    uint32_t count = 0;
    for (const char *const *e = map_entries; *e; e++, count++) {
        const struct ch_ops *o = map_ops(*e);
        cr_assert(o->create && o->destroy && o->add && o->remove && o->lookup && o->replicas && o->bytes,
                  "%s lacks something", *e);
        cr_assert(!o->place == !o->release && !o->place == (strncmp(*e, "bounded-", 8) != 0),
                  "%s: expected: place and release with bounded loads only", *e);
    }
    cr_assert((ptrdiff_t)count == __stop_plugin_entries - __start_plugin_entries, "expected: %td entries; actual: %u",
              __stop_plugin_entries - __start_plugin_entries, count);
}

static int try_config(const char *name, struct ch_config c)
{
    struct map_run m;
    int code = map_start(&m, name, &c);
    if (code == 0)
        map_stop(&m);
    return code;
}

Test(contract, configurations_out_of_bounds_are_refused_by_those_who_use_them)
{
    static const struct {
        const char *name;
        size_t field;
        uint32_t good, bad;
    } bounds[] = {
        {"ring", offsetof(struct ch_config, points), 1, 0},
        {"ring", offsetof(struct ch_config, points), 10000, 10001},
        {"fast-ring", offsetof(struct ch_config, bits), 8, 7},
        {"ring-eytzinger", offsetof(struct ch_config, bits), 64, 65},
        {"maglev", offsetof(struct ch_config, slots), 2, 1},
        {"maglev", offsetof(struct ch_config, slots), 3, 0},
        {"maglev", offsetof(struct ch_config, slots), 65537, 65536},
        {"maglev", offsetof(struct ch_config, slots), 4099, 64 * 64 + 1},
        {"maglev", offsetof(struct ch_config, slots), 1000003, 134217757},
        {"multi-probe", offsetof(struct ch_config, probes), 1, 0},
        {"multi-probe", offsetof(struct ch_config, probes), 1000, 1001},
        {"anchor", offsetof(struct ch_config, capacity), 1, 0},
        {"anchor", offsetof(struct ch_config, capacity), CH_MAX_NODES, CH_MAX_NODES + 1},
        {"bounded-ring", offsetof(struct ch_config, percent), 100, 99},
        {"bounded-jump", offsetof(struct ch_config, percent), 10000, 10001},
    };
    for (uint32_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct ch_config good = CH_USUAL, bad = CH_USUAL;
        memcpy((char *)&good + bounds[i].field, &bounds[i].good, sizeof bounds[i].good);
        memcpy((char *)&bad + bounds[i].field, &bounds[i].bad, sizeof bounds[i].bad);
        cr_assert(try_config(bounds[i].name, good) == 0, "%s: expected: %u is taken", bounds[i].name, bounds[i].good);
        cr_assert(try_config(bounds[i].name, bad) == -EINVAL, "%s: expected: %u is refused", bounds[i].name,
                  bounds[i].bad);
    }
    struct ch_config nothing = {0};
    cr_assert(try_config("jump", nothing) == 0 && try_config("rendezvous", nothing) == 0,
              "expected: what is not used is not looked at");
}

Test(contract, without_nodes_there_is_no_answer)
{
    for (const char *const *e = map_entries; *e; e++) {
        struct ch_config c = map_config();
        struct map_run m;
        uint32_t node[3] = {7, 7, 7};
        uint64_t key[3] = {0, UINT64_MAX, 5};
        cr_assert(map_start(&m, *e, &c) == 0, "%s: created", *e);
        cr_assert(map_ask(&m, 0) == CH_NONE && map_ask(&m, UINT64_MAX) == CH_NONE, "%s: expected: CH_NONE", *e);
        cr_assert(m.ops->replicas(m.map, 9, 3, node) == 0 && node[0] == 7, "%s: expected: no replicas", *e);
        cr_assert(m.ops->remove(m.map, 0) == -ENOENT, "%s: expected: -ENOENT", *e);
        cr_assert(!m.ops->place || (m.ops->place(m.map, 1) == CH_NONE && m.ops->release(m.map, 0) == -ENOENT),
                  "%s: expected: nothing to place on", *e);
        if (m.ops->lookup_many) {
            m.ops->lookup_many(m.map, key, node, 3);
            cr_assert(node[0] == CH_NONE && node[1] == CH_NONE && node[2] == CH_NONE, "%s: expected: CH_NONE", *e);
        }
        map_stop(&m);
    }
}

struct answers {
    uint32_t owner[KEYS], third[KEYS];
};

static void note(const struct map_run *m, struct answers *a)
{
    uint32_t node[3];
    map_owners(m, a->owner, KEYS);
    for (uint32_t i = 0; i < KEYS; i++)
        a->third[i] = m->ops->replicas(m->map, key_of(i), 3, node) == 3 ? node[2] : CH_NONE;
}

static void expect_refusal(struct map_run *m, const struct ch_node *node, uint32_t n, int expected)
{
    static struct answers before, after;
    note(m, &before);
    int code = m->ops->add(m->map, node, n);
    note(m, &after);
    cr_assert(code == expected, "%s: expected: %d; actual: %d", m->name, expected, code);
    cr_assert(memcmp(&before, &after, sizeof before) == 0, "%s, refused with %d: expected: nothing changed", m->name,
              code);
}

Test(contract, what_fails_changes_nothing)
{
    for (const char *const *e = map_entries; *e; e++) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[20], bad[3] = {{100, 1}, {101, 1}, {102, 1}};
        plain_nodes(node, 20);
        map_start_with(&m, *e, &c, node, 20);
        bad[2] = (struct ch_node){101, 1};
        expect_refusal(&m, bad, 3, -EEXIST);
        bad[2] = (struct ch_node){19, 1};
        expect_refusal(&m, bad, 3, -EEXIST);
        bad[2] = (struct ch_node){CH_MAX_NODES, 1};
        expect_refusal(&m, bad, 3, -EINVAL);
        bad[2] = (struct ch_node){CH_NONE, 1};
        expect_refusal(&m, bad, 3, -EINVAL);
        bad[2] = (struct ch_node){102, 0};
        expect_refusal(&m, bad, 3, -EINVAL);
        bad[2] = (struct ch_node){102, CH_MAX_WEIGHT + 1};
        expect_refusal(&m, bad, 3, -EINVAL);
        bad[2] = (struct ch_node){102, 2};
        if (!(m.ops->can & CH_WEIGHTS))
            expect_refusal(&m, bad, 3, -ENOTSUP);
        cr_assert(m.ops->remove(m.map, 100) == -ENOENT && m.ops->remove(m.map, CH_MAX_NODES) == -ENOENT &&
                      m.ops->remove(m.map, CH_NONE) == -ENOENT,
                  "%s: expected: who isn't there can't leave", *e);
        if (!(m.ops->can & CH_ANY_NODE))
            cr_assert(m.ops->remove(m.map, 3) == -ENOTSUP && m.ops->remove(m.map, 0) == -ENOTSUP,
                      "%s: expected: only the last can leave", *e);
        bad[2] = (struct ch_node){102, 1};
        cr_assert(m.ops->add(m.map, bad, 3) == 0, "%s: expected: the same nodes, without fault, join", *e);
        map_stop(&m);
    }
}

Test(contract, more_nodes_than_there_is_room_for_are_refused)
{
    static const char *const name[] = {"maglev", "anchor", "bounded-maglev"};
    for (uint32_t i = 0; i < 3; i++) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[14];
        c.slots = c.capacity = 13;
        plain_nodes(node, 14);
        cr_assert(map_start(&m, name[i], &c) == 0, "%s: created", name[i]);
        expect_refusal(&m, node, 14, -ENOSPC);
        cr_assert(m.ops->add(m.map, node, 5) == 0 && m.ops->add(m.map, node + 5, 8) == 0, "%s: 13 join", name[i]);
        expect_refusal(&m, node + 13, 1, -ENOSPC);
        bool seen[13] = {false};
        for (uint32_t k = 0; k < 2000; k++)
            seen[map_ask(&m, key_of(k))] = true;
        for (uint32_t k = 0; k < 13; k++)
            cr_assert(seen[k], "%s, full: expected: node %u has keys", name[i], k);
        map_stop(&m);
    }
}

Test(contract, ids_may_be_any_below_the_bound)
{
    static const struct ch_node node[] = {{CH_MAX_NODES - 1, 1}, {0, 1}, {63, 1}, {64, 1}, {524288, 1}};
    for (const char *const *e = map_entries; *e; e++) {
        struct ch_config c = map_config();
        struct map_run m;
        uint32_t keys[5] = {0};
        map_start_with(&m, *e, &c, node, 5);
        for (uint32_t i = 0; i < 2000; i++)
            for (uint32_t k = 0, id = map_ask(&m, key_of(i)); k < 5; k++)
                keys[k] += node[k].id == id;
        cr_assert(keys[0] + keys[1] + keys[2] + keys[3] + keys[4] == 2000, "%s: expected: nodes that are there", *e);
        for (uint32_t k = 0; k < 5; k++)
            cr_assert(keys[k] > 0, "%s: expected: node %u has keys", *e, node[k].id);
        for (uint32_t k = 5; k-- > 0;)
            cr_assert(m.ops->remove(m.map, node[k].id) == 0, "%s: expected: node %u leaves", *e, node[k].id);
        map_stop(&m);
    }
}

/* Down to nobody and up again, and two maps side by side: no state outside. */
Test(contract, who_comes_back_is_the_same_one)
{
    static struct answers before, after;
    for (const char *const *e = map_entries; *e; e++) {
        struct ch_config c = map_config();
        struct map_run m, other;
        struct ch_node node[12];
        plain_nodes(node, 12);
        map_start_with(&m, *e, &c, node, 12);
        map_start_with(&other, *e, &c, node, 2);
        note(&m, &before);
        for (uint32_t i = 12; i-- > 0;)
            cr_assert(m.ops->remove(m.map, i) == 0, "%s: expected: node %u leaves", *e, i);
        cr_assert(map_ask(&m, 5) == CH_NONE, "%s: expected: nobody is left", *e);
        for (uint32_t i = 0; i < 12; i++)
            cr_assert(m.ops->add(m.map, &node[i], 1) == 0, "%s: expected: node %u is back", *e, i);
        note(&m, &after);
        cr_assert(memcmp(&before, &after, sizeof before) == 0, "%s: expected: the same map again", *e);
        cr_assert(m.ops->bytes(m.map) >= m.ops->bytes(other.map) && m.ops->bytes(other.map) > 0,
                  "%s: expected: more nodes don't take less", *e);
        map_stop(&other);
        map_stop(&m);
    }
}

static void check_order(const struct map_run *m, uint64_t key, uint32_t n)
{
    enum { MOST = 60 };
    uint32_t all[MOST], some[MOST];
    uint32_t count = m->ops->replicas(m->map, key, MOST, all);
    bool good = count == n && all[0] == map_ask(m, key);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            good &= all[i] != all[j];
    for (uint32_t most = 1; most <= n; most += 1 + most / 3) {
        good &= m->ops->replicas(m->map, key, most, some) == most;
        good &= memcmp(some, all, most * sizeof *some) == 0;
    }
    if (!good)
        cr_assert(false, "%s, key %lx: expected: an order of preference of %u nodes", m->name, key, n);
}

Test(contract, replicas_are_different_nodes_in_one_order)
{
    for (const char *const *e = map_entries; *e; e++)
        for (uint32_t n = 1; n <= 41; n += n < 4 ? 1 : 12) {
            struct ch_config c = map_config();
            struct map_run m;
            struct rng r;
            struct ch_node node[41];
            rng_seed(&r, n, 3);
            random_nodes(&r, node, n, map_ops(*e)->can, 9);
            map_start_with(&m, *e, &c, node, n);
            for (uint64_t i = 0; i < 150; i++)
                check_order(&m, i == 0 ? 0 : i == 1 ? UINT64_MAX : key_of(i), n);
            map_stop(&m);
        }
    cr_assert(true, "all were orders of preference");
}

/* Points that are all hidden, servers without a point: still nodes. */
Test(contract, nodes_that_own_nothing_are_replicas_too)
{
    static const char *const name[] = {"ring", "fast-ring", "ring-eytzinger", "bounded-ring", "ketama"};
    for (uint32_t i = 0; i < 5; i++) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[40];
        plain_nodes(node, 40);
        c.bits = 8;
        c.points = 40;
        if (strcmp(name[i], "ketama") == 0)
            node[7].weight = node[0].weight = CH_MAX_WEIGHT;
        map_start_with(&m, name[i], &c, node, 40);
        for (uint64_t k = 0; k < 200; k++)
            check_order(&m, key_of(k), 40);
        map_stop(&m);
    }
    cr_assert(true, "all were orders of preference");
}
