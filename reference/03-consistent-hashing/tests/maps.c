/* maps.c: any entry by name, and what the tests do with all of them. */
#include "maps.h"

const char *const map_entries[] = {
    "modulo",    "ring",       "fast-ring",    "ring-eytzinger",      "ketama",       "jump",
    "jump-simd", "rendezvous", "binomial",     "weighted-rendezvous", "maglev",       "multi-probe",
    "anchor",    "memento",    "bounded-ring", "bounded-maglev",      "bounded-jump", "bounded-rendezvous",
    NULL};

const struct ch_ops *map_ops(const char *name)
{
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++)
        if (strcmp((*e)->name, name) == 0)
            return (*e)->ops;
    cr_assert(false, "there is no entry %s", name);
    return NULL;
}

struct ch_config map_config(void)
{
    struct ch_config c = CH_USUAL;
    c.slots = 4099;
    c.capacity = 256;
    return c;
}

int map_start(struct map_run *m, const char *name, const struct ch_config *config)
{
    *m = (struct map_run){.name = name, .ops = map_ops(name)};
    return m->ops->create(config, &m->map);
}

void map_start_with(struct map_run *m, const char *name, const struct ch_config *config, const struct ch_node *node,
                    uint32_t n)
{
    int code = map_start(m, name, config);
    if (code == 0)
        code = m->ops->add(m->map, node, n);
    if (code)
        cr_assert(false, "%s with %u nodes: expected: 0; actual: %d", name, n, code);
}

void map_stop(struct map_run *m)
{
    m->ops->destroy(m->map);
}

void map_owners(const struct map_run *m, uint32_t *owner, uint32_t n)
{
    enum { SOME = 1000 };
    uint64_t key[SOME];
    for (uint32_t from = 0; from < n; from += SOME) {
        uint32_t some = n - from < SOME ? n - from : SOME;
        for (uint32_t i = 0; i < some; i++)
            key[i] = key_of(from + i);
        if (m->ops->lookup_many)
            m->ops->lookup_many(m->map, key, owner + from, some);
        else
            for (uint32_t i = 0; i < some; i++)
                owner[from + i] = map_ask(m, key[i]);
    }
}

uint32_t moves(const uint32_t *before, const uint32_t *after, uint32_t n, uint32_t from, uint32_t to, uint32_t *astray)
{
    uint32_t moved = 0;
    *astray = 0;
    for (uint32_t i = 0; i < n; i++)
        if (before[i] != after[i]) {
            moved++;
            *astray += to != CH_NONE ? after[i] != to : before[i] != from;
        }
    return moved;
}

void plain_nodes(struct ch_node *node, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        node[i] = (struct ch_node){.id = i, .weight = 1};
}

void random_nodes(struct rng *r, struct ch_node *node, uint32_t n, unsigned can, uint32_t heaviest)
{
    for (uint32_t i = 0; i < n; i++) {
        bool twice = true;
        while (twice) {
            node[i].id = rng_below(r, 4) ? rng_below(r, 300) : rng_below(r, CH_MAX_NODES);
            twice = false;
            for (uint32_t j = 0; j < i; j++)
                twice |= node[j].id == node[i].id;
        }
        node[i].weight = can & CH_WEIGHTS ? 1 + rng_below(r, heaviest) : 1;
    }
}

void shuffle(struct rng *r, struct ch_node *node, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = rng_below(r, i);
        struct ch_node other = node[j];
        node[j] = node[i - 1];
        node[i - 1] = other;
    }
}
