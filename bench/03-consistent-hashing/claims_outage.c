/* claims_outage.c: what movement does to a cache tier that hits 99 % and grows from 10 nodes to 11.
 *
 * The tier: each node keeps what it was asked for. One request of 100 is for something new, which no cache can have; all
 * others are for one of KEYS things, each as often as any other. When the eleventh node joins, every one of these has
 * been asked for, and is where the map said.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"
#include "sim/rng.h"

#include <math.h>
#include <stdlib.h>

#define NODES 10u
#define KEYS  100000u
#define HIT   0.99

struct tier {
    struct map map;
    struct ch_node *node; /* [NODES + 1] */
    uint64_t *key;        /* [KEYS] */
    unsigned char *kept;  /* [NODES + 1][KEYS] */
    uint32_t *place;      /* of a node's number */
    struct rng random;
};

static unsigned char *kept_at(struct tier *t, uint32_t i)
{
    const uint32_t owner = t->map.ops->lookup(t->map.state, t->key[i]);
    return t->kept + (size_t)t->place[owner] * KEYS + i;
}

static struct tier tier_create(const char *entry, uint64_t seed)
{
    const struct ch_config config = CH_USUAL;
    struct tier t = {.node = nodes_at_random(seed, NODES + 1), .key = keys_at_random(seed, KEYS)};
    rng_seed(&t.random, seed, 4);
    t.kept = xcalloc((size_t)(NODES + 1) * KEYS, 1);
    t.place = xcalloc(CH_MAX_NODES, sizeof *t.place);
    for (uint32_t i = 0; i <= NODES; i++)
        t.place[t.node[i].id] = i;
    t.map = map_create(entry, &config, t.node, NODES);
    for (uint32_t i = 0; i < KEYS; i++)
        *kept_at(&t, i) = 1;
    return t;
}

static void tier_destroy(struct tier *t)
{
    map_destroy(&t->map);
    free(t->place);
    free(t->kept);
    free(t->key);
    free(t->node);
}

/* Of so many requests, the share that was answered from a cache. What was not there is, from now on. */
static double serve(struct tier *t, uint32_t requests)
{
    uint32_t hits = 0;
    for (uint32_t i = 0; i < requests; i++) {
        if (rng_double(&t->random) >= HIT)
            continue; /* something new */
        unsigned char *kept = kept_at(t, rng_below(&t->random, KEYS));
        hits += *kept;
        *kept = 1;
    }
    return (double)hits / requests;
}

/* While SOON requests are served, what missed comes back: of the keys that are not in place, up to SOON / KEYS. */
#define SOON 1000u

static double hit_after(const struct claim_run *run)
{
    struct tier t = tier_create(run->entry, run->seed);
    map_add(&t.map, t.node[NODES].id);
    const double hit = serve(&t, SOON);
    tier_destroy(&t);
    return hit;
}

static double load_after(const struct claim_run *run)
{
    return theory_origin_load(HIT, hit_after(run));
}

/* ---- the claims ---- */

/* x: the share of keys that stays in place. */
static double predict_hit(const struct claim_run *run)
{
    return theory_hit_after(HIT, run->x);
}

static double predict_load(const struct claim_run *run)
{
    return theory_origin_load(HIT, predict_hit(run));
}

static double before(const struct claim_run *run)
{
    struct tier t = tier_create("modulo", run->seed);
    if (run->broken)
        map_add(&t.map, t.node[NODES].id);
    const double hit = serve(&t, 20 * SOON);
    tier_destroy(&t);
    return hit;
}

#define SLACK_WHY "while it is measured, up to 1 % of what is missing comes back"

static const struct claim claims[] = {
    {.id = "before",
     .statement = "Ten caches that kept what they were asked for answer 99 requests of 100.",
     .formula = "0.99, as one request of 100 is for something new",
     .unit = "of requests",
     .source = "simulated",
     .broken = "just after an eleventh node has joined",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .predicted = HIT,
     .measure = before},
    {.id = "hit-ratio-modulo",
     .statement = "An eleventh cache joins, and modulo leaves one key of eleven in place: the hit ratio falls to 9 %.",
     .formula = "0.99 / 11",
     .unit = "of requests",
     .source = "simulated",
     .broken = "a ring in place of modulo",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "modulo", .x = 1 - NODES / (NODES + 1.0)},
     .instead = {.entry = "ring"},
     .predict = predict_hit,
     .measure = hit_after,
     .slack = 0.01,
     .slack_why = SLACK_WHY},
    {.id = "origin-load-modulo",
     .statement = "So the database behind it gets 91 times the requests that it got a moment before.",
     .formula = "(1 - 0.99 / 11) / (1 - 0.99)",
     .unit = "times before",
     .source = "simulated",
     .broken = "a ring in place of modulo",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "modulo", .x = 1 - NODES / (NODES + 1.0)},
     .instead = {.entry = "ring"},
     .predict = predict_load,
     .measure = load_after,
     .slack = 1,
     .slack_why = SLACK_WHY},
    {.id = "hit-ratio-ring",
     .statement = "A ring leaves ten keys of eleven in place: the hit ratio is still 90 %.",
     .formula = "0.99 x 10 / 11",
     .unit = "of requests",
     .source = "simulated",
     .broken = "modulo in place of the ring",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "ring", .x = NODES / (NODES + 1.0)},
     .instead = {.entry = "modulo"},
     .predict = predict_hit,
     .measure = hit_after,
     .slack = 0.001,
     .slack_why = SLACK_WHY},
    {.id = "origin-load-ring",
     .statement = "Even so the database gets ten times its load: to move little is not to move nothing.",
     .formula = "(1 - 0.99 x 10 / 11) / (1 - 0.99)",
     .unit = "times before",
     .source = "simulated",
     .broken = "modulo in place of the ring",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "ring", .x = NODES / (NODES + 1.0)},
     .instead = {.entry = "modulo"},
     .predict = predict_load,
     .measure = load_after,
     .slack = 0.1,
     .slack_why = SLACK_WHY},
};

/* ---- the plot ---- */

static const double moments[] = {0.01, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5};

/* The hit ratio of the last SOON requests before a moment, in requests for each of the KEYS. */
static double hit_at(const struct claim_run *run)
{
    struct tier t = tier_create(run->entry, run->seed);
    map_add(&t.map, t.node[NODES].id);
    serve(&t, (uint32_t)(run->x * KEYS) - SOON);
    const double now = serve(&t, SOON);
    tier_destroy(&t);
    return now;
}

/* Of the keys that moved, those asked for since then are back: 1 - e^-(0.99 x requests / KEYS). */
static double modulo_line(const struct claim_run *run)
{
    return HIT * (1 - theory_modulo_moves(NODES) * exp(-HIT * run->x));
}

static double ring_line(const struct claim_run *run)
{
    return HIT * (1 - exp(-HIT * run->x) / (NODES + 1));
}

static const struct claim_series series[] = {
    {.name = "ring, theory", .line = true, .points = COUNT(moments), .at = moments, .y = ring_line},
    {.name = "ring", .points = COUNT(moments), .at = moments, .of = {.entry = "ring"}, .y = hit_at},
    {.name = "modulo, theory", .line = true, .points = COUNT(moments), .at = moments, .y = modulo_line},
    {.name = "modulo", .points = COUNT(moments), .at = moments, .of = {.entry = "modulo"}, .y = hit_at},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "outage",
     .title = "Ten caches become eleven: the hit ratio from that moment on",
     .reading =
         "All caches are full when the eleventh joins, and with modulo nothing is where it is looked for. It takes "
         "several requests for each key until all is back, if the database lives that long.",
     .x = "requests since then, for each key there is",
     .x_unit = "requests / key",
     .y = "hit ratio",
     .y_unit = "of requests",
     .seeds = 8,
     .series = series},
};

const struct claim_part part_outage = {.claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
