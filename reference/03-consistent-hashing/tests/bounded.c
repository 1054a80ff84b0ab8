/* bounded.c: bounded loads against their definition, and their promise at every step. */
#include "maps.h"

TestSuite(bounded, .timeout = 60);

#define MOST 24u

static const struct {
    const char *name, *inside;
} wrapped[] = {{"bounded-ring", "ring"},
               {"bounded-maglev", "maglev"},
               {"bounded-jump", "jump"},
               {"bounded-rendezvous", "rendezvous"}};

struct story {
    struct map_run m, inside;
    struct ch_node node[MOST]; /* n of them are there */
    uint64_t load[MOST], placed, percent;
    uint32_t n;
};

/* ceil(percent / 100 x keys x weight / sum of weights) */
static uint64_t cap(const struct story *s, uint32_t k, uint64_t keys)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < s->n; i++)
        total += s->node[i].weight;
    return (s->percent * keys * s->node[k].weight + 100 * total - 1) / (100 * total);
}

static uint32_t find(const struct story *s, uint32_t id)
{
    for (uint32_t k = 0; k < s->n; k++)
        if (s->node[k].id == id)
            return k;
    cr_assert(false, "%s: expected: a node that is there; actual: %u", s->m.name, id);
    return 0;
}

/* The first in the order of preference of the map inside. */
static uint32_t naive_place(const struct story *s, uint64_t key)
{
    uint32_t order[MOST], n = s->inside.ops->replicas(s->inside.map, key, MOST, order);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = find(s, order[i]);
        if (s->load[k] + 1 <= cap(s, k, s->placed + 1))
            return k;
    }
    cr_assert(false, "%s: expected: somebody has room", s->m.name);
    return 0;
}

static void place(struct story *s, uint64_t key)
{
    uint32_t should = naive_place(s, key), is = find(s, s->m.ops->place(s->m.map, key));
    s->load[is]++;
    s->placed++;
    if (is != should || s->load[is] > cap(s, is, s->placed))
        cr_assert(false, "%s at %lu %%, key %lx, the %lu-th: expected: node %u; actual: %u", s->m.name, s->percent, key,
                  s->placed, s->node[should].id, s->node[is].id);
}

static void come_or_go(struct story *s, struct rng *r)
{
    if (rng_below(r, 2) && s->n < MOST) { /* the next one is in the list, behind those that are there */
        if (s->m.ops->add(s->m.map, &s->node[s->n], 1) || s->inside.ops->add(s->inside.map, &s->node[s->n], 1))
            cr_assert(false, "%s: one joins", s->m.name);
        s->load[s->n++] = 0;
    } else if (s->n > 1) {
        uint32_t k = s->m.ops->can & CH_ANY_NODE ? rng_below(r, s->n) : s->n - 1;
        struct ch_node gone = s->node[k];
        if (s->m.ops->remove(s->m.map, gone.id) || s->inside.ops->remove(s->inside.map, gone.id))
            cr_assert(false, "%s: one leaves", s->m.name);
        s->placed -= s->load[k]; /* what it held is gone with it */
        s->n--;
        for (uint32_t i = k; i < s->n; i++) {
            s->node[i] = s->node[i + 1];
            s->load[i] = s->load[i + 1];
        }
        s->node[s->n] = gone;
    }
}

static void release(struct story *s, struct rng *r)
{
    uint32_t k = rng_below(r, s->n);
    int code = s->m.ops->release(s->m.map, s->node[k].id), should = s->load[k] ? 0 : -ENOENT;
    if (code != should)
        cr_assert(false, "%s: expected: %d; actual: %d", s->m.name, should, code);
    s->placed -= s->load[k] > 0;
    s->load[k] -= s->load[k] > 0;
}

static void follow(uint32_t which, uint32_t percent, uint64_t seed)
{
    struct ch_config c = map_config();
    struct story s = {.n = 1 + (uint32_t)seed % 12, .percent = percent};
    struct rng r;
    c.percent = percent;
    c.points = 1 + 5 * (uint32_t)(seed % 3);
    rng_seed(&r, seed, 9);
    random_nodes(&r, s.node, MOST, map_ops(wrapped[which].name)->can, 5);
    map_start_with(&s.m, wrapped[which].name, &c, s.node, s.n);
    map_start_with(&s.inside, wrapped[which].inside, &c, s.node, s.n);
    for (uint32_t step = 0; step < 1500; step++) {
        if (rng_below(&r, 100) < 2)
            come_or_go(&s, &r);
        else if (rng_below(&r, 4) == 0)
            release(&s, &r);
        else
            place(&s, rng_below(&r, 3) ? rng_next(&r) : 42); /* one key is hot */
        if (map_ask(&s.m, step) != map_ask(&s.inside, step))
            cr_assert(false, "%s: expected: lookups as without bounds", s.m.name);
    }
    map_stop(&s.m);
    map_stop(&s.inside);
}

Test(bounded, each_key_is_where_the_definition_puts_it)
{
    static const uint32_t percent[] = {100, 101, 125, 200, 10000};
    for (uint32_t w = 0; w < sizeof wrapped / sizeof *wrapped; w++)
        for (uint32_t p = 0; p < 5; p++)
            for (uint64_t seed = 1; seed <= 6; seed++)
                follow(w, percent[p], seed);
    cr_assert(true, "all keys were where they belong");
}

/* One point a node, the most uneven ring there is; and every key the same. */
Test(bounded, nobody_is_over_his_share_whatever_the_keys)
{
    enum { NODES = 50, KEYS = 5000 };
    for (uint32_t hot = 0; hot < 2; hot++) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[NODES];
        uint32_t load[NODES] = {0}, most = 0;
        c.points = 1;
        plain_nodes(node, NODES);
        map_start_with(&m, "bounded-ring", &c, node, NODES);
        for (uint32_t i = 0; i < KEYS; i++) {
            uint32_t id = m.ops->place(m.map, hot ? 7 : key_of(i));
            load[id]++;
            most = load[id] > most ? load[id] : most;
        }
        cr_assert(most == KEYS / NODES * 125 / 100, "expected: %u keys at the fullest node; actual: %u",
                  KEYS / NODES * 125 / 100, most);
        cr_assert(m.ops->release(m.map, 3) == 0 && m.ops->release(m.map, NODES) == -ENOENT &&
                      m.ops->release(m.map, CH_NONE) == -ENOENT,
                  "expected: a key of a node that is there can go");
        map_stop(&m);
    }
}
