/* moves.c: which keys move when nodes come and go; exact, key by key. */
#include "maps.h"

TestSuite(moves, .timeout = 60);

#define KEYS 20000u
#define SOME 3000u

/* From n to n + 1 nodes and back. A map of last-only removal is the same question for jump's kind. */
static uint32_t join_and_leave(const char *name, uint32_t n, uint32_t *astray)
{
    static uint32_t before[KEYS], with[KEYS], after[KEYS];
    struct ch_config c = map_config();
    struct map_run m;
    struct ch_node node[100];
    uint32_t wrong;
    plain_nodes(node, n + 1);
    map_start_with(&m, name, &c, node, n);
    map_owners(&m, before, KEYS);
    cr_assert(m.ops->add(m.map, &node[n], 1) == 0, "%s: node %u joins", name, n);
    map_owners(&m, with, KEYS);
    uint32_t moved = moves(before, with, KEYS, CH_NONE, n, astray);
    cr_assert(m.ops->remove(m.map, n) == 0, "%s: node %u leaves", name, n);
    map_owners(&m, after, KEYS);
    cr_assert(moves(before, after, KEYS, n, CH_NONE, &wrong) == 0,
              "%s, %u nodes, one joins and leaves: expected: the "
              "same map; actual: %u keys moved",
              name, n, moves(before, after, KEYS, n, CH_NONE, &wrong));
    map_stop(&m);
    return moved;
}

Test(moves, one_that_joins_takes_its_share_and_nobody_else_any)
{
    for (const char *const *e = map_entries; *e; e++) {
        uint32_t all_astray = 0;
        for (uint32_t n = 1; n <= 67; n += 1 + n / 2) {
            uint32_t astray, moved = join_and_leave(*e, n, &astray);
            double share = (double)moved / KEYS * (n + 1);
            all_astray += astray;
            if (!(map_ops(*e)->can & CH_MONOTONE))
                continue;
            cr_assert(astray == 0,
                      "%s, %u nodes and one: expected: keys move to the new one only; actual: %u of %u "
                      "did not",
                      *e, n, astray, moved);
            cr_assert(share > 0.6 && share < 1.4, "%s, %u nodes and one: expected: 1/%u move; actual: %u of %u", *e, n,
                      n + 1, moved, KEYS);
        }
        bool stays = map_ops(*e)->can & CH_MONOTONE;
        cr_assert((all_astray == 0) == stays, "%s: expected: keys astray: %d; actual: %u", *e, !stays, all_astray);
    }
}

Test(moves, modulo_keeps_one_key_in_n_and_maglev_nearly_all)
{
    uint32_t astray;
    for (uint32_t n = 4; n <= 99; n += 19) {
        double moved = join_and_leave("modulo", n, &astray) / (double)KEYS, should = (double)n / (n + 1);
        cr_assert(moved > should - 0.01 && moved < should + 0.01,
                  "modulo, %u nodes and one: expected: %.3f move; "
                  "actual: %.3f",
                  n, should, moved);
        moved = join_and_leave("maglev", n, &astray) / (double)KEYS * (n + 1);
        cr_assert(astray > 0 && moved < 6,
                  "maglev, %u nodes and one: expected: more than need to, but not many; "
                  "actual: %.2f times",
                  n, moved);
    }
}

/* The sum of all weights changes how many digests the others get: see ketama.c. */
Test(moves, ketama_with_unequal_weights_moves_more_than_it_has_to)
{
    static uint32_t before[KEYS], after[KEYS];
    static const struct ch_node node[] = {{1, 3}, {2, 5}, {3, 7}, {4, 1}, {5, 10}};
    struct ch_config c = map_config();
    struct map_run m;
    uint32_t astray;
    map_start_with(&m, "ketama", &c, node, 4);
    map_owners(&m, before, KEYS);
    cr_assert(m.ops->add(m.map, &node[4], 1) == 0, "a node joins");
    map_owners(&m, after, KEYS);
    moves(before, after, KEYS, CH_NONE, 5, &astray);
    cr_assert(astray > 0 && !(m.ops->can & CH_MONOTONE), "expected: keys move between others; actual: none");
    map_stop(&m);
}

/* ---- long stories ------------------------------------------------------------------------------------------------ */

#define MOST 60u

struct story {
    struct map_run m;
    struct ch_node node[MOST + 1];
    uint32_t n;
};

/* Somebody comes or goes: whom it was about, and whether he came. Last in, first out where it has to be. */
static uint32_t next(struct story *s, struct rng *r, bool *came)
{
    *came = s->n == 0 || (s->n < MOST && rng_below(r, 100) < 55);
    if (*came) {
        struct ch_node fresh[MOST + 1];
        memcpy(fresh, s->node, sizeof fresh);
        for (bool twice = true; twice;) {
            random_nodes(r, &fresh[s->n], 1, s->m.ops->can, 7);
            twice = false;
            for (uint32_t i = 0; i < s->n; i++)
                twice |= fresh[i].id == fresh[s->n].id;
        }
        s->node[s->n] = fresh[s->n];
        cr_assert(s->m.ops->add(s->m.map, &s->node[s->n], 1) == 0, "%s: a node joins", s->m.name);
        return s->node[s->n++].id;
    }
    uint32_t at = s->m.ops->can & CH_ANY_NODE ? rng_below(r, s->n) : s->n - 1, id = s->node[at].id;
    cr_assert(s->m.ops->remove(s->m.map, id) == 0, "%s: a node leaves", s->m.name);
    memmove(&s->node[at], &s->node[at + 1], (s->n - at - 1) * sizeof *s->node);
    s->n--;
    return id;
}

Test(moves, nobody_moves_without_need_through_a_long_story)
{
    static uint32_t owner[2][SOME];
    for (const char *const *e = map_entries; *e; e++) {
        if (!(map_ops(*e)->can & CH_MONOTONE))
            continue;
        struct ch_config c = map_config();
        struct story s = {.n = 0};
        struct rng r;
        rng_seed(&r, 5, 1);
        cr_assert(map_start(&s.m, *e, &c) == 0, "%s: created", *e);
        for (uint32_t step = 0; step < 120; step++) {
            bool came;
            uint32_t astray, *before = owner[step % 2], *after = owner[(step + 1) % 2];
            uint32_t who = next(&s, &r, &came);
            map_owners(&s.m, after, SOME);
            if (step > 0 && s.n > came)
                moves(before, after, SOME, who, came ? who : CH_NONE, &astray);
            else
                astray = 0;
            cr_assert(astray == 0, "%s, step %u, node %u %s: expected: other keys stay; actual: %u moved", *e, step,
                      who, came ? "came" : "went", astray);
        }
        map_stop(&s.m);
    }
}

/* What is left after a story is what its nodes would have been at once, in any order. */
Test(moves, order_makes_no_difference_where_an_entry_says_so)
{
    static uint32_t owner[2][SOME];
    for (const char *const *e = map_entries; *e; e++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            struct ch_config c = map_config();
            struct story s = {.n = 0};
            struct map_run fresh;
            struct rng r;
            c.bits = seed % 2 ? 64 : 10;
            rng_seed(&r, seed, 2);
            cr_assert(map_start(&s.m, *e, &c) == 0, "%s: created", *e);
            for (uint32_t step = 0; step < 30 || s.n < 2; step++) {
                bool came;
                next(&s, &r, &came);
            }
            map_owners(&s.m, owner[0], SOME);
            if (s.m.ops->can & CH_ORDER_FREE)
                shuffle(&r, s.node, s.n);
            if (s.m.ops->can & CH_ORDER_FREE || !(s.m.ops->can & CH_ANY_NODE)) {
                map_start_with(&fresh, *e, &c, s.node, s.n);
                map_owners(&fresh, owner[1], SOME);
                cr_assert(memcmp(owner[0], owner[1], sizeof owner[0]) == 0,
                          "%s, story %lu: expected: the map of its "
                          "%u nodes",
                          *e, seed, s.n);
                map_stop(&fresh);
            }
            map_stop(&s.m);
        }
}

/* 1 then 2 leave, or 2 then 1: anchor and memento then differ, which is why they don't say CH_ORDER_FREE. */
Test(moves, order_does_matter_to_those_with_a_history)
{
    static const char *const name[] = {"anchor", "memento"};
    static uint32_t owner[2][SOME];
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t way = 0; way < 2; way++) {
            struct ch_config c = map_config();
            struct map_run m;
            struct ch_node node[10];
            plain_nodes(node, 10);
            map_start_with(&m, name[i], &c, node, 10);
            cr_assert(m.ops->remove(m.map, 1 + way) == 0 && m.ops->remove(m.map, 2 - way) == 0, "two leave");
            map_owners(&m, owner[way], SOME);
            map_stop(&m);
        }
        cr_assert(memcmp(owner[0], owner[1], sizeof owner[0]) != 0, "%s: expected: two histories, two maps", name[i]);
    }
}
