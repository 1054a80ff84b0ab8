/* Ketama: the ring that memcached's clients agreed on.
 *
 * Idea       A ring of 32 bits. A server's points come from MD5 of its name and a number, "10.0.0.7:11211-0" and so on:
 *            40 digests, four points from each. A key's position is the first four bytes of its own MD5. Whoever does
 *            exactly this, in whatever language, sends a key to the same server: that is all it is for.
 * Exactness  libketama's, to the bit: the share of a weight is a float; 40 x share x servers is rounded to float again
 *            and then cut. With 61, 122, 237, 244 and some more numbers of equal servers, 40 comes out as 39, for all.
 *            Where two points coincide libketama leaves it to qsort who is first; here it is the smaller id.
 * Invariant  A point depends on its server's name alone; how many a server has depends on all the others. With equal
 *            weights that is 160, but for those numbers, and then keys move only to who joins or from who leaves. With
 *            unequal weights any change of the sum may give or take a digest elsewhere, and keys move between nodes
 *            that stay. So this does not say CH_MONOTONE.
 * Cost       A binary search over 160 n points, 12 bytes each here. Building: 40 MD5 a server. Points of servers whose
 *            number of digests stays are kept.
 * Gets wrong 32 bits: among 10^5 points one expects a collision. A weight below a 40th of the mean gets no point, and
 *            no keys. 160 points are even to 8 %.
 * Source     Richard Jones 2007, libketama (last.fm), ketama.c. Written from its behaviour.
 */
#include "ketama.h"
#include "md5.h"
#include "ring.h"

#include <math.h>
#include <stdio.h>

#define CAN (CH_POINTS | CH_WEIGHTS | CH_ANY_NODE | CH_ORDER_FREE)

void ketama_name(uint32_t id, char name[KETAMA_NAME])
{
    (void)snprintf(name, KETAMA_NAME, "10.%u.%u.%u:11211", id >> 16 & 255, id >> 8 & 255, id & 255);
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t ketama_hash(const void *string, size_t size)
{
    uint8_t digest[16];
    md5(string, size, digest);
    return word(digest);
}

uint32_t ketama_digests(uint32_t weight, uint64_t total, uint32_t servers)
{
    float share = (float)weight / (float)total;
    return (uint32_t)floorf((float)(share * 40.0 * (float)servers));
}

static int create(const struct ch_config *config, void **out)
{
    struct ch_config narrow = *config;
    narrow.points = 1; /* not used: the points are made here */
    narrow.bits = 32;
    int code = ring_create(sizeof(struct ring), &narrow, out);
    if (code == 0)
        ((struct nodes *)*out)->can = CAN;
    return code;
}

/* As the map is to be: its nodes in the order of ids, their weights, and how many digests each had and will have. */
struct server {
    uint32_t id, weight, before, after;
};

static struct ring_point *points_of(struct ring_point *p, uint32_t id, uint32_t digests)
{
    char name[KETAMA_NAME], numbered[KETAMA_NAME + 12];
    uint8_t digest[16];
    ketama_name(id, name);
    for (uint32_t k = 0; k < digests; k++) {
        int length = snprintf(numbered, sizeof numbered, "%s-%u", name, k);
        md5(numbered, (size_t)length, digest);
        for (uint32_t i = 0; i < 4; i++, p++) {
            p->position = word(digest + 4 * i);
            p->owner = id;
        }
    }
    return p;
}

/* Makes the ring that of the n servers. Keeps what can be kept. */
static int rebuild(struct ring *r, const struct server *server, uint32_t n)
{
    size_t count = 0;
    bool keep = true; /* nobody who stays has another number of digests than before */
    for (uint32_t i = 0; i < n; i++)
        keep &= server[i].before == 0 || server[i].before == server[i].after;
    for (uint32_t i = 0; i < n; i++)
        count += keep && server[i].before ? 0 : 4 * (size_t)server[i].after;
    if (keep && count == 0)
        return 0;
    struct ring_point *fresh = malloc((count ? count : 1) * sizeof *fresh), *end = fresh;
    if (!fresh)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        if (!keep || server[i].before == 0)
            end = points_of(end, server[i].id, server[i].after);
    size_t old = r->count;
    if (!keep)
        r->count = 0;
    int code = ring_merge(r, fresh, count);
    if (code)
        r->count = old;
    free(fresh);
    return code;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const struct server *)a)->id, y = ((const struct server *)b)->id;
    return (x > y) - (x < y);
}

/* With `count` more, or without `gone`. */
static int change(struct ring *r, const struct ch_node *node, uint32_t count, uint32_t gone)
{
    const struct nodes *nodes = &r->nodes;
    uint32_t n = 0, all = nodes->count + count - (gone != CH_NONE);
    uint64_t total = gone != CH_NONE ? nodes->total - nodes_weight(nodes, gone) : nodes->total;
    struct server *server = malloc((all + 1) * sizeof *server);
    if (!server)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        total += node[i].weight;
    for (uint32_t i = 0; i < nodes->count; i++) {
        uint32_t id = nodes->id[i], weight = nodes_weight(nodes, id);
        if (id != gone)
            server[n++] = (struct server){.id = id,
                                          .weight = weight,
                                          .before = ketama_digests(weight, nodes->total, nodes->count),
                                          .after = ketama_digests(weight, total, all)};
    }
    for (uint32_t i = 0; i < count; i++)
        server[n++] = (struct server){
            .id = node[i].id, .weight = node[i].weight, .after = ketama_digests(node[i].weight, total, all)};
    qsort(server, n, sizeof *server, by_id);
    int code = rebuild(r, server, n);
    free(server);
    return code;
}

static int add(void *map, const struct ch_node *node, uint32_t count)
{
    struct ring *r = map;
    int code = nodes_admit(&r->nodes, node, count);
    if (code == 0)
        code = change(r, node, count, CH_NONE);
    if (code == 0)
        nodes_join(&r->nodes, node, count);
    return code;
}

static int leave(void *map, uint32_t id)
{
    struct ring *r = map;
    int code = nodes_may_leave(&r->nodes, id);
    if (code == 0)
        code = change(r, NULL, 0, id);
    if (code == 0) {
        ring_filter(r, id);
        nodes_leave(&r->nodes, id);
    }
    return code;
}

static size_t at(const struct ring *r, uint64_t key)
{
    return ring_search(r, (uint32_t)key);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    size_t i = at(r, key);
    return r->count ? r->owner[i < r->count ? i : 0] : CH_NONE;
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct ring *r = map;
    return ring_replicas(r, at(r, key), most, node);
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = ring_destroy,
                                  .add = add,
                                  .remove = leave,
                                  .lookup = lookup,
                                  .replicas = replicas,
                                  .bytes = ring_bytes,
                                  .can = CAN};
CH_ENTRY(ketama, "ketama", "libketama's ring, owner for owner: MD5, 160 points a server", &ops);
