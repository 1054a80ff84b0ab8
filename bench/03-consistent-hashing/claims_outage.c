/* claims_outage.c: what movement does to a cache tier that hits 99 % and grows from 10 nodes to 11.
 *
 * The tier: each node keeps what it was asked for. One request of 100 is for something new, which no cache can have; all
 * others are for one of KEYS things, each as often as any other. When the eleventh node joins, every one of these has
 * been asked for, and is where the map said.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "sim/rng.h"

#include <math.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NODES        10u
#define KEYS         100000u
#define HIT          0.99

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
    t.kept = run_memory((size_t)(NODES + 1) * KEYS, 1);
    t.place = run_memory(CH_MAX_NODES, sizeof *t.place);
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

static double hit_after(const char *entry, uint64_t seed)
{
    struct tier t = tier_create(entry, seed);
    map_add(&t.map, t.node[NODES].id);
    const double hit = serve(&t, SOON);
    tier_destroy(&t);
    return hit;
}

/* ---- the claims ---- */

static double modulo_hit(void)
{
    return theory_hit_after(HIT, 1 - theory_modulo_moves(NODES));
}

static double modulo_origin(void)
{
    return theory_origin_load(HIT, modulo_hit());
}

static double ring_hit(void)
{
    return theory_hit_after(HIT, NODES / (NODES + 1.0));
}

static double ring_origin(void)
{
    return theory_origin_load(HIT, ring_hit());
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

static double hit(void)
{
    return HIT;
}

static double after_modulo(const struct claim_run *run)
{
    return hit_after(run->broken ? "ring" : "modulo", run->seed);
}

static double after_ring(const struct claim_run *run)
{
    return hit_after(run->broken ? "modulo" : "ring", run->seed);
}

static double load_modulo(const struct claim_run *run)
{
    return theory_origin_load(HIT, after_modulo(run));
}

static double load_ring(const struct claim_run *run)
{
    return theory_origin_load(HIT, after_ring(run));
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
     .predict = hit,
     .measure = before},
    {.id = "hit-ratio-modulo",
     .statement = "An eleventh cache joins, and modulo leaves one key of eleven in place: the hit ratio falls to 9 %.",
     .formula = "0.99 / 11",
     .unit = "of requests",
     .source = "simulated",
     .broken = "a ring in place of modulo",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .predict = modulo_hit,
     .measure = after_modulo,
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
     .predict = modulo_origin,
     .measure = load_modulo,
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
     .predict = ring_hit,
     .measure = after_ring,
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
     .predict = ring_origin,
     .measure = load_ring,
     .slack = 0.1,
     .slack_why = SLACK_WHY},
};

/* ---- the plot ---- */

static const double moment[] = {0.01, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5};

static double moment_at(uint32_t i)
{
    return moment[i];
}

/* The hit ratio of the last SOON requests before a moment, in requests for each of the KEYS. */
static double hit_at(const char *entry, uint32_t i, const struct claim_run *run)
{
    struct tier t = tier_create(entry, run->seed);
    map_add(&t.map, t.node[NODES].id);
    serve(&t, (uint32_t)(moment[i] * KEYS) - SOON);
    const double now = serve(&t, SOON);
    tier_destroy(&t);
    return now;
}

static double modulo_at(uint32_t i, const struct claim_run *run)
{
    return hit_at("modulo", i, run);
}

static double ring_at(uint32_t i, const struct claim_run *run)
{
    return hit_at("ring", i, run);
}

/* Of the keys that moved, those asked for since then are back: 1 - e^-(0.99 x requests / KEYS). */
static double modulo_line(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return HIT * (1 - theory_modulo_moves(NODES) * exp(-HIT * moment[i]));
}

static double ring_line(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return HIT * (1 - exp(-HIT * moment[i]) / (NODES + 1));
}

static const struct claim_series series[] = {
    {"ring, theory", true, COUNT(moment), moment_at, ring_line},
    {"ring", false, COUNT(moment), moment_at, ring_at},
    {"modulo, theory", true, COUNT(moment), moment_at, modulo_line},
    {"modulo", false, COUNT(moment), moment_at, modulo_at},
    {0},
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
