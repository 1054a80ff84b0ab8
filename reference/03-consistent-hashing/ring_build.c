/* Building rings: see ring.h.
 *
 * Positions are hashes, so they are spread evenly, and a sort that knows it needs no comparisons: two passes of a radix
 * sort by the leading 24 bits leave next to nothing in disorder (10^7 points share these with half a neighbour), and
 * insertion does the rest. Both are stable, and the points come in the order of ids: that is how ties end up so.
 */
#include "ring.h"

#define DIGIT 12u /* bits */

int ring_create(size_t map_size, const struct ch_config *config, void **map)
{
    if (config->points < 1 || config->points > 10000 || config->bits < 8 || config->bits > 64)
        return -EINVAL;
    int code = nodes_create(map_size, RING_CAN, map);
    if (code)
        return code;
    struct ring *r = *map;
    r->points = config->points;
    r->shift = 64 - config->bits;
    return 0;
}

void ring_destroy(void *map)
{
    struct ring *r = map;
    free(r->position);
    free(r->owner);
    nodes_end(r);
}

size_t ring_bytes(const void *map)
{
    const struct ring *r = map;
    return nodes_bytes(r) + r->count * (sizeof *r->position + sizeof *r->owner);
}

static void radix_pass(const struct ring_point *from, struct ring_point *to, size_t n, uint32_t shift)
{
    size_t start[1u << DIGIT] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++)
        start[from[i].position >> shift & ((1u << DIGIT) - 1)]++;
    for (size_t d = 0; d < 1u << DIGIT; d++) {
        size_t here = start[d];
        start[d] = sum;
        sum += here;
    }
    for (size_t i = 0; i < n; i++)
        to[start[from[i].position >> shift & ((1u << DIGIT) - 1)]++] = from[i];
}

/* By position; `spare` has room for n. */
static void sort(struct ring_point *p, struct ring_point *spare, size_t n, uint32_t bits)
{
    if (n > 64) {
        radix_pass(p, spare, n, bits > 2 * DIGIT ? bits - 2 * DIGIT : 0);
        radix_pass(spare, p, n, bits > 2 * DIGIT ? bits - DIGIT : DIGIT);
    }
    for (size_t i = 1; i < n; i++) {
        struct ring_point moving = p[i];
        size_t at = i;
        for (; at > 0 && p[at - 1].position > moving.position; at--)
            p[at] = p[at - 1];
        p[at] = moving;
    }
}

static bool before(const struct ring *r, size_t i, const struct ring_point *p)
{
    return r->position[i] != p->position ? r->position[i] < p->position : r->owner[i] < p->owner;
}

int ring_merge(struct ring *r, struct ring_point *fresh, size_t n)
{
    size_t all = r->count + n;
    struct ring_point *spare = calloc(n, sizeof *spare);
    uint64_t *position = nodes_space(all * sizeof *position);
    uint32_t *owner = nodes_space(all * sizeof *owner);
    if (!spare || !position || !owner) {
        free(spare);
        free(position);
        free(owner);
        return -ENOMEM;
    }
    sort(fresh, spare, n, 64 - r->shift);
    for (size_t i = 0, j = 0; i + j < all;) {
        bool old = j == n || (i < r->count && before(r, i, &fresh[j]));
        position[i + j] = old ? r->position[i] : fresh[j].position;
        owner[i + j] = old ? r->owner[i] : fresh[j].owner;
        i += old;
        j += !old;
    }
    free(spare);
    free(r->position);
    free(r->owner);
    r->position = position;
    r->owner = owner;
    r->count = all;
    return 0;
}

void ring_filter(struct ring *r, uint32_t id)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->owner[i] != id) {
            r->position[kept] = r->position[i];
            r->owner[kept++] = r->owner[i];
        }
    r->count = kept;
    uint64_t *position = kept ? realloc(r->position, kept * sizeof *position) : NULL;
    uint32_t *owner = kept ? realloc(r->owner, kept * sizeof *owner) : NULL;
    r->position = position ? position : r->position; /* no smaller place: then the old one */
    r->owner = owner ? owner : r->owner;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const struct ch_node *)a)->id, y = ((const struct ch_node *)b)->id;
    return (x > y) - (x < y);
}

size_t ring_count_with(const struct ring *r, const struct ch_node *node, uint32_t count)
{
    uint64_t weights = 0;
    for (uint32_t i = 0; i < count; i++)
        weights += node[i].weight;
    return r->count + weights * r->points;
}

static void put_points(const struct ring *r, const struct ch_node *node, uint32_t count, struct ring_point *p)
{
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < node[k].weight * r->points; i++, p++) {
            p->position = ch_point(node[k].id, i) >> r->shift;
            p->owner = node[k].id;
        }
}

int ring_add(void *map, const struct ch_node *node, uint32_t count)
{
    struct ring *r = map;
    int code = nodes_admit(&r->nodes, node, count);
    if (code)
        return code;
    size_t all = ring_count_with(r, node, count), n = all - r->count;
    struct ch_node *sorted = malloc(count * sizeof *sorted);
    struct ring_point *fresh = all < UINT32_MAX ? calloc(n, sizeof *fresh) : NULL;
    code = -ENOMEM;
    if (sorted && fresh) {
        memcpy(sorted, node, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_id);
        put_points(r, sorted, count, fresh);
        code = ring_merge(r, fresh, n);
    }
    free(sorted);
    free(fresh);
    if (code == 0)
        nodes_join(&r->nodes, node, count);
    return code;
}

int ring_remove(void *map, uint32_t id)
{
    struct ring *r = map;
    int code = nodes_may_leave(&r->nodes, id);
    if (code)
        return code;
    ring_filter(r, id);
    nodes_leave(&r->nodes, id);
    return 0;
}

uint32_t ring_replicas(const struct ring *r, size_t at, uint32_t most, uint32_t *node)
{
    struct named named;
    most = most < r->nodes.count ? most : r->nodes.count;
    if (most == 0)
        return 0;
    named_start(&named, &r->nodes, node, most);
    for (size_t i = 0; i < r->count && named.count < most; i++)
        named_add(&named, r->owner[at + i < r->count ? at + i : at + i - r->count]);
    while (named.count < most)
        named_next(&named, &r->nodes, 0);
    return most;
}
