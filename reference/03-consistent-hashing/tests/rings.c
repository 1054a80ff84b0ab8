/* rings.c: the rings against their definition, point by point. */
#include "maps.h"

TestSuite(rings, .timeout = 60);

#define MOST_POINTS 4000u

struct naive_point {
    uint64_t position;
    uint32_t owner;
};

struct naive {
    uint32_t bits, count;
    struct naive_point point[MOST_POINTS]; /* in no order */
};

static void naive_fill(struct naive *v, const struct ch_config *c, const struct ch_node *node, uint32_t n)
{
    v->bits = c->bits;
    v->count = 0;
    for (uint32_t k = 0; k < n; k++)
        for (uint32_t i = 0; i < c->points * node[k].weight; i++)
            v->point[v->count++] =
                (struct naive_point){.position = ch_point(node[k].id, i) >> (64 - c->bits), .owner = node[k].id};
}

/* The least way clockwise; of equal ones the smallest id. */
static uint32_t naive_owner(const struct naive *v, uint64_t key)
{
    uint64_t mask = v->bits == 64 ? UINT64_MAX : (UINT64_C(1) << v->bits) - 1, least = UINT64_MAX;
    uint32_t owner = CH_NONE;
    for (uint32_t i = 0; i < v->count; i++) {
        uint64_t way = (v->point[i].position - (key >> (64 - v->bits))) & mask;
        if (way < least || (way == least && v->point[i].owner < owner)) {
            least = way;
            owner = v->point[i].owner;
        }
    }
    return owner;
}

/* Anywhere, or where something begins: on a point, beside it, at the ends. */
static uint64_t draw_key(struct rng *r, const struct naive *v)
{
    uint64_t at = v->point[rng_below(r, v->count)].position, low = rng_next(r) >> 1 >> (v->bits - 1);
    switch (rng_below(r, 6)) {
    case 0:
        return at << (64 - v->bits) | low;
    case 1:
        return (at + 1) << (64 - v->bits);
    case 2:
        return (at << (64 - v->bits)) - 1;
    case 3:
        return rng_below(r, 2) ? rng_below(r, 3) : UINT64_MAX - rng_below(r, 3);
    default:
        return rng_next(r);
    }
}

static void expect_owner(const struct map_run *m, const struct naive *v, uint64_t key, uint32_t owner)
{
    uint32_t should = naive_owner(v, key);
    if (owner != should)
        cr_assert(false, "%s, %u bits, %u points, key %lx: expected: node %u; actual: %u", m->name, v->bits, v->count,
                  key, should, owner);
}

static void follow(const char *name, struct ch_config c, struct rng *r)
{
    static struct naive v;
    enum { SOME = 53 };
    struct map_run m;
    struct ch_node node[12];
    uint64_t key[SOME];
    uint32_t owner[SOME], n = 1 + rng_below(r, 12), stay;
    random_nodes(r, node, n, CH_WEIGHTS, 3);
    if (map_start(&m, name, &c) != 0)
        cr_assert(false, "%s: created", name);
    for (uint32_t k = 0, some; k < n; k += some) { /* in several parts; they merge */
        some = 1 + rng_below(r, n - k);
        if (m.ops->add(m.map, &node[k], some) != 0)
            cr_assert(false, "%s: %u join", name, some);
    }
    for (stay = n; stay > 1 && rng_below(r, 2); stay--)
        if (m.ops->remove(m.map, node[stay - 1].id) != 0)
            cr_assert(false, "%s: one leaves", name);
    naive_fill(&v, &c, node, stay);
    for (uint32_t i = 0; i < SOME; i++) {
        key[i] = draw_key(r, &v);
        expect_owner(&m, &v, key[i], map_ask(&m, key[i]));
    }
    uint32_t some = rng_below(r, SOME + 1);
    if (m.ops->lookup_many)
        m.ops->lookup_many(m.map, key, owner, some);
    for (uint32_t i = 0; i < some && m.ops->lookup_many; i++)
        expect_owner(&m, &v, key[i], owner[i]);
    map_stop(&m);
}

Test(rings, each_ring_has_the_owners_of_the_definition)
{
    static const char *const name[] = {"ring", "fast-ring", "ring-eytzinger", "bounded-ring"};
    static const uint32_t bits[] = {8, 9, 12, 16, 24, 32, 33, 63, 64}, points[] = {1, 2, 7, 100};
    struct rng r;
    rng_seed(&r, 1, 5);
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t b = 0; b < 9; b++)
            for (uint32_t p = 0; p < 4; p++)
                for (uint32_t run = 0; run < 12; run++) {
                    struct ch_config c = map_config();
                    c.bits = bits[b];
                    c.points = points[p];
                    follow(name[i], c, &r);
                }
    cr_assert(true, "all owners were right");
}

/* More points than any naive model: the three among themselves. */
Test(rings, large_rings_agree)
{
    enum { NODES = 300, KEYS = 50001 };
    static uint32_t owner[3][KEYS];
    static const char *const name[] = {"ring", "fast-ring", "ring-eytzinger"};
    for (uint32_t bits = 16; bits <= 64; bits += 16) {
        for (uint32_t i = 0; i < 3; i++) {
            struct ch_config c = map_config();
            struct map_run m;
            struct ch_node node[NODES];
            c.bits = bits;
            plain_nodes(node, NODES);
            map_start_with(&m, name[i], &c, node, NODES);
            map_owners(&m, owner[i], KEYS);
            map_stop(&m);
        }
        cr_assert(memcmp(owner[0], owner[1], sizeof owner[0]) == 0 && memcmp(owner[0], owner[2], sizeof owner[0]) == 0,
                  "%u bits: expected: three rings, the same owners", bits);
    }
}

/* Clockwise, each node at its first point. */
Test(rings, replicas_follow_clockwise)
{
    static struct naive v;
    static const struct ch_node node[] = {{5, 1}, {900, 2}, {33, 1}, {2, 3}};
    static const char *const name[] = {"ring", "fast-ring", "ring-eytzinger"};
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t bits = 8; bits <= 64; bits += 56) {
            struct ch_config c = map_config();
            struct map_run m;
            struct rng r;
            rng_seed(&r, bits, 6);
            c.bits = bits;
            map_start_with(&m, name[i], &c, node, 4);
            for (uint32_t k = 0; k < 300; k++) {
                uint32_t list[4];
                naive_fill(&v, &c, node, 4);
                uint64_t key = draw_key(&r, &v);
                m.ops->replicas(m.map, key, 4, list);
                for (uint32_t j = 0; j < 4; j++) { /* the next owner is that of a ring without those before */
                    expect_owner(&m, &v, key, list[j]);
                    uint32_t kept = 0;
                    for (uint32_t p = 0; p < v.count; p++)
                        if (v.point[p].owner != list[j])
                            v.point[kept++] = v.point[p];
                    v.count = kept;
                }
            }
            map_stop(&m);
        }
    cr_assert(true, "all replicas were right");
}

/* One point a node, by definition: of all probes and points the closest pair. */
Test(rings, multi_probe_takes_the_closest_of_its_probes)
{
    for (uint32_t n = 1; n <= 40; n += 13) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[40];
        plain_nodes(node, n);
        map_start_with(&m, "multi-probe", &c, node, n);
        for (uint32_t k = 0; k < 1000; k++) {
            uint64_t key = key_of(k), least = UINT64_MAX;
            uint32_t should = CH_NONE;
            for (uint32_t i = 0; i < c.probes; i++)
                for (uint32_t j = 0; j < n; j++) {
                    uint64_t way = ch_point(j, 0) - ch_mix(key + i * UINT64_C(0x9e3779b97f4a7c15));
                    if (way < least)
                        should = j;
                    least = way < least ? way : least;
                }
            if (map_ask(&m, key) != should)
                cr_assert(false, "%u nodes, key %lx: expected: %u; actual: %u", n, key, should, map_ask(&m, key));
        }
        map_stop(&m);
    }
    cr_assert(true, "all owners were right");
}
