/* cost: what a lookup costs, how much of it is the hash, and what it costs to build a map and to change it. */
#include "consistent_hashing.h"
#include "owners.h"
#include "touched.h"

#include "base/memory.h"
#include "cost/cost.h"
#include "sim/rng.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCE (1u << 15) /* keys looked up, over and over: they lie in the second-level cache */
#define AT_ONCE  256u       /* keys a call of lookup_many */

static struct ch_config config_for(uint64_t nodes)
{
    struct ch_config c = CH_USUAL;
    c.capacity = nodes < CH_MAX_NODES ? (uint32_t)nodes + 1 : CH_MAX_NODES; /* full, but for the one that may join */
    return c;
}

/* ---- maps ---- */

struct looker {
    const struct ch_ops *ops;
    void *map;
    uint64_t at;
    uint32_t last, nodes;
    uint64_t *key; /* [SEQUENCE] */
    uint32_t node[AT_ONCE];
    bool kept; /* the map is in `large`, and stays */
};

/* A million points take longer to sort than all lookups take: such a map is made once, not once a round. */
#define LARGE      20000u
#define MOST_LARGE 64
static struct {
    char name[80];
    uint64_t size;
    void *map;
} large[MOST_LARGE];

static int make(const struct ch_ops *ops, uint64_t nodes, void **map)
{
    const struct ch_config config = config_for(nodes);
    struct ch_node *node = malloc(nodes * sizeof *node);
    int code = node ? ops->create(&config, map) : -ENOMEM;
    for (uint64_t i = 0; i < nodes && code == 0; i++)
        node[i] = (struct ch_node){(uint32_t)i, 1};
    if (code == 0) {
        code = ops->add(*map, node, (uint32_t)nodes);
        if (code)
            ops->destroy(*map);
    }
    free(node);
    return code;
}

static int make_or_find(const struct ch_ops *ops, const struct cost_subject *s, struct looker *l)
{
    if (s->size < LARGE)
        return make(ops, s->size, &l->map);
    uint32_t i = 0;
    int code;
    while (i < MOST_LARGE && large[i].map && (strcmp(large[i].name, s->name) != 0 || large[i].size != s->size))
        i++;
    if (i == MOST_LARGE)
        return -ENOMEM;
    l->kept = true;
    if (!large[i].map) {
        void *map;
        code = make(ops, s->size, &map);
        if (code)
            return code;
        snprintf(large[i].name, sizeof large[i].name, "%s", s->name);
        large[i].size = s->size;
        large[i].map = map;
    }
    l->map = large[i].map;
    return 0;
}

static void destroy(void *state)
{
    struct looker *l = state;
    if (l->map && !l->kept)
        l->ops->destroy(l->map);
    free(l->key);
    free(l);
}

/* Why it makes no sense for this entry at this size, or NULL. */
static const char *senseless(const struct ch_ops *ops, uint64_t nodes)
{
    if ((ops->can & CH_SCANS) && nodes > 10000)
        return "it hashes every node for every key: a million nodes, milliseconds";
    if ((ops->can & CH_POINTS) && nodes > 100000)
        return "a hundred million points";
    return NULL;
}

static int look(const struct cost_subject *s, struct looker **out, struct error *err)
{
    struct rng random;
    struct looker *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->ops = plugin_find(s->plugin, s->name);
    l->nodes = (uint32_t)s->size;
    l->key = malloc(SEQUENCE * sizeof *l->key);
    int code = !l->ops ? -ENOENT : !l->key ? -ENOMEM : 0;
    if (code == 0 && senseless(l->ops, s->size))
        code = error_set(err, -ENOTSUP, "%s", senseless(l->ops, s->size));
    if (code == 0)
        code = make_or_find(l->ops, s, l);
    if (code == -ENOSPC)
        code = error_set(err, -ENOTSUP, "more nodes than there is room for");
    if (code) {
        destroy(l);
        return code;
    }
    rng_seed(&random, s->seed, 0);
    for (uint32_t i = 0; i < SEQUENCE; i++)
        l->key[i] = rng_next(&random);
    *out = l;
    return 0;
}

static int look_create(const struct cost_subject *s, void **state, struct error *err)
{
    struct looker *l;
    int code = look(s, &l, err);
    if (code == 0)
        *state = l;
    return code;
}

static void look_run(void *state, unsigned thread, uint64_t n)
{
    struct looker *l = state;
    uint32_t sum = 0;
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        sum += l->ops->lookup(l->map, l->key[l->at++ & (SEQUENCE - 1)]);
    l->last += sum;
}

/* The next key is known when the last owner is. Its upper bits stay: it is another key, and no harder one. */
static void wait_run(void *state, unsigned thread, uint64_t n)
{
    struct looker *l = state;
    uint32_t last = l->last;
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        last = l->ops->lookup(l->map, l->key[l->at++ & (SEQUENCE - 1)] ^ last);
    l->last = last;
}

static int many_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct ch_ops *ops = plugin_find(s->plugin, s->name);
    if (ops && !ops->lookup_many)
        return error_set(err, -ENOTSUP, "it looks up one key at a time");
    return look_create(s, state, err);
}

static void many_run(void *state, unsigned thread, uint64_t n)
{
    struct looker *l = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i += AT_ONCE) {
        l->ops->lookup_many(l->map, l->key + (l->at & (SEQUENCE - 1)), l->node, n - i < AT_ONCE ? n - i : AT_ONCE);
        l->at += AT_ONCE;
    }
}

/* ---- the loop and the hash alone ---- */

static const char *const bare_parts[] = {"loop", "hash", "multiply-shift", "modulo", NULL};

static uint32_t bare_loop(const void *map, uint64_t key)
{
    (void)map;
    return (uint32_t)key;
}

static uint32_t bare_hash(const void *map, uint64_t key)
{
    (void)map;
    return (uint32_t)ch_mix(key);
}

static uint32_t bare_shift(const void *map, uint64_t key)
{
    return (uint32_t)((key >> 32) * *(const uint32_t *)map >> 32);
}

static uint32_t bare_modulo(const void *map, uint64_t key)
{
    return (uint32_t)(key % *(const uint32_t *)map);
}

static const struct ch_ops bare_ops[] = {
    {.lookup = bare_loop}, {.lookup = bare_hash}, {.lookup = bare_shift}, {.lookup = bare_modulo}};

static int bare_create(const struct cost_subject *s, void **state, struct error *err)
{
    struct rng random;
    uint32_t which = 0;
    struct looker *l = calloc(1, sizeof *l);
    (void)err;
    if (!l || !(l->key = malloc(SEQUENCE * sizeof *l->key))) {
        free(l);
        return -ENOMEM;
    }
    while (strcmp(bare_parts[which], s->name) != 0)
        which++;
    l->ops = &bare_ops[which];
    l->nodes = 1000;
    l->map = &l->nodes;
    l->kept = true;
    rng_seed(&random, s->seed, 0);
    for (uint32_t i = 0; i < SEQUENCE; i++)
        l->key[i] = rng_next(&random);
    *state = l;
    return 0;
}

/* ---- changing a map ---- */

static void change_run(void *state, unsigned thread, uint64_t n)
{
    struct looker *l = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++) {
        (void)l->ops->add(l->map, &(struct ch_node){l->nodes, 1}, 1);
        (void)l->ops->remove(l->map, l->nodes);
    }
}

static void build_run(void *state, unsigned thread, uint64_t n)
{
    struct looker *l = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++) {
        l->ops->destroy(l->map);
        if (make(l->ops, l->nodes, &l->map) != 0)
            abort(); /* it was possible a moment ago */
    }
}

/* ---- placing ---- */

#define PLACED 10000u

static int place_create(const struct cost_subject *s, void **state, struct error *err)
{
    const struct ch_ops *ops = plugin_find(s->plugin, s->name);
    struct rng random;
    if (ops && !ops->place)
        return error_set(err, -ENOTSUP, "it doesn't count what it gave to whom");
    struct looker *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->ops = ops;
    l->key = malloc(SEQUENCE * sizeof *l->key);
    int code = !ops ? -ENOENT : !l->key ? -ENOMEM : make(ops, s->size, &l->map);
    if (code) {
        destroy(l);
        return code;
    }
    rng_seed(&random, s->seed, 0);
    for (uint32_t i = 0; i < SEQUENCE; i++)
        l->key[i] = rng_next(&random);
    for (uint32_t i = 0; i < PLACED; i++)
        ops->place(l->map, l->key[l->at++ & (SEQUENCE - 1)]);
    *state = l;
    return 0;
}

static void place_run(void *state, unsigned thread, uint64_t n)
{
    struct looker *l = state;
    (void)thread;
    for (uint64_t i = 0; i < n; i++)
        (void)l->ops->release(l->map, l->ops->place(l->map, l->key[l->at++ & (SEQUENCE - 1)]));
}

/* ---- what it is good for ---- */

static double measured(const struct cost_subject *s, double (*figure)(const struct looker *l))
{
    struct error err;
    struct looker *l;
    if (look(s, &l, &err) != 0)
        return NAN;
    const double value = figure(l);
    destroy(l);
    return value;
}

static double fullest_of(const struct looker *l)
{
    struct rng random;
    uint64_t *load = calloc(l->nodes, sizeof *load);
    if (!load)
        return NAN;
    rng_seed(&random, 1, 1);
    for (uint32_t i = 0; i < 1000 * l->nodes; i++)
        load[l->ops->lookup(l->map, rng_next(&random))]++;
    const double fullest = balance_of(load, NULL, l->nodes).max_to_mean;
    free(load);
    return fullest;
}

static double fullest(const struct cost_subject *s)
{
    return measured(s, fullest_of);
}

static double lines(const struct cost_subject *s)
{
    struct error err;
    return touched_lines(s->name, (uint32_t)s->size, &err);
}

/* ---- the table ---- */

/* Long enough for a map to come back into the cache from which the others' drove it. */
#define LONG_NS 200000

static const uint64_t nodes[] = {10, 100, 1000, 10000, 0}, large_nodes[] = {100000, 1000000, 0},
                      all_nodes[] = {10, 1000, 1000000, 0}, some_nodes[] = {10, 1000, 0}, one[] = {1, 0};
static const unsigned one_thread[] = {1, 0};
static const char *const shown[] = {"jump", "ring", "fast-ring", "maglev", "anchor", "rendezvous", NULL};
static const char *const many[] = {"jump-simd", "ring-eytzinger", "fast-ring", NULL}, *const placing[] = {
                                                                                          "bounded-ring",
                                                                                          "bounded-maglev",
                                                                                          "bounded-jump",
                                                                                          "bounded-rendezvous", NULL};

static const struct cost_operation operations[] = {
    {.name = "lookup",
     .what = "whose is this key? 32,768 keys in turn, each known beforehand: the processor works on several at once.",
     .size_name = "nodes",
     .sizes = nodes,
     .threads = one_thread,
     .chunk_ns = LONG_NS,
     .cold = true,
     .simulated = true,
     .create = look_create,
     .run = look_run,
     .destroy = destroy},
    {.name = "large-lookup",
     .what = "the same with so many nodes that a map no longer fits a cache (and counting would take minutes)",
     .size_name = "nodes",
     .sizes = large_nodes,
     .threads = one_thread,
     .chunk_ns = LONG_NS,
     .rounds = 60,
     .create = look_create,
     .run = look_run,
     .destroy = destroy},
    {.name = "dependent-lookup",
     .what = "the same where the next key is known only when the last owner is: how long one lookup takes",
     .size_name = "nodes",
     .sizes = some_nodes,
     .threads = one_thread,
     .chunk_ns = LONG_NS,
     .create = look_create,
     .run = wait_run,
     .destroy = destroy},
    {.name = "lookup-many",
     .what = "256 keys a call, by entries that have a way of their own for it",
     .size_name = "nodes",
     .sizes = all_nodes,
     .threads = one_thread,
     .chunk_ns = LONG_NS,
     .names = many,
     .create = many_create,
     .run = many_run,
     .destroy = destroy},
    {.name = "bare",
     .what = "the loop round a lookup alone; with the hash in it; with the two ways to get from a hash to one of 1000",
     .sizes = one,
     .threads = one_thread,
     .names = bare_parts,
     .parts = true,
     .create = bare_create,
     .run = look_run,
     .destroy = destroy},
    {.name = "place",
     .what = "a key finds a node that has room, and is gone again; 10,000 are placed",
     .size_name = "nodes",
     .sizes = some_nodes,
     .threads = one_thread,
     .names = placing,
     .create = place_create,
     .run = place_run,
     .destroy = destroy},
    {.name = "join-and-leave",
     .what = "one node joins and leaves again",
     .size_name = "nodes",
     .sizes = some_nodes,
     .threads = one_thread,
     .chunk_ns = 1000000,
     .rounds = 30,
     .create = look_create,
     .run = change_run,
     .destroy = destroy},
    {.name = "build",
     .what = "a map of so many nodes is made, and the old one freed",
     .size_name = "nodes",
     .sizes = some_nodes,
     .threads = one_thread,
     .chunk_ns = 1000000,
     .rounds = 30,
     .create = look_create,
     .run = build_run,
     .destroy = destroy},
};

static const struct cost_quality qualities[] = {
    {.name = "fullest node",
     .unit = "x mean",
     .what = "keys of the fullest node over the mean, 1000 nodes and a million keys (1.1 is chance alone)",
     .operation = "lookup",
     .size = 1000,
     .measure = fullest},
    {.name = "lines",
     .unit = "lines",
     .what = "lines of memory that a lookup touches with 1000 nodes, counted (the reference's entries)",
     .counted = true,
     .operation = "lookup",
     .size = 1000,
     .measure = lines},
};

/* It knows its nodes and no others, and moves few keys when one joins, unless it is modulo. */
static int verify(const struct cost_subject *subject, char *why, size_t size)
{
    enum { NODES = 20, KEYS = 2000 };
    const uint32_t keys = KEYS;
    const struct ch_ops *ops = plugin_find(subject->plugin, subject->name);
    void *map;
    uint32_t owner[KEYS], strangers = 0, moved = 0;
    if (!ops || make(ops, NODES, &map) != 0) {
        snprintf(why, size, "it cannot be made");
        return -1;
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        owner[i] = ops->lookup(map, ch_mix(i + 1));
        strangers += owner[i] >= NODES;
    }
    const int code = ops->add(map, &(struct ch_node){NODES, 1}, 1);
    for (uint32_t i = 0; i < KEYS && code == 0; i++)
        moved += ops->lookup(map, ch_mix(i + 1)) != owner[i];
    ops->destroy(map);
    if (code == 0 && strangers == 0 && moved > 0 && (moved < KEYS / 4 || !(ops->can & CH_MONOTONE)))
        return 0;
    snprintf(why, size, "it is wrong: %u of %u keys on nodes that aren't there, %u moved when one of 21 joined",
             strangers, keys, moved);
    return -1;
}

/* What wraps another looks up as that does: only placing is its own. */
static const char *entry_name(const struct plugin_entry *entry)
{
    return ((const struct ch_ops *)entry->ops)->place ? NULL : entry->name;
}

int main(int argc, char **argv)
{
    const struct cost_suite suite = {
        .lab_folder = "03-consistent-hashing",
        .operation = operations,
        .operations = COUNT(operations),
        .entry_name = entry_name,
        .verify = verify,
        .quality = qualities,
        .qualities = COUNT(qualities),
        .shown = shown,
    };
    return cost_main(argc, argv, &suite);
}
