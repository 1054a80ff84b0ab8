/* claims_movement.c: which keys move when a node joins or leaves, and which of them had to. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define KEYS         20000u

static double moved(const char *entry, uint32_t n, const struct claim_run *run)
{
    const struct ch_config config = CH_USUAL;
    const struct movement m = move_of(entry, &config, n, NODE_JOINS, KEYS, run->seed);
    return (double)m.moved / (double)m.keys;
}

/* ---- modulo ---- */

static double predict_4(void)
{
    return theory_modulo_moves(4);
}

static double predict_10(void)
{
    return theory_modulo_moves(10);
}

static double predict_99(void)
{
    return theory_modulo_moves(99);
}

static const char *or_jump(const struct claim_run *run)
{
    return run->broken ? "jump" : "modulo";
}

static double modulo_4(const struct claim_run *run)
{
    return moved(or_jump(run), 4, run);
}

static double modulo_10(const struct claim_run *run)
{
    return moved(or_jump(run), 10, run);
}

static double modulo_99(const struct claim_run *run)
{
    return moved(or_jump(run), 99, run);
}

/* ---- maps that move no more than they must ---- */

static double predict_ring(void)
{
    return 1 / 11.0;
}

static double ring_10(const struct claim_run *run)
{
    return moved(run->broken ? "modulo" : "ring", 10, run);
}

static double predict_jump(void)
{
    return 1 / 101.0;
}

static double jump_100(const struct claim_run *run)
{
    return moved(run->broken ? "modulo" : "jump", 100, run);
}

/* Of all keys that moved when one of 50 nodes left, those that didn't have to. */
static double extra(const char *entry, const struct claim_run *run)
{
    const struct ch_config config = CH_USUAL;
    const struct movement m = move_of(entry, &config, 50, 17, KEYS, run->seed);
    return (double)m.extra / (double)m.moved;
}

static double none(void)
{
    return 0;
}

static double anchor_extra(const struct claim_run *run)
{
    return extra(run->broken ? "maglev" : "anchor", run);
}

static double memento_extra(const struct claim_run *run)
{
    return extra(run->broken ? "maglev" : "memento", run);
}

static double rendezvous_extra(const struct claim_run *run)
{
    return extra(run->broken ? "modulo" : "rendezvous", run);
}

/* ---- jump's steps: a key's owner changes, as the nodes grow from 1 to n, once for each jump ---- */

#define STEPS_NODES 1000u

static double predict_steps(void)
{
    return theory_harmonic(STEPS_NODES);
}

static double steps(const struct claim_run *run)
{
    enum { SOME = 500 };
    const struct ch_config config = CH_USUAL;
    struct map map = map_create(run->broken ? "modulo" : "jump", &config, &(struct ch_node){0, 1}, 1);
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

static double maglev_ratio(const char *entry, uint32_t n, uint32_t slots, uint64_t seed)
{
    struct ch_config config = CH_USUAL;
    config.slots = slots;
    const struct movement m = move_of(entry, &config, n, n / 3, 400000, seed);
    return (double)m.moved / (double)m.necessary;
}

static double twice(void)
{
    return 2;
}

static double maglev_1000(const struct claim_run *run)
{
    return maglev_ratio(run->broken ? "rendezvous" : "maglev", 1000, 65537, run->seed);
}

static double five_times(void)
{
    return 5;
}

static double maglev_grows(const struct claim_run *run)
{
    const double few = maglev_ratio("maglev", 100, 65537, run->seed);
    return (maglev_ratio("maglev", run->broken ? 150 : 1000, 65537, run->seed) - 1) / (few - 1);
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
     .predict = predict_4,
     .measure = modulo_4},
    {.id = "modulo-10-11",
     .statement = "Modulo: when 10 nodes become 11, ten keys of eleven move.",
     .formula = "N / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "jump in place of modulo",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .predict = predict_10,
     .measure = modulo_10},
    {.id = "modulo-99-100",
     .statement = "Modulo: the more nodes there are, the worse it gets: from 99 to 100 it is 99 keys of 100.",
     .formula = "N / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "jump in place of modulo",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .predict = predict_99,
     .measure = modulo_99},
    {.id = "ring-10-11",
     .statement = "A ring of 100 points a node moves only what the newcomer takes: one key of eleven.",
     .formula = "1 / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "modulo in place of the ring",
     .relation = CLAIM_EQUALS,
     .seeds = 64,
     .predict = predict_ring,
     .measure = ring_10},
    {.id = "jump-100-101",
     .statement = "Jump moves one key of 101 when 100 nodes become 101.",
     .formula = "1 / (N + 1)",
     .unit = "of all keys",
     .source = "counted",
     .broken = "modulo in place of jump",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .predict = predict_jump,
     .measure = jump_100},
    {.id = "jump-steps",
     .statement = "Jump needs no memory and about ln n steps: 7.5 jumps a lookup with 1000 nodes.",
     .formula = "1 + 1/2 + ... + 1/n, about ln n + 0.58",
     .unit = "jumps a key",
     .source = "counted",
     .broken = "modulo in place of jump",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
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
     .predict = none,
     .measure = rendezvous_extra},
    {.id = "anchor-monotone",
     .statement = "Anchor does so too, with one look into memory instead of 50 hashes.",
     .formula = "0",
     .unit = "of the moved keys",
     .source = "counted",
     .broken = "Maglev in place of anchor",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .predict = none,
     .measure = anchor_extra},
    {.id = "memento-monotone",
     .statement = "Memento does so for jump: a node in the middle leaves, and only its keys move.",
     .formula = "0",
     .unit = "of the moved keys",
     .source = "counted",
     .broken = "Maglev in place of memento",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .predict = none,
     .measure = memento_extra},
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
     .predict = twice,
     .measure = maglev_1000},
    {.id = "maglev-grows",
     .statement =
         "What Maglev moves too much grows with nodes over slots: from 100 to 1000 nodes, more than five times.",
     .formula = "extra / necessary at 1000 nodes, over that at 100: at least 5",
     .unit = "times as much",
     .source = "counted",
     .broken = "150 nodes in place of 1000",
     .relation = CLAIM_AT_LEAST,
     .seeds = 24,
     .predict = five_times,
     .measure = maglev_grows},
};

/* ---- the plots ---- */

static const uint32_t sizes[] = {2, 4, 10, 25, 60, 150, 400};

static double size_at(uint32_t i)
{
    return sizes[i];
}

static double modulo_line(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return theory_modulo_moves(sizes[i]);
}

static double least_line(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return 1 / (sizes[i] + 1.0);
}

static double modulo_point(uint32_t i, const struct claim_run *run)
{
    return moved("modulo", sizes[i], run);
}

static double ring_point(uint32_t i, const struct claim_run *run)
{
    return moved("ring", sizes[i], run);
}

static double jump_point(uint32_t i, const struct claim_run *run)
{
    return moved("jump", sizes[i], run);
}

static const struct claim_series moves[] = {
    {"modulo, theory", true, COUNT(sizes), size_at, modulo_line},
    {"modulo", false, COUNT(sizes), size_at, modulo_point},
    {"ring, theory", true, COUNT(sizes), size_at, least_line},
    {"ring", false, COUNT(sizes), size_at, ring_point},
    {"jump", false, COUNT(sizes), size_at, jump_point},
    {0},
};

static const uint32_t fleets[] = {10, 30, 100, 300, 1000};

static double fleet_at(uint32_t i)
{
    return fleets[i];
}

static double small_table(uint32_t i, const struct claim_run *run)
{
    return maglev_ratio("maglev", fleets[i], 65537, run->seed);
}

static double large_table(uint32_t i, const struct claim_run *run)
{
    return maglev_ratio("maglev", fleets[i], 655373, run->seed);
}

static double ring_ratio(uint32_t i, const struct claim_run *run)
{
    return maglev_ratio("ring", fleets[i], 65537, run->seed);
}

static const struct claim_series tables[] = {
    {"Maglev on 65,537 slots", false, COUNT(fleets), fleet_at, small_table},
    {"Maglev on 655,373 slots", false, COUNT(fleets), fleet_at, large_table},
    {"ring", false, COUNT(fleets), fleet_at, ring_ratio},
    {0},
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
