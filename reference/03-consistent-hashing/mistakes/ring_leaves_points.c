/* A wrong answer to ring: its author believed that a node which leaves is one point less.
 *
 * The other points stay, and send keys to a machine that is gone.
 */
#include "ring.h"

static int leave(void *map, uint32_t id)
{
    struct ring *r = map;
    int code = nodes_remove(&r->nodes, id);
    for (uint32_t i = 0; i < r->count && code == 0; i++) {
        if (r->point[i].id == id) {
            r->count--;
            memmove(r->point + i, r->point + i + 1, (r->count - i) * sizeof *r->point);
            break;
        }
    }
    return code;
}

static const struct ch_ops ops = {.create = ring_create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = leave,
                                  .lookup = ring_lookup,
                                  .replicas = ring_replicas,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring, "ring", "a ring with a mistake", &ops);
