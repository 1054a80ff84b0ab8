/* A wrong answer to fast-ring: its author believed that memory is cheap.
 *
 * A guide of 64 entries a point is right and fast, takes ten times as much as the points, and no cache holds it.
 */
#include "ring.h"

struct guided {
    struct ring ring; /* first */
    uint32_t *guide, bits;
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
    g->guide = NULL;
    *map = g;
    return 0;
}

static void destroy(void *map)
{
    struct guided *g = map;
    free(g->guide);
    ring_destroy(map);
}

static int guide(struct guided *g)
{
    const struct ring *r = &g->ring;
    for (g->bits = 1; UINT64_C(1) << g->bits < UINT64_C(64) * r->count && g->bits + r->shift < 64;)
        g->bits++;
    uint32_t *more = realloc(g->guide, sizeof *more << g->bits);
    if (!more)
        return -ENOMEM;
    g->guide = more;
    for (uint64_t i = 0; i < UINT64_C(1) << g->bits; i++)
        more[i] = ring_at(r, i << (64 - r->shift - g->bits));
    return 0;
}

static int add(void *map, const struct ch_node *node, uint32_t n)
{
    const int code = ring_add(map, node, n);
    return code ? code : guide(map);
}

static int leave(void *map, uint32_t id)
{
    const int code = ring_remove(map, id);
    return code ? code : guide(map);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct guided *g = map;
    const struct ring *r = &g->ring;
    if (r->count == 0)
        return CH_NONE;
    uint32_t i = g->guide[key >> (64 - g->bits)];
    while (i < r->count && r->point[i].at < key >> r->shift)
        i++;
    return r->point[i == r->count ? 0 : i].id;
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = add,
                                  .remove = leave,
                                  .lookup = lookup,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(fast_ring, "fast-ring", "a ring with a mistake", &ops);
