/* Maglev: a table that says it all, filled by taking turns.
 *
 * Idea       M slots, M prime. Each node has a permutation of them: offset, offset + skip, offset + 2 skip, ... mod M.
 *            The nodes take turns, in the order of their ids: each takes the first slot of its permutation that is
 *            still free. When none is free, a lookup is one multiplication and one load.
 *            In a round every node has its turn that has had fewer than its share: with weight w, and `heaviest` the
 *            largest there is, in round r if its turns x heaviest <= r x w.
 * Invariant  Shares of equal nodes differ by one slot at most. The table follows from the set of nodes, not from how
 *            they came.
 * Rebuilding A slot remembers the round in which it was taken; with its owner's id that is the time of a turn. When a
 *            node joins, it takes slots at its own turns; each was going to be taken by somebody at a later time, who
 *            then, at that time, has to go on to the next free one, and so on until the table is full, which happens
 *            earlier than before. Whatever was taken before such a time stays. A heap of these times leads from one
 *            change to the next, and nothing else is looked at: exactly the same table as from scratch.
 *            The changes are few but most of them late, when free slots are far apart. With 65 slots a node this is 4
 *            times as fast as from scratch; with 250 as fast; with more of them slower, so then it isn't done. Nor when
 *            the heaviest weight changes, nor when a node leaves: who would have wanted its slots is not written
 *            anywhere.
 * Cost       8 bytes a slot, of which a lookup reads four. From scratch M ln M probes, half of them for the last
 *            sqrt(M) slots; a bit for each slot keeps the probing within the first cache.
 * Gets wrong Not monotone: a few slots change hands between nodes that stay. With M = 65537, when one of N leaves:
 *            N = 10 0.35 %, 100 0.58 %, 1000 0.57 %, where 1/N has to move. Take M > 100 N.
 * Source     Eisenbud et al. 2016, "Maglev: a fast and reliable software network load balancer"; the weights after
 *            Envoy, maglev_lb.cc.
 */
#include "nodes.h"

#define CAN (CH_WEIGHTS | CH_ANY_NODE | CH_ORDER_FREE)
#define FEW 200u /* slots a node: with fewer, changing the table is faster than filling one */

/* A turn: round << 32 | id. Turns are taken in this order. */
struct change {
    uint64_t turn; /* at which the slot was going to be taken */
    uint32_t slot;
};

struct taker {
    uint32_t next, skip; /* slots */
    uint32_t turns, weight;
};

struct map {
    struct nodes nodes;
    uint32_t slots, heaviest;
    uint32_t *owner; /* [slots] */
    uint32_t *round; /* [slots] */
};

static bool prime(uint32_t n)
{
    for (uint32_t d = 2; d <= n / d; d++)
        if (n % d == 0)
            return false;
    return n >= 2;
}

static void destroy(void *map)
{
    struct map *m = map;
    free(m->owner);
    free(m->round);
    nodes_end(m);
}

static int create(const struct ch_config *config, void **out)
{
    if (config->slots > UINT32_C(1) << 27 || !prime(config->slots))
        return -EINVAL;
    int code = nodes_create(sizeof(struct map), CAN, out);
    if (code)
        return code;
    struct map *m = *out;
    m->slots = config->slots;
    m->owner = nodes_space(m->slots * sizeof *m->owner);
    m->round = nodes_space(m->slots * sizeof *m->round);
    if (!m->owner || !m->round) {
        destroy(m);
        return -ENOMEM;
    }
    memset(m->owner, 0xff, m->slots * sizeof *m->owner); /* CH_NONE */
    return 0;
}

static size_t bytes(const void *map)
{
    const struct map *m = map;
    return nodes_bytes(m) + m->slots * (sizeof *m->owner + sizeof *m->round);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct map *m = map;
    return m->owner[nodes_share(key, m->slots)];
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    return replicas_again(map, lookup, key, most, node);
}

/* ---- all turns --------------------------------------------------------------------------------------------------- */

static uint32_t skip_of(const struct map *m, uint32_t id)
{
    return 1 + (uint32_t)nodes_share(ch_point(id, 1), m->slots - 1);
}

static struct taker taker(const struct map *m, uint32_t id)
{
    return (struct taker){.next = (uint32_t)nodes_share(ch_point(id, 0), m->slots),
                          .skip = skip_of(m, id),
                          .weight = nodes_weight(&m->nodes, id)};
}

static uint32_t after(uint32_t slot, uint32_t skip, uint32_t slots)
{
    uint32_t back = slots - skip;
    return slot >= back ? slot - back : slot + skip;
}

/* `bits` has one for each slot. */
static void take_all(struct map *m, struct taker *takers, uint64_t *bits)
{
    uint32_t left = m->slots, count = m->nodes.count;
    for (uint32_t i = 0; i < count; i++)
        takers[i] = taker(m, m->nodes.id[i]);
    memset(bits, 0, ((size_t)m->slots / 64 + 1) * sizeof *bits);
    for (uint32_t round = 0; left; round++)
        for (uint32_t i = 0; i < count && left; i++) {
            struct taker *t = &takers[i];
            if ((uint64_t)t->turns * m->heaviest > (uint64_t)round * t->weight)
                continue;
            uint32_t slot = t->next;
            while (bits[slot / 64] >> slot % 64 & 1)
                slot = after(slot, t->skip, m->slots);
            bits[slot / 64] |= UINT64_C(1) << slot % 64;
            m->owner[slot] = m->nodes.id[i];
            m->round[slot] = round;
            t->next = slot;
            t->turns++;
            left--;
        }
}

static uint32_t heaviest(const struct map *m)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < m->nodes.count; i++)
        if (nodes_weight(&m->nodes, m->nodes.id[i]) > most)
            most = nodes_weight(&m->nodes, m->nodes.id[i]);
    return most;
}

/* Room for so many takers and the bits, in one piece. */
static struct taker *room(const struct map *m, uint32_t takers)
{
    return malloc(takers * sizeof(struct taker) + ((size_t)m->slots / 64 + 1) * sizeof(uint64_t));
}

/* From scratch, for the nodes that there are now. */
static void rebuild(struct map *m, struct taker *takers)
{
    m->heaviest = heaviest(m);
    if (m->nodes.count)
        take_all(m, takers, (uint64_t *)(void *)(takers + m->nodes.count));
    else
        memset(m->owner, 0xff, m->slots * sizeof *m->owner);
}

/* ---- the turns of one that joins --------------------------------------------------------------------------------- */

static uint64_t turn_of(const struct map *m, uint32_t slot)
{
    return (uint64_t)m->round[slot] << 32 | m->owner[slot];
}

static void push(struct change *heap, uint32_t *count, struct change c)
{
    uint32_t at = (*count)++;
    for (; at > 0 && heap[(at - 1) / 2].turn > c.turn; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = c;
}

static struct change pop(struct change *heap, uint32_t *count)
{
    struct change first = heap[0], last = heap[--*count];
    uint32_t at = 0;
    for (uint32_t below = 1; below < *count; below = 2 * at + 1) {
        below += below + 1 < *count && heap[below + 1].turn < heap[below].turn;
        if (heap[below].turn >= last.turn)
            break;
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = last;
    return first;
}

/* Turns that have been taken when round `round` is over. */
static uint64_t turns_until(const struct map *m, uint64_t round)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < m->nodes.count; i++)
        sum += round * nodes_weight(&m->nodes, m->nodes.id[i]) / m->heaviest + 1;
    return sum;
}

/* The first turn for which there is no slot left. */
static uint64_t end_of_turns(const struct map *m)
{
    uint32_t count = m->nodes.count, i = 0;
    if (m->nodes.total == (uint64_t)count * m->heaviest)
        return (uint64_t)(m->slots / count) << 32 | m->nodes.id[m->slots % count];
    uint64_t low = 0, high = m->slots; /* in round `high` the slots have run out */
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (turns_until(m, middle) > m->slots)
            high = middle;
        else
            low = middle + 1;
    }
    uint64_t left = m->slots - (low ? turns_until(m, low - 1) : 0);
    for (;; i++) {
        uint64_t w = nodes_weight(&m->nodes, m->nodes.id[i]);
        bool has_turn = low == 0 || low * w / m->heaviest > (low - 1) * w / m->heaviest;
        if (has_turn && left-- == 0)
            return low << 32 | m->nodes.id[i];
    }
}

/* `id` is among the nodes already, and not in the table. The heap has room for all its turns: that is how many slots
 * are at any time taken which were not going to be yet. */
static void take_turns(struct map *m, uint32_t id, struct change *heap)
{
    const uint64_t end = end_of_turns(m);
    struct taker own = taker(m, id);
    uint32_t waiting = 0;
    uint64_t round = 0;
    for (;;) {
        uint64_t turn = round << 32 | id;
        uint32_t slot = own.next, skip = own.skip;
        bool mine = waiting == 0 || turn < heap[0].turn;
        if (!mine) {
            struct change c = pop(heap, &waiting);
            turn = c.turn;
            skip = skip_of(m, (uint32_t)turn);
            slot = c.slot;
        }
        if (turn >= end)
            return;
        while (m->round[slot] < turn >> 32 || turn_of(m, slot) < turn)
            slot = after(slot, skip, m->slots);
        if (turn_of(m, slot) < end)
            push(heap, &waiting, (struct change){.turn = turn_of(m, slot), .slot = slot});
        m->owner[slot] = (uint32_t)turn;
        m->round[slot] = (uint32_t)(turn >> 32);
        if (mine) {
            own.next = slot;
            own.turns++;
            round = ((uint64_t)own.turns * m->heaviest + own.weight - 1) / own.weight;
        }
    }
}

static int add(void *map, const struct ch_node *node, uint32_t count)
{
    struct map *m = map;
    uint32_t most = 0, old = m->nodes.count;
    int code = nodes_admit(&m->nodes, node, count);
    if (code)
        return code;
    if (old + count > m->slots)
        return -ENOSPC;
    for (uint32_t i = 0; i < count; i++)
        most = node[i].weight > most ? node[i].weight : most;
    if (old == 0 || most > m->heaviest || count > old / 64 + 1 || m->slots / old >= FEW) {
        struct taker *takers = room(m, old + count);
        if (!takers)
            return -ENOMEM;
        nodes_join(&m->nodes, node, count);
        rebuild(m, takers);
        free(takers);
        return 0;
    }
    struct change *heap = malloc(((size_t)m->slots + 1) * sizeof *heap);
    if (!heap)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        nodes_join(&m->nodes, &node[i], 1);
        take_turns(m, node[i].id, heap);
    }
    free(heap);
    return 0;
}

static int leave(void *map, uint32_t id)
{
    struct map *m = map;
    int code = nodes_may_leave(&m->nodes, id);
    if (code)
        return code;
    struct taker *takers = room(m, m->nodes.count);
    if (!takers)
        return -ENOMEM;
    nodes_leave(&m->nodes, id);
    rebuild(m, takers);
    free(takers);
    return 0;
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = add,
                                  .remove = leave,
                                  .lookup = lookup,
                                  .replicas = replicas,
                                  .bytes = bytes,
                                  .can = CAN};
CH_ENTRY(maglev, "maglev", "a table of slots, filled in turns: one load a lookup, nearly monotone", &ops);
