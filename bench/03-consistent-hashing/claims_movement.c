/* claims_movement.c: which keys move when a node joins or leaves, and which of them had to. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <stdlib.h>

#define KEYS 20000u

/* Of all keys, those that move when a map of x nodes is joined by one more. */
static double moved(const struct claim_run *run)
{
    const struct ch_config config = CH_USUAL;
    const struct movement m = move_of(run->entry, &config, (uint32_t)run->x, NODE_JOINS, KEYS, run->seed);
    return (double)m.moved / (double)m.keys;
}

static double predict_modulo(const struct claim_run *run)
{
    return theory_modulo_moves((uint32_t)run->x);
}

static double predict_least(const struct claim_run *run)
{
    return 1 / (run->x + 1);
}

/* Of all keys that moved when one of 50 nodes left, those that didn't have to. */
static double extra(const struct claim_run *run)
{
    const struct ch_config config = CH_USUAL;
    const struct movement m = move_of(run->entry, &config, 50, 17, KEYS, run->seed);
    return (double)m.extra / (double)m.moved;
}

/* ---- jump's steps: a key's owner changes, as the nodes grow from 1 to n, once for each jump ---- */

#define STEPS_NODES 1000u

static double predict_steps(const struct claim_run *run)
{
    (void)run;
    return theory_harmonic(STEPS_NODES);
}

static double steps(const struct claim_run *run)
{
    enum { SOME = 500 };
    const struct ch_config config = CH_USUAL;
    struct map map = map_create(run->entry, &config, &(struct ch_node){0, 1}, 1);
    uint64_t *key = keys_at_random(run->seed, SOME);
    uint32_t *before = owners_of(&map, key, SOME), jumps = SOME; /* the first one: to node 0 */
    for (uint32_t n = 1; n < STEPS_NODES; n++) {
        map_add(&map, n);
        for (uint32_t i = 0; i < SOME; i++) {
            const uint32_t owner = map.ops->lookup(map.state, key[i]);
            jumps += owner != before[i];
            before[i] = owner;
        }
    }
    map_destroy(&map);
    free(before);
    free(key);
    return (double)jumps / SOME;
}

/* ---- Maglev: all that moved over what had to, when one of n leaves a table of m slots ---- */

static double ratio_of(const char *entry, uint32_t n, uint32_t slots, uint64_t seed)
{
    struct ch_config config = CH_USUAL;
    config.slots = slots;
    const struct movement m = move_of(entry, &config, n, n / 3, 400000, seed);
    return (double)m.moved / (double)m.necessary;
}

/* x nodes, n slots. */
static double ratio(const struct claim_run *run)
{
    return ratio_of(run->entry, (uint32_t)run->x, run->n, run->seed);
}

static double maglev_grows(const struct claim_run *run)
{
    return (ratio(run) - 1) / (ratio_of(run->entry, 100, run->n, run->seed) - 1);
}

static const struct claim claims[] = {
    {.id = "modulo-4-5",
     .statement = "Modulo: when 4 nodes become 5, four keys of five move.",
     .formula = "N / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "jump in place of modulo",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "modulo", .x = 4},
     .instead = {.entry = "jump"},
     .predict = predict_modulo,
     .measure = moved},
    {.id = "modulo-10-11",
     .statement = "Modulo: when 10 nodes become 11, ten keys of eleven move.",
     .formula = "N / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "jump in place of modulo",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "modulo", .x = 10},
     .instead = {.entry = "jump"},
     .predict = predict_modulo,
     .measure = moved},
    {.id = "modulo-99-100",
     .statement = "Modulo: the more nodes there are, the worse it gets: from 99 to 100 it is 99 keys of 100.",
     .formula = "N / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "jump in place of modulo",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "modulo", .x = 99},
     .instead = {.entry = "jump"},
     .predict = predict_modulo,
     .measure = moved},
    {.id = "ring-10-11",
     .statement = "A ring of 100 points a node moves only what the newcomer takes: one key of eleven.",
     .formula = "1 / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "modulo in place of the ring",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .of = {.entry = "ring", .x = 10},
     .instead = {.entry = "modulo"},
     .predict = predict_least,
     .measure = moved},
    {.id = "jump-100-101",
     .statement = "Jump moves one key of 101 when 100 nodes become 101.",
     .formula = "1 / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "modulo in place of jump",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "jump", .x = 100},
     .instead = {.entry = "modulo"},
     .predict = predict_least,
     .measure = moved},
    {.id = "jump-steps",
     .statement = "Jump needs no memory and about ln n steps: 7.5 jumps a lookup with 1000 nodes.",
     .formula = "1 + 1/2 + ... + 1/n, about ln n + 0.58",
     .unit = "jumps a key",
     .source = "counted",
     .broken = "modulo in place of jump",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "jump"},
     .instead = {.entry = "modulo"},
     .predict = predict_steps,
     .measure = steps},
    {.id = "rendezvous-monotone",
     .statement = "Rendezvous: when any one of 50 nodes leaves, no key moves that was not its own.",
     .formula = "0",
     .unit = "of the moved keys",
     .source = "counted",
     .broken = "modulo in place of rendezvous",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "rendezvous"},
     .instead = {.entry = "modulo"},
     .predicted = 0,
     .measure = extra},
    {.id = "anchor-monotone",
     .statement = "Anchor does so too, with one look into memory instead of 50 hashes.",
     .formula = "0",
     .unit = "of the moved keys",
     .source = "counted",
     .broken = "Maglev in place of anchor",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "anchor"},
     .instead = {.entry = "maglev"},
     .predicted = 0,
     .measure = extra},
    {.id = "memento-monotone",
     .statement = "Memento does so for jump: a node in the middle leaves, and only its keys move.",
     .formula = "0",
     .unit = "of the moved keys",
     .source = "counted",
     .broken = "Maglev in place of memento",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "memento"},
     .instead = {.entry = "maglev"},
     .predicted = 0,
     .measure = extra},
    {.id = "maglev-more-than-double",
     .statement =
         "Maglev moves more than it must, and no constant 'about double': with 1000 nodes on 65,537 slots it is "
         "far more than twice.",
     .formula = "at least 2",
     .unit = "moved / necessary",
     .source = "counted",
     .broken = "rendezvous in place of Maglev",
     .relation = CLAIM_AT_LEAST,
     .seeds = 8,
     .of = {.entry = "maglev", .x = 1000, .n = 65537},
     .instead = {.entry = "rendezvous"},
     .predicted = 2,
     .measure = ratio},
    {.id = "maglev-grows",
     .statement =
         "What Maglev moves too much grows with nodes over slots: from 100 to 1000 nodes, more than five times.",
     .formula = "extra / necessary at 1000 nodes, over that at 100: at least 5",
     .unit = "times as much",
     .source = "counted",
     .broken = "150 nodes in place of 1000",
     .relation = CLAIM_AT_LEAST,
     .seeds = 24,
     .of = {.entry = "maglev", .x = 1000, .n = 65537},
     .instead = {.x = 150},
     .predicted = 5,
     .measure = maglev_grows},
};

/* ---- the plots ---- */

static const double sizes[] = {2, 4, 10, 25, 60, 150, 400};

static const struct claim_series moves[] = {
    {.name = "modulo, theory", .line = true, .points = COUNT(sizes), .at = sizes, .y = predict_modulo},
    {.name = "modulo", .points = COUNT(sizes), .at = sizes, .of = {.entry = "modulo"}, .y = moved},
    {.name = "ring, theory", .line = true, .points = COUNT(sizes), .at = sizes, .y = predict_least},
    {.name = "ring", .points = COUNT(sizes), .at = sizes, .of = {.entry = "ring"}, .y = moved},
    {.name = "jump", .points = COUNT(sizes), .at = sizes, .of = {.entry = "jump"}, .y = moved},
    {.name = NULL},
};

static const double fleets[] = {10, 30, 100, 300, 1000};

static const struct claim_series tables[] = {
    {.name = "Maglev on 65,537 slots",
     .points = COUNT(fleets),
     .at = fleets,
     .of = {.entry = "maglev", .n = 65537},
     .y = ratio},
    {.name = "Maglev on 655,373 slots",
     .points = COUNT(fleets),
     .at = fleets,
     .of = {.entry = "maglev", .n = 655373},
     .y = ratio},
    {.name = "ring", .points = COUNT(fleets), .at = fleets, .of = {.entry = "ring", .n = 65537}, .y = ratio},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "moved",
     .title = "One node joins N: the share of keys that change their node",
     .reading = "Modulo moves nearly everything, and more of it the more nodes there are. Ring (100 points a node) and "
                "jump move what the "
                "newcomer is to have, and nothing else.",
     .x = "nodes before",
     .x_unit = "nodes",
     .y = "moved",
     .y_unit = "of all keys",
     .log_x = true,
     .log_y = true,
     .seeds = 8,
     .series = moves},
    {.id = "maglev",
     .title = "One of N nodes leaves: all keys that move, over those that had to",
     .reading = "A ring moves what it must: 1. Maglev moves more, the more nodes share its table; a table ten times as "
                "large puts that off and does not end it.",
     .x = "nodes",
     .x_unit = "nodes",
     .y = "moved / necessary",
     .y_unit = "ratio",
     .log_x = true,
     .log_y = true,
     .seeds = 8,
     .series = tables},
};

const struct claim_part part_movement = {
    .claim = claims, .claims = COUNT(claims), .plot = plots, .plots = COUNT(plots)};
