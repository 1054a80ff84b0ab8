/* A wrong answer to fast-ring: its author believed that a guide which was right stays right.
 *
 * Points move up when a node leaves; the guide says where they were.
 */
#include "ring.h"

struct guided {
    struct ring ring; /* first */
    uint32_t guide[257], count;
};

static int create(const struct ch_config *config, void **map)
{
    int code = ring_create(config, map);
    if (code)
        return code;
    struct guided *g = realloc(*map, sizeof *g);
    if (!g) {
        ring_destroy(*map);
        return -ENOMEM;
    }
    g->count = 0;
    *map = g;
    return 0;
}

static int add(void *map, const struct ch_node *node, uint32_t n)
{
    struct guided *g = map;
    const int code = ring_add(map, node, n);
    for (uint64_t i = 0; i < 256 && code == 0; i++)
        g->guide[i] = ring_at(&g->ring, i << 56 >> g->ring.shift);
    return code;
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct guided *g = map;
    const struct ring *r = &g->ring;
    if (r->count == 0)
        return CH_NONE;
    uint32_t i = g->guide[key >> 56];
    while (i < r->count && r->point[i].at < key >> r->shift)
        i++;
    return r->point[i >= r->count ? 0 : i].id;
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = ring_destroy,
                                  .add = add,
                                  .remove = ring_remove,
                                  .lookup = lookup,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(fast_ring, "fast-ring", "a ring with a mistake", &ops);
