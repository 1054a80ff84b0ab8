/* claims_balance.c: how even the shares are, who gets what a dead node had, and who can be kept from getting too much. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"
#include "sim/rng.h"
#include "sim/zipf.h"

#include <math.h>
#include <stdlib.h>

/* ---- a ring's shares ---- */

struct spread {
    double cv_squared, largest; /* of shares, in units of the mean share */
};

/* On a ring of n nodes. */
static struct spread spread_of(uint32_t n, uint32_t points, uint64_t seed)
{
    struct ch_config config = CH_USUAL;
    struct spread s = {0, 0};
    config.points = points;
    struct ch_node *node = nodes_at_random(seed, n);
    struct map map = map_create("ring", &config, node, n);
    double *share = ring_shares(&map, node, n, points);
    for (uint32_t i = 0; i < n; i++) {
        const double x = share[i] * n;
        s.cv_squared += (x - 1) * (x - 1) / n;
        s.largest = x > s.largest ? x : s.largest;
    }
    map_destroy(&map);
    free(share);
    free(node);
    return s;
}

/* The square is what has a formula for its mean; the root of a mean is no mean of roots. */
static double squared_cv(const struct claim_run *run)
{
    const double cv = theory_ring_cv(100, run->n);
    return cv * cv;
}

static double spread(const struct claim_run *run)
{
    return spread_of(100, run->n, run->seed).cv_squared;
}

static double harmonic_10(const struct claim_run *run)
{
    (void)run;
    return theory_harmonic(10);
}

static double largest_of_10(const struct claim_run *run)
{
    return spread_of(10, run->n, run->seed).largest;
}

/* ---- a node dies ---- */

/* Of the keys that a dead node had, the share that one survivor takes. */
static double takeover(const struct claim_run *run)
{
    enum { NODES = 10, KEYS = 20000 };
    struct ch_config config = CH_USUAL;
    config.points = run->n;
    struct ch_node *node = nodes_at_random(run->seed, NODES);
    uint64_t *key = keys_at_random(run->seed, KEYS);
    struct map map = map_create("ring", &config, node, NODES);
    uint32_t *before = owners_of(&map, key, KEYS), *taken = xcalloc(CH_MAX_NODES, sizeof *taken), all = 0, most = 0;
    map_remove(&map, node[3].id);
    uint32_t *after = owners_of(&map, key, KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        if (before[i] != node[3].id)
            continue;
        const uint32_t now = ++taken[after[i]];
        all++;
        most = now > most ? now : most;
    }
    map_destroy(&map);
    free(after);
    free(taken);
    free(before);
    free(key);
    free(node);
    return all ? (double)most / all : 1; /* a slice too small for any key lies with one neighbour as well */
}

/* ---- two nodes die ---- */

/* Of all pairs of 100 nodes, the share that holds both copies of some key. */
static double pairs_lost(uint32_t points, uint64_t seed)
{
    const uint32_t n = 100;
    struct ch_config config = CH_USUAL;
    uint32_t lost = 0, copy[2];
    config.points = points;
    struct ch_node *node = nodes_at_random(seed, n);
    struct map map = map_create("ring", &config, node, n);
    uint32_t *place = xcalloc(CH_MAX_NODES, sizeof *place);
    unsigned char *pair = xcalloc((size_t)n * n, 1);
    for (uint32_t i = 0; i < n; i++)
        place[node[i].id] = i;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < points; k++) { /* every slice of the ring ends at a point */
            map.ops->replicas(map.state, ch_point(node[i].id, k), 2, copy);
            const uint32_t a = place[copy[0]], b = place[copy[1]];
            lost += !pair[a * n + b];
            pair[a * n + b] = pair[b * n + a] = 1;
        }
    }
    map_destroy(&map);
    free(pair);
    free(place);
    free(node);
    return lost / (n * (n - 1) / 2.0);
}

static double predict_pairs(const struct claim_run *run)
{
    return theory_pairs_lost(100, (uint32_t)run->x);
}

static double pairs(const struct claim_run *run)
{
    return pairs_lost((uint32_t)run->x, run->seed);
}

/* ---- weights ---- */

/* Of five nodes of weights 1, 1, 2, 4, 8 the largest one's share; broken, all weights are 1. */
static double heaviest(const struct claim_run *run)
{
    enum { KEYS = 20000 };
    static const uint32_t weight[] = {1, 1, 2, 4, 8};
    const struct ch_config config = CH_USUAL;
    struct ch_node *node = nodes_at_random(run->seed, COUNT(weight));
    for (uint32_t i = 0; i < COUNT(weight) && !run->broken; i++)
        node[i].weight = weight[i];
    uint64_t *key = keys_at_random(run->seed, KEYS);
    struct map map = map_create(run->entry, &config, node, COUNT(weight));
    uint32_t *owner = owners_of(&map, key, KEYS), his = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        his += owner[i] == node[COUNT(weight) - 1].id;
    map_destroy(&map);
    free(owner);
    free(key);
    free(node);
    return (double)his / KEYS;
}

/* ---- bounded loads ---- */

/* 20,000 requests for 1000 keys by Zipf's law go to ten nodes: the most that a node ever holds, over what it may. */
static double over_the_bound(const struct claim_run *run)
{
    const bool bounded = !run->broken;
    enum { NODES = 10, KEYS = 1000, REQUESTS = 20000 };
    const struct ch_config config = CH_USUAL;
    struct rng random;
    struct zipf law;
    double worst = 0;
    rng_seed(&random, run->seed, 3);
    zipf_init(&law, KEYS, 1);
    struct ch_node *node = nodes_at_random(run->seed, NODES);
    uint64_t *key = keys_at_random(run->seed, KEYS);
    uint32_t *load = xcalloc(CH_MAX_NODES, sizeof *load);
    struct map map = map_create(bounded ? "bounded-ring" : "ring", &config, node, NODES);
    for (uint64_t m = 1; m <= REQUESTS; m++) {
        const uint64_t k = key[zipf_draw(&law, &random) - 1];
        const uint32_t owner = bounded ? map.ops->place(map.state, k) : map.ops->lookup(map.state, k);
        worst = fmax(worst, (double)++load[owner] / (double)most_allowed(config.percent, m, 1, NODES));
    }
    map_destroy(&map);
    free(load);
    free(key);
    free(node);
    return worst;
}

static const struct claim claims[] = {
    {.id = "spread-1",
     .statement = "With one point a node the shares on a ring of 100 nodes differ by as much as their mean: CV 0.99.",
     .formula = "CV^2 = (N - 1) / (N V + 1)",
     .unit = "squared CV",
     .source = "counted",
     .broken = "two points a node in place of one",
     .relation = CLAIM_EQUALS,
     .seeds = 400,
     .of = {.n = 1},
     .instead = {.n = 2},
     .predict = squared_cv,
     .measure = spread},
    {.id = "spread-100",
     .statement = "100 points a node bring the CV down to 0.10.",
     .formula = "CV^2 = (N - 1) / (N V + 1)",
     .unit = "squared CV",
     .source = "counted",
     .broken = "50 points a node in place of 100",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.n = 100},
     .instead = {.n = 50},
     .predict = squared_cv,
     .measure = spread},
    {.id = "spread-256",
     .statement = "256 points, Cassandra's old default, bring it down to 0.062.",
     .formula = "CV^2 = (N - 1) / (N V + 1)",
     .unit = "squared CV",
     .source = "counted",
     .broken = "128 points a node in place of 256",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.n = 256},
     .instead = {.n = 128},
     .predict = squared_cv,
     .measure = spread},
    {.id = "spread-1000",
     .statement = "1000 points bring it down to 0.031: ten times the points for a third of the spread.",
     .formula = "CV^2 = (N - 1) / (N V + 1)",
     .unit = "squared CV",
     .source = "counted",
     .broken = "500 points a node in place of 1000",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.n = 1000},
     .instead = {.n = 500},
     .predict = squared_cv,
     .measure = spread},
    {.id = "fullest-of-10",
     .statement = "With one point a node the fullest of 10 nodes has 2.9 times its share.",
     .formula = "1 + 1/2 + ... + 1/N",
     .unit = "times the mean share",
     .source = "counted",
     .broken = "100 points a node in place of one",
     .relation = CLAIM_EQUALS,
     .seeds = 400,
     .of = {.n = 1},
     .instead = {.n = 100},
     .predict = harmonic_10,
     .measure = largest_of_10},
    {.id = "takeover",
     .statement = "With one point a node, one survivor gets all that a dead node had.",
     .formula = "1",
     .unit = "of the dead node's keys",
     .source = "counted",
     .broken = "100 points a node in place of one",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.n = 1},
     .instead = {.n = 100},
     .predicted = 1,
     .measure = takeover},
    {.id = "two-nodes-1",
     .statement = "Two copies, one point a node, 100 nodes: if two nodes die, some key is lost in one case of 50.",
     .formula = "2 / (N - 1)",
     .unit = "of all pairs",
     .source = "counted",
     .broken = "16 points a node in place of one",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.x = 1},
     .instead = {.x = 16},
     .predict = predict_pairs,
     .measure = pairs},
    {.id = "two-nodes-16",
     .statement = "With 16 points, Cassandra's default now, it is one case in four.",
     .formula = "1 - (1 - 1/(N-1))^(2 V)",
     .unit = "of all pairs",
     .source = "counted",
     .broken = "256 points a node in place of 16",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.x = 16},
     .instead = {.x = 256},
     .predict = predict_pairs,
     .measure = pairs,
     .slack = 0.01,
     .slack_why =
         "the formula takes the points for independent; two of a node's own that stand side by side count once"},
    {.id = "two-nodes-256",
     .statement = "With 256 points nearly every pair holds both copies of something: balance is paid for with this.",
     .formula = "1 - (1 - 1/(N-1))^(2 V)",
     .unit = "of all pairs",
     .source = "counted",
     .broken = "16 points a node in place of 256",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.x = 256},
     .instead = {.x = 16},
     .predict = predict_pairs,
     .measure = pairs,
     .slack = 0.01,
     .slack_why =
         "the formula takes the points for independent; two of a node's own that stand side by side count once"},
    {.id = "weights-rendezvous",
     .statement = "Weighted rendezvous gives a node of weight 8 among 1, 1, 2, 4, 8 half of all keys.",
     .formula = "weight / sum of weights",
     .unit = "of all keys",
     .source = "counted",
     .broken = "weights that are all 1",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "weighted-rendezvous"},
     .predicted = 8 / 16.0,
     .measure = heaviest},
    {.id = "weights-ring",
     .statement = "A ring does so too, on average over where the points happen to stand.",
     .formula = "weight / sum of weights",
     .unit = "of all keys",
     .source = "counted",
     .broken = "weights that are all 1",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "ring"},
     .predicted = 8 / 16.0,
     .measure = heaviest},
    {.id = "bounded",
     .statement = "A ring with bounded loads never holds more on a node than it may, hot keys or not.",
     .formula = "at most 1: load / ceil((1 + e) m / n), after every one of 20,000 placements",
     .unit = "times the bound",
     .source = "counted",
     .broken = "a plain ring",
     .relation = CLAIM_AT_MOST,
     .seeds = 8,
     .predicted = 1,
     .measure = over_the_bound},
};

/* ---- the plot ---- */

static const double points[] = {1, 3, 10, 30, 100, 300, 1000};

static double cv_line(const struct claim_run *run)
{
    return theory_ring_cv(100, (uint32_t)run->x);
}

static double cv_point(const struct claim_run *run)
{
    return sqrt(spread_of(100, (uint32_t)run->x, run->seed).cv_squared);
}

static const struct claim_series series[] = {
    {.name = "CV of shares, theory", .line = true, .points = COUNT(points), .at = points, .y = cv_line},
    {.name = "CV of shares", .points = COUNT(points), .at = points, .y = cv_point},
    {.name = "pairs of nodes that lose a key, theory",
     .line = true,
     .points = COUNT(points),
     .at = points,
     .y = predict_pairs},
    {.name = "pairs of nodes that lose a key", .points = COUNT(points), .at = points, .y = pairs},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "points",
     .title = "What more points a node buy, and what they cost (100 nodes)",
     .reading =
         "More points make the shares even: the spread falls with their root. And they make every node everybody's "
         "neighbour: with two copies of each key, the share of pairs of nodes whose loss loses a key rises to all.",
     .x = "points a node",
     .x_unit = "points",
     .y = "CV, or share of pairs",
     .y_unit = "ratio",
     .log_x = true,
     .log_y = true,
     .seeds = 8,
     .series = series},
};

const struct claim_part part_balance = {.claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
