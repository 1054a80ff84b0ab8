/* nodes.c: which nodes a map has, their weights and their order. */
#include "nodes.h"

#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2048 * 1024)

int nodes_create(size_t map_size, unsigned can, void **map)
{
    struct nodes *n = nodes_space(map_size);
    if (!n)
        return -ENOMEM;
    memset(n, 0, map_size);
    n->can = can;
    n->map_size = map_size;
    *map = n;
    return 0;
}

void nodes_end(void *map)
{
    struct nodes *n = map;
    free(n->id);
    free(n->present);
    free(n->weight);
    free(n);
}

static bool listed(const struct nodes *n)
{
    return n->can & CH_ORDER_FREE || !(n->can & CH_ANY_NODE);
}

size_t nodes_bytes(const void *map)
{
    const struct nodes *n = map;
    return n->map_size + n->words * sizeof *n->present + (n->weight ? 64 * n->words * sizeof *n->weight : 0) +
           n->room * sizeof *n->id;
}

/* Twice what there was, so that adding one after the other costs O(1) each. */
static uint32_t grown(uint32_t room, uint32_t need)
{
    return need < 2 * room ? 2 * room : need;
}

static int grow(struct nodes *n, uint32_t ids, uint32_t count)
{
    if (ids > 64 * n->words) {
        uint32_t words = grown(n->words, (ids + 63) / 64);
        uint64_t *present = realloc(n->present, words * sizeof *present);
        if (!present)
            return -ENOMEM;
        n->present = present;
        if (n->can & CH_WEIGHTS) {
            uint16_t *weight = realloc(n->weight, 64 * (size_t)words * sizeof *weight);
            if (!weight)
                return -ENOMEM;
            n->weight = weight;
        }
        memset(n->present + n->words, 0, (words - n->words) * sizeof *present);
        n->words = words;
    }
    if (listed(n) && count > n->room) {
        uint32_t room = grown(n->room, count), *id = realloc(n->id, room * sizeof *id);
        if (!id)
            return -ENOMEM;
        n->id = id;
        n->room = room;
    }
    return 0;
}

static void set(struct nodes *n, uint32_t id)
{
    n->present[id / 64] |= UINT64_C(1) << id % 64;
}

static void clear(struct nodes *n, uint32_t id)
{
    n->present[id / 64] &= ~(UINT64_C(1) << id % 64);
}

int nodes_admit(struct nodes *n, const struct ch_node *node, uint32_t count)
{
    uint32_t ids = 0, fresh = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (node[i].id >= CH_MAX_NODES || node[i].weight < 1 || node[i].weight > CH_MAX_WEIGHT)
            return -EINVAL;
        ids = node[i].id >= ids ? node[i].id + 1 : ids;
    }
    for (uint32_t i = 0; i < count; i++)
        if (node[i].weight != 1 && !(n->can & CH_WEIGHTS))
            return -ENOTSUP;
    if (count > CH_MAX_NODES)
        return -EEXIST; /* more than there are numbers */
    int code = grow(n, ids, n->count + count);
    if (code)
        return code;
    for (; fresh < count && !nodes_has(n, node[fresh].id); fresh++)
        set(n, node[fresh].id);
    for (uint32_t i = 0; i < fresh; i++)
        clear(n, node[i].id);
    return fresh == count ? 0 : -EEXIST;
}

void nodes_join(struct nodes *n, const struct ch_node *node, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        set(n, node[i].id);
        if (n->weight)
            n->weight[node[i].id] = (uint16_t)node[i].weight;
        n->total += node[i].weight;
        if (listed(n))
            n->id[n->count + i] = node[i].id;
    }
    n->count += count;
    if (!(n->can & CH_ORDER_FREE))
        return;
    uint32_t *id = n->id; /* the bits are in order already */
    for (uint32_t w = 0; w < n->words; w++)
        for (uint64_t bits = n->present[w]; bits; bits &= bits - 1)
            *id++ = 64 * w + (uint32_t)__builtin_ctzll(bits);
}

int nodes_may_leave(const struct nodes *n, uint32_t id)
{
    if (!nodes_has(n, id))
        return -ENOENT;
    return n->can & CH_ANY_NODE || n->id[n->count - 1] == id ? 0 : -ENOTSUP;
}

void nodes_leave(struct nodes *n, uint32_t id)
{
    n->total -= nodes_weight(n, id);
    clear(n, id);
    n->count--;
    if (!listed(n))
        return;
    uint32_t at = n->count;
    while (n->id[at] != id)
        at--;
    memmove(n->id + at, n->id + at + 1, (n->count - at) * sizeof *n->id);
}

int nodes_add(void *map, const struct ch_node *node, uint32_t count)
{
    int code = nodes_admit(map, node, count);
    if (code == 0)
        nodes_join(map, node, count);
    return code;
}

int nodes_remove(void *map, uint32_t id)
{
    int code = nodes_may_leave(map, id);
    if (code == 0)
        nodes_leave(map, id);
    return code;
}

void *nodes_space(size_t bytes)
{
    size_t unit = bytes < 2 * HUGE_PAGE ? 64 : HUGE_PAGE;
    if (bytes > SIZE_MAX - unit)
        return NULL;
    void *space = aligned_alloc(unit, (bytes / unit + 1) * unit);
    if (space && unit == HUGE_PAGE)
        madvise(space, bytes, MADV_HUGEPAGE); /* a wish: it works without */
    return space;
}

/* ---- orders of preference ---------------------------------------------------------------------------------------- */

void named_start(struct named *s, const struct nodes *n, uint32_t *node, uint32_t most)
{
    s->node = node;
    s->count = 0;
    s->few = most <= 32;
    if (!s->few)
        memset(s->bits, 0, n->words * sizeof *s->bits);
}

static bool is_named(const struct named *s, uint32_t id)
{
    if (!s->few)
        return s->bits[id / 64] >> id % 64 & 1;
    for (uint32_t i = 0; i < s->count; i++)
        if (s->node[i] == id)
            return true;
    return false;
}

bool named_add(struct named *s, uint32_t id)
{
    if (is_named(s, id))
        return false;
    if (!s->few)
        s->bits[id / 64] |= UINT64_C(1) << id % 64;
    s->node[s->count++] = id;
    return true;
}

void named_next(struct named *s, const struct nodes *n, uint32_t id)
{
    for (;; id = id + 1 < 64 * n->words ? id + 1 : 0) {
        uint64_t left = n->present[id / 64] & (s->few ? UINT64_MAX : ~s->bits[id / 64]);
        if (left >> id % 64 == 0)
            id |= 63; /* nobody in the rest of this word */
        else if (nodes_has(n, id) && named_add(s, id))
            return;
    }
}

uint32_t replicas_again(const void *map, uint32_t (*lookup)(const void *map, uint64_t key), uint64_t key, uint32_t most,
                        uint32_t *node)
{
    const struct nodes *n = map;
    struct named named;
    most = most < n->count ? most : n->count;
    if (most == 0)
        return 0;
    named_start(&named, n, node, most);
    named_add(&named, lookup(map, key));
    while (named.count < most) {
        uint32_t answer = 0, tries = 0;
        do {
            key = ch_again(key);
            answer = lookup(map, key);
        } while (!named_add(&named, answer) && ++tries < 16);
        if (tries == 16)
            named_next(&named, n, answer);
    }
    return most;
}
