/* Bounded loads: no node gets more than a share of the average, whatever the map would have it.
 *
 * Idea       Count what each node holds. A key goes to the first node in its order of preference that has room: when
 *            m keys are placed, this one among them, a node of weight w may hold ceil(c m w / W), W being the sum of
 *            all weights and c, in percent, the slack. Whatever the map inside, at c = 125 nobody is over 1.25 times
 *            the average: not with one point a node on a ring, not when a third of the keys are the same one.
 * Invariant  load + 1 <= ceil(x) is load < x: so 100 W x load < percent x m x w, in integers. There is always room:
 *            all nodes together hold m - 1, and c >= 1 gives them at least m.
 * Cost       The lookup, and two products when the first node has room. Otherwise the order of preference: a key looks
 *            at O(1/e^2) nodes on average with c = 1 + e. 16 bytes a node.
 * Gets wrong The answer depends on who came before: a key that overflowed is not where a lookup looks first, so
 *            whoever reads has to go the same way or be told. When a node dies, its neighbours are full already and
 *            pass its keys on: with a small slack that cascades. Loads are one balancer's own: another's isn't seen.
 * Source     Mirrokni, Thorup & Zadimoghaddam 2018, "Consistent hashing with bounded loads"; Vimeo's HAProxy (2016).
 */
#include "nodes.h"

struct held {
    uint64_t keys;
    uint32_t weight;
};

struct map {
    const struct ch_ops *inner;
    void *inside;
    uint64_t percent, placed, total; /* total: of all weights */
    uint32_t count, ids, room;
    struct held *held; /* [ids] */
    uint32_t *order;   /* [room] of preference, while a key is placed */
};

static void destroy(void *map)
{
    struct map *m = map;
    m->inner->destroy(m->inside);
    free(m->held);
    free(m->order);
    free(m);
}

static int create(const char *name, const struct ch_config *config, void **out)
{
    const struct ch_ops *inner = NULL;
    for (const struct plugin_entry *const *e = __start_plugin_entries; e != __stop_plugin_entries; e++)
        if (strcmp((*e)->name, name) == 0)
            inner = (*e)->ops;
    if (!inner || config->percent < 100 || config->percent > 10000)
        return -EINVAL;
    struct map *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    m->inner = inner;
    m->percent = config->percent;
    int code = inner->create(config, &m->inside);
    if (code)
        free(m);
    else
        *out = m;
    return code;
}

static int grow(struct map *m, uint32_t ids, uint32_t room)
{
    if (ids > m->ids) {
        struct held *held = realloc(m->held, ids * sizeof *held);
        if (!held)
            return -ENOMEM;
        memset(held + m->ids, 0, (ids - m->ids) * sizeof *held);
        m->held = held;
        m->ids = ids;
    }
    if (room > m->room) {
        uint32_t *order = realloc(m->order, room * sizeof *order);
        if (!order)
            return -ENOMEM;
        m->order = order;
        m->room = room;
    }
    return 0;
}

static int add(void *map, const struct ch_node *node, uint32_t n)
{
    struct map *m = map;
    uint32_t ids = 0;
    for (uint32_t i = 0; i < n; i++)
        if (node[i].id < CH_MAX_NODES && node[i].id >= ids)
            ids = node[i].id + 1;
    int code = n <= CH_MAX_NODES ? grow(m, ids, m->count + n) : 0;
    if (code == 0)
        code = m->inner->add(m->inside, node, n);
    for (uint32_t i = 0; i < n && code == 0; i++) {
        m->held[node[i].id] = (struct held){.weight = node[i].weight};
        m->total += node[i].weight;
        m->count++;
    }
    return code;
}

static int leave(void *map, uint32_t id)
{
    struct map *m = map;
    int code = m->inner->remove(m->inside, id);
    if (code)
        return code;
    m->placed -= m->held[id].keys;
    m->total -= m->held[id].weight;
    m->count--;
    m->held[id] = (struct held){0};
    return 0;
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct map *m = map;
    return m->inner->lookup(m->inside, key);
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct map *m = map;
    return m->inner->replicas(m->inside, key, most, node);
}

static bool has_room(const struct map *m, uint32_t id)
{
    __extension__ typedef unsigned __int128 wide;
    const struct held *h = &m->held[id];
    return (wide)(100 * m->total) * h->keys < (wide)(m->percent * h->weight) * (m->placed + 1);
}

/* The first with room among the key's first nodes, of which more and more are asked for. The last of all would have it:
 * somebody has. */
static uint32_t first_with_room(const struct map *m, uint64_t key)
{
    for (uint32_t seen = 1, most = 4;; most *= 4) {
        uint32_t n = m->inner->replicas(m->inside, key, most < m->count ? most : m->count, m->order);
        for (; seen < n; seen++)
            if (has_room(m, m->order[seen]))
                return m->order[seen];
    }
}

static uint32_t place(void *map, uint64_t key)
{
    struct map *m = map;
    uint32_t id = m->inner->lookup(m->inside, key);
    if (id == CH_NONE)
        return id;
    if (!has_room(m, id))
        id = first_with_room(m, key);
    m->held[id].keys++;
    m->placed++;
    return id;
}

static int release(void *map, uint32_t id)
{
    struct map *m = map;
    if (id >= m->ids || m->held[id].keys == 0)
        return -ENOENT;
    m->held[id].keys--;
    m->placed--;
    return 0;
}

static size_t bytes(const void *map)
{
    const struct map *m = map;
    return sizeof *m + m->ids * sizeof *m->held + m->room * sizeof *m->order + m->inner->bytes(m->inside);
}

/* ---- round which entries ----------------------------------------------------------------------------------------- */

/* `inside_can`: what the entry inside can, and so this one. */
#define BOUNDED(identifier, inside, inside_can)                                                                        \
    static int create_##identifier(const struct ch_config *config, void **out)                                         \
    {                                                                                                                  \
        return create(inside, config, out);                                                                            \
    }                                                                                                                  \
    static const struct ch_ops ops_##identifier = {.create = create_##identifier,                                      \
                                                   .destroy = destroy,                                                 \
                                                   .add = add,                                                         \
                                                   .remove = leave,                                                    \
                                                   .lookup = lookup,                                                   \
                                                   .replicas = replicas,                                               \
                                                   .place = place,                                                     \
                                                   .release = release,                                                 \
                                                   .bytes = bytes,                                                     \
                                                   .can = (inside_can)};                                               \
    CH_ENTRY(bounded_##identifier, "bounded-" inside, inside ", no node above its share of the load", &ops_##identifier)

BOUNDED(ring, "ring", CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE);
BOUNDED(maglev, "maglev", CH_WEIGHTS | CH_ANY_NODE | CH_ORDER_FREE);
BOUNDED(jump, "jump", CH_MONOTONE);
BOUNDED(rendezvous, "rendezvous", CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE);
