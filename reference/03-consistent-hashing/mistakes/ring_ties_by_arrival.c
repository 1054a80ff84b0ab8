/* A wrong answer to ring: its author believed that two points never share a position.
 *
 * When they do, whoever joined first stands first: two machines that heard of the nodes in different orders then
 * disagree.
 */
#include "ring.h"

/* Puts each point behind those at the same position. */
static int add(void *map, const struct ch_node *node, uint32_t n)
{
    struct ring *r = map;
    int code = nodes_add(&r->nodes, node, n, true);
    for (uint32_t i = 0; i < n && code == 0; i++) {
        for (uint32_t k = 0; k < r->points * node[i].weight && code == 0; k++) {
            const struct point point = {ch_point(node[i].id, k) >> r->shift, node[i].id};
            const uint32_t at = ring_at(r, point.at + 1);
            code = ring_append(r, node[i].id, 1, ch_point);
            if (code == 0) {
                memmove(r->point + at + 1, r->point + at, (r->count - 1 - at) * sizeof point);
                r->point[at] = point;
            }
        }
    }
    return code;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = add,
                                  .remove = ring_remove,
                                  .lookup = ring_lookup,
                                  .replicas = ring_replicas,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring, "ring", "a ring with a mistake", &ops);
