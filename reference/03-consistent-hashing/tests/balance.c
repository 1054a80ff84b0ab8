/* balance.c: how even shares are, against what theory says. */
#include "maps.h"

#include <math.h>

TestSuite(balance, .timeout = 60);

#define KEYS  200000u
#define NODES 100u

static void count(const struct map_run *m, uint32_t *keys, uint32_t ids)
{
    static uint32_t owner[KEYS];
    memset(keys, 0, ids * sizeof *keys);
    map_owners(m, owner, KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        if (owner[i] >= ids)
            cr_assert(false, "%s: expected: a node that is there; actual: %u", m->name, owner[i]);
        keys[owner[i]]++;
    }
}

/* Of `keys`, against shares in proportion to `weight` (0: not there). */
static double chi_square(const uint32_t *keys, const uint32_t *weight, uint32_t ids)
{
    double sum = 0, total = 0;
    for (uint32_t i = 0; i < ids; i++)
        total += weight[i];
    for (uint32_t i = 0; i < ids; i++) {
        double expected = KEYS * (weight[i] / total), d = keys[i] - expected;
        sum += weight[i] ? d * d / expected : keys[i] * 1e9;
    }
    return sum;
}

/* n - 1 degrees of freedom: mean n - 1, standard deviation sqrt(2 (n - 1)). Five of them. */
static void expect_even(const struct map_run *m, const uint32_t *weight, uint32_t ids)
{
    uint32_t keys[NODES], n = 0;
    count(m, keys, ids);
    for (uint32_t i = 0; i < ids; i++)
        n += weight[i] > 0;
    double chi = chi_square(keys, weight, ids), most = n - 1 + 5 * sqrt(2.0 * (n - 1));
    cr_assert(chi < most, "%s, %u nodes: expected: a chi square below %.0f; actual: %.0f", m->name, n, most, chi);
}

Test(balance, hashing_entries_are_as_even_as_chance)
{
    static const char *const name[] = {"modulo", "jump",    "jump-simd",           "rendezvous",  "binomial",
                                       "anchor", "memento", "weighted-rendezvous", "bounded-jump"};
    for (uint32_t i = 0; i < sizeof name / sizeof *name; i++)
        for (uint32_t n = 2; n <= NODES; n += n < 20 ? 3 : 17) {
            struct ch_config c = map_config();
            struct map_run m;
            struct ch_node node[NODES];
            uint32_t weight[NODES];
            plain_nodes(node, n);
            for (uint32_t k = 0; k < n; k++)
                weight[k] = 1;
            map_start_with(&m, name[i], &c, node, n);
            expect_even(&m, weight, n);
            map_stop(&m);
        }
}

/* Those that any node can leave stay even; so does what the removed ones had. */
Test(balance, the_rest_stays_even_when_nodes_leave)
{
    static const char *const name[] = {"rendezvous", "anchor", "memento", "weighted-rendezvous"};
    for (uint32_t i = 0; i < 4; i++) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[NODES];
        uint32_t weight[NODES];
        struct rng r;
        c.capacity = 130;
        rng_seed(&r, i, 4);
        plain_nodes(node, NODES);
        for (uint32_t k = 0; k < NODES; k++)
            weight[k] = 1;
        map_start_with(&m, name[i], &c, node, NODES);
        for (uint32_t left = NODES; left > 5;) {
            uint32_t id = rng_below(&r, NODES);
            if (!weight[id])
                continue;
            weight[id] = 0;
            cr_assert(m.ops->remove(m.map, id) == 0, "%s: node %u leaves", name[i], id);
            if (--left % 19 == 0)
                expect_even(&m, weight, NODES);
        }
        map_stop(&m);
    }
}

Test(balance, exact_weights_are_exact)
{
    struct ch_config c = map_config();
    struct map_run m;
    struct ch_node node[40];
    uint32_t weight[40];
    for (uint32_t k = 0; k < 40; k++)
        node[k] = (struct ch_node){.id = k, .weight = weight[k] = k == 3 ? CH_MAX_WEIGHT : 1 + 17 * k % 50};
    map_start_with(&m, "weighted-rendezvous", &c, node, 40);
    expect_even(&m, weight, 40);
    map_stop(&m);
}

/* Standard deviation of shares over their mean. */
static double variation(const struct map_run *m, uint32_t n)
{
    uint32_t keys[NODES];
    double sum = 0, mean = (double)KEYS / n;
    count(m, keys, n);
    for (uint32_t k = 0; k < n; k++)
        sum += (keys[k] - mean) * (keys[k] - mean);
    return sqrt(sum / n) / mean;
}

/* sqrt((N-1) / (N V + 1)), and what counting a sample adds. */
Test(balance, rings_vary_as_their_points_let_them)
{
    static const uint32_t points[] = {10, 100, 1000};
    for (uint32_t i = 0; i < 3; i++) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[NODES];
        c.points = points[i];
        plain_nodes(node, NODES);
        map_start_with(&m, "ring", &c, node, NODES);
        double arcs = (NODES - 1) / (NODES * (double)points[i] + 1), should = sqrt(arcs + (double)NODES / KEYS);
        double is = variation(&m, NODES);
        cr_assert(is > 0.75 * should && is < 1.25 * should, "%u points: expected: a variation of %.4f; actual: %.4f",
                  points[i], should, is);
        map_stop(&m);
    }
}

Test(balance, more_probes_are_more_even)
{
    double before = 10;
    for (uint32_t probes = 1; probes <= 64; probes *= 8) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[NODES];
        uint32_t keys[NODES], most = 0;
        c.probes = probes;
        plain_nodes(node, NODES);
        map_start_with(&m, "multi-probe", &c, node, NODES);
        count(&m, keys, NODES);
        for (uint32_t k = 0; k < NODES; k++)
            most = keys[k] > most ? keys[k] : most;
        double peak = most / (KEYS / (double)NODES);
        cr_assert(peak < before && peak < 1 + 1.5 / (probes - 0.9) + 0.07,
                  "%u probes: expected: at most 1 + 1/%u of the mean, about; actual: %.3f", probes, probes - 1, peak);
        before = peak;
        map_stop(&m);
    }
}

/* Shares in proportion to weights, for entries that take them, within what their granularity allows. */
Test(balance, weights_are_shares)
{
    static const struct {
        const char *name;
        double within;
    } entry[] = {{"ring", 0.25},   {"fast-ring", 0.25}, {"ring-eytzinger", 0.25},
                 {"ketama", 0.25}, {"maglev", 0.04},    {"bounded-ring", 0.25}};
    for (uint32_t i = 0; i < sizeof entry / sizeof *entry; i++) {
        struct ch_config c = map_config();
        struct map_run m;
        struct ch_node node[10];
        uint32_t keys[10], total = 0;
        c.slots = 65537;
        for (uint32_t k = 0; k < 10; k++, total += k)
            node[k] = (struct ch_node){.id = k, .weight = k + 1};
        map_start_with(&m, entry[i].name, &c, node, 10);
        count(&m, keys, 10);
        for (uint32_t k = 0; k < 10; k++) {
            double share = (double)keys[k] / KEYS, should = (k + 1.0) / total;
            double within = entry[i].within / sqrt(k / 3.0 + 1) + 0.02;
            cr_assert(fabs(share / should - 1) < within, "%s, weight %u: expected: %.4f of the keys; actual: %.4f",
                      entry[i].name, k + 1, should, share);
        }
        map_stop(&m);
    }
}
