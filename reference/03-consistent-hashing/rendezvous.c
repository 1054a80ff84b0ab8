/* Rendezvous, or highest random weight: ask every node what it thinks of the key.
 *
 * Idea       Hash the key together with each node. The node with the largest result has it; the second largest is the
 *            first replica, and so on. Nothing is kept but the list of nodes.
 * Invariant  Results of different nodes have nothing to do with each other. So shares are equal, a node that leaves
 *            gives its keys to all the others evenly, one that joins takes what it is highest for: the least that can
 *            move, exactly. It is the definition that the faster ones approach.
 * Cost       O(n): a hash a node. For n up to some dozens as good as anything.
 * Gets wrong A thousand nodes.
 * Source     Thaler & Ravishankar 1996, "A name-based mapping scheme for rendezvous".
 */
#include "rendezvous.h"

#define CAN (CH_SCANS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE)

static int create(const struct ch_config *config, void **out)
{
    (void)config;
    return nodes_create(sizeof(struct rendezvous), CAN, out);
}

void rendezvous_destroy(void *map)
{
    struct rendezvous *r = map;
    free(r->seed);
    nodes_end(r);
}

static void seeds(struct rendezvous *r)
{
    for (uint32_t i = 0; i < r->nodes.count; i++)
        r->seed[i] = ch_point(r->nodes.id[i], 0);
}

int rendezvous_add(void *map, const struct ch_node *node, uint32_t count)
{
    struct rendezvous *r = map;
    int code = nodes_admit(&r->nodes, node, count);
    if (code)
        return code;
    if (r->nodes.count + count > r->room) {
        uint64_t *seed = realloc(r->seed, (r->nodes.count + count) * sizeof *seed);
        if (!seed)
            return -ENOMEM;
        r->seed = seed;
        r->room = r->nodes.count + count;
    }
    nodes_join(&r->nodes, node, count);
    seeds(r);
    return 0;
}

int rendezvous_remove(void *map, uint32_t id)
{
    int code = nodes_remove(map, id);
    if (code == 0)
        seeds(map);
    return code;
}

size_t rendezvous_bytes(const void *map)
{
    const struct rendezvous *r = map;
    return nodes_bytes(r) + r->room * sizeof *r->seed;
}

/* ---- the cheapest: a heap of places, the dearest on top ---------------------------------------------------------- */

struct heap {
    const struct rendezvous *r;
    uint64_t (*cost)(const struct rendezvous *r, uint64_t key, uint32_t i);
    uint64_t key;
    uint32_t *place; /* [count] */
    uint32_t count;
};

static bool dearer(const struct heap *h, uint32_t a, uint32_t b)
{
    uint64_t x = h->cost(h->r, h->key, a), y = h->cost(h->r, h->key, b);
    return x != y ? x > y : a > b;
}

static void sink(const struct heap *h, uint32_t at, uint32_t value)
{
    for (uint32_t below = 2 * at + 1; below < h->count; below = 2 * at + 1) {
        below += below + 1 < h->count && dearer(h, h->place[below + 1], h->place[below]);
        if (!dearer(h, h->place[below], value))
            break;
        h->place[at] = h->place[below];
        at = below;
    }
    h->place[at] = value;
}

uint32_t rendezvous_order(const struct rendezvous *r,
                          uint64_t (*cost)(const struct rendezvous *r, uint64_t key, uint32_t i), uint64_t key,
                          uint32_t most, uint32_t *node)
{
    struct heap h = {.r = r, .cost = cost, .key = key, .place = node};
    most = most < r->nodes.count ? most : r->nodes.count;
    if (most == 0)
        return 0;
    for (h.count = 0; h.count < most; h.count++)
        node[h.count] = h.count;
    for (uint32_t i = most / 2; i-- > 0;)
        sink(&h, i, node[i]);
    for (uint32_t i = most; i < r->nodes.count; i++)
        if (dearer(&h, node[0], i))
            sink(&h, 0, i);
    while (h.count > 1) { /* from the dearest on, to the end of the list */
        uint32_t dearest = node[0], last = node[--h.count];
        sink(&h, 0, last);
        node[h.count] = dearest;
    }
    for (uint32_t i = 0; i < most; i++)
        node[i] = r->nodes.id[node[i]];
    return most;
}

/* ---- without weights --------------------------------------------------------------------------------------------- */

static uint64_t cost(const struct rendezvous *r, uint64_t key, uint32_t i)
{
    return ~ch_mix(key ^ r->seed[i]);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct rendezvous *r = map;
    uint64_t highest = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < r->nodes.count; i++) {
        uint64_t score = ch_mix(key ^ r->seed[i]);
        if (score > highest) { /* never equal: seeds differ, and the mixing is one to one */
            highest = score;
            at = i;
        }
    }
    return r->nodes.count ? r->nodes.id[at] : CH_NONE;
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    return rendezvous_order(map, cost, key, most, node);
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = rendezvous_destroy,
                                  .add = rendezvous_add,
                                  .remove = rendezvous_remove,
                                  .lookup = lookup,
                                  .replicas = replicas,
                                  .bytes = rendezvous_bytes,
                                  .can = CAN};
CH_ENTRY(rendezvous, "rendezvous", "each node's hash with the key, the highest wins: exact, and O(n)", &ops);
