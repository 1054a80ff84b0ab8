/* table.c: Maglev's table slot by slot, against the paper's program. */
#include "maps.h"

TestSuite(table, .timeout = 60);

#define MOST_SLOTS 4099u
#define MOST_NODES 60u

/* A key in the middle of a slot. */
static uint64_t key_of_slot(uint32_t slot, uint32_t slots)
{
    uint64_t width = UINT64_MAX / slots;
    return slot * width + width / 2;
}

static void read_table(const struct map_run *m, uint32_t slots, uint32_t *owner)
{
    for (uint32_t s = 0; s < slots; s++)
        owner[s] = map_ask(m, key_of_slot(s, slots));
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const struct ch_node *)a)->id, y = ((const struct ch_node *)b)->id;
    return (x > y) - (x < y);
}

/* Permutations written down, turns taken one by one. */
static void naive_table(const struct ch_node *node, uint32_t n, uint32_t slots, uint32_t *owner)
{
    __extension__ typedef unsigned __int128 wide;
    struct ch_node list[MOST_NODES];
    uint32_t turns[MOST_NODES] = {0}, at[MOST_NODES] = {0}, heaviest = 0, left = slots;
    memcpy(list, node, n * sizeof *list);
    qsort(list, n, sizeof *list, by_id);
    for (uint32_t k = 0; k < n; k++)
        heaviest = list[k].weight > heaviest ? list[k].weight : heaviest;
    memset(owner, 0xff, slots * sizeof *owner);
    for (uint64_t round = 0; left > 0; round++)
        for (uint32_t k = 0; k < n && left > 0; k++) {
            if ((uint64_t)turns[k] * heaviest > round * list[k].weight)
                continue;
            uint64_t offset = (uint64_t)((wide)ch_point(list[k].id, 0) * slots >> 64);
            uint64_t skip = 1 + (uint64_t)((wide)ch_point(list[k].id, 1) * (slots - 1) >> 64);
            while (owner[(offset + at[k] * skip) % slots] != CH_NONE)
                at[k]++;
            owner[(offset + at[k] * skip) % slots] = list[k].id;
            turns[k]++;
            left--;
        }
}

static void expect_table(const struct map_run *m, const struct ch_node *node, uint32_t n, uint32_t slots,
                         const char *when)
{
    static uint32_t is[MOST_SLOTS], should[MOST_SLOTS];
    read_table(m, slots, is);
    naive_table(node, n, slots, should);
    for (uint32_t s = 0; s < slots; s++)
        if (is[s] != should[s])
            cr_assert(false, "%u nodes, %u slots, %s: expected: slot %u is node %u's; actual: %u's", n, slots, when, s,
                      should[s], is[s]);
}

/* One story: nodes come one by one or several at a time, and go; the table is what it would be from scratch. */
static void follow(uint64_t seed, uint32_t slots, uint32_t heaviest)
{
    struct ch_config c = map_config();
    struct map_run m;
    struct ch_node node[MOST_NODES];
    struct rng r;
    uint32_t n = 0, most = slots < MOST_NODES ? slots : MOST_NODES;
    c.slots = slots;
    rng_seed(&r, seed, 8);
    random_nodes(&r, node, most, CH_WEIGHTS, heaviest);
    if (map_start(&m, "maglev", &c) != 0)
        cr_assert(false, "%u slots: created", slots);
    while (n < most) {
        uint32_t some = rng_below(&r, 3) ? 1 : 1 + rng_below(&r, most - n);
        if (m.ops->add(m.map, &node[n], some) != 0)
            cr_assert(false, "%u join %u", some, n);
        n += some;
        expect_table(&m, node, n, slots, "one more");
        if (n > 1 && rng_below(&r, 3) == 0) {
            if (m.ops->remove(m.map, node[--n].id) != 0)
                cr_assert(false, "one leaves");
            expect_table(&m, node, n, slots, "one less");
        }
    }
    map_stop(&m);
}

Test(table, one_that_joins_makes_the_table_that_scratch_would)
{
    static const uint32_t slots[] = {2, 3, 5, 13, 61, 251, 1009, 4099};
    for (uint32_t i = 0; i < 8; i++)
        for (uint64_t seed = 1; seed <= 6; seed++) {
            follow(seed, slots[i], 1);
            follow(seed, slots[i], 2);
            follow(seed, slots[i], seed % 2 ? 10 : CH_MAX_WEIGHT);
        }
    cr_assert(true, "all tables were right");
}

Test(table, equal_nodes_have_equally_many_slots)
{
    static uint32_t owner[MOST_SLOTS];
    for (uint32_t n = 1; n <= MOST_NODES; n += 7) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[MOST_NODES];
        uint32_t count[MOST_NODES] = {0};
        plain_nodes(node, n);
        map_start_with(&m, "maglev", &c, node, n);
        read_table(&m, c.slots, owner);
        for (uint32_t s = 0; s < c.slots; s++)
            count[owner[s]]++;
        for (uint32_t k = 0; k < n; k++)
            cr_assert(count[k] == c.slots / n || count[k] == c.slots / n + 1,
                      "%u nodes, %u slots: expected: node %u has %u or one more; actual: %u", n, c.slots, k,
                      c.slots / n, count[k]);
        map_stop(&m);
    }
}

/* Turns so far differ from round x weight / heaviest by less than one: so do slots. */
Test(table, weights_have_slots_in_proportion)
{
    static uint32_t owner[MOST_SLOTS];
    struct ch_config c = map_config();
    struct map_run m;
    struct ch_node node[20];
    uint32_t count[20] = {0}, first = 0;
    for (uint32_t k = 0; k < 20; k++)
        node[k] = (struct ch_node){.id = k, .weight = k == 0 ? CH_MAX_WEIGHT : 50 * k};
    map_start_with(&m, "maglev", &c, node, 20);
    read_table(&m, c.slots, owner);
    for (uint32_t s = 0; s < c.slots; s++)
        count[owner[s]]++;
    first = count[0];
    for (uint32_t k = 1; k < 20; k++) {
        double should = (double)first * node[k].weight / CH_MAX_WEIGHT;
        cr_assert(count[k] > should - 2 && count[k] < should + 2, "weight %u: expected: about %.1f slots; actual: %u",
                  node[k].weight, should, count[k]);
    }
    map_stop(&m);
}
