/* Ring: hash nodes and keys onto a circle; a key belongs to the first node clockwise.
 *
 * Idea       Each node stands at many points of a circle. A key goes clockwise from its own position to the next
 *            point, and belongs to whoever stands there. The circle ends where it began: behind the last point comes
 *            the first.
 * Invariant  A new node's points cut pieces off their neighbours' arcs, and touch nothing else: keys move to the new
 *            node only. A node that leaves gives each arc to the next point. Where points coincide, as they do on
 *            circles of few bits, the smaller id has the position, whoever came first.
 * Balance    With V points a node, a share varies by sqrt((N-1) / (N V + 1)), about 1/sqrt(V), of its mean: 10 % at
 *            V = 100. With V = 1 the largest of 100 shares is five times the mean, and a node's death doubles the load
 *            of a single neighbour. Weight is the number of points.
 * Cost       A binary search over N V positions: log2(N V) steps, half of them mispredicted, and once the array is
 *            larger than the cache a miss each. fast_ring.c and ring_eytzinger.c search the same array faster.
 *            12 bytes a point. Joining sorts the new points and merges them in; leaving is one pass.
 * Gets wrong Balance is bought with memory. Distinct nodes, not points, must be counted for replicas.
 * Source     Karger et al. 1997; Stoica et al. 2001, "Chord"; DeCandia et al. 2007, "Dynamo" (virtual nodes).
 */
#include "ring.h"

static int create(const struct ch_config *config, void **out)
{
    return ring_create(sizeof(struct ring), config, out);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct ring *r = map;
    if (r->count == 0)
        return CH_NONE;
    size_t at = ring_search(r, key >> r->shift);
    return r->owner[at < r->count ? at : 0];
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    const struct ring *r = map;
    return ring_replicas(r, ring_search(r, key >> r->shift), most, node);
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = ring_destroy,
                                  .add = ring_add,
                                  .remove = ring_remove,
                                  .lookup = lookup,
                                  .replicas = replicas,
                                  .bytes = ring_bytes,
                                  .can = RING_CAN};
CH_ENTRY(ring, "ring", "virtual nodes on a circle, the next one clockwise; binary search", &ops);
