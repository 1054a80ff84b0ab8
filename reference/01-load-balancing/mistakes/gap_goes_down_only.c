/* A wrong answer to fast-least-connections: a heap in which the member that is put into a gap may only go down.
 *
 * Its author believed that the last of the heap is more loaded than whatever stood above the gap. It comes from another
 * branch: it may be less loaded than its new parent, and then it has to go up.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

struct backend {
    uint32_t weight; /* 0: not a member */
    uint32_t in_flight;
    uint32_t place; /* in the heap, of a member */
};

struct balancer {
    uint32_t count;
    uint32_t *heap; /* [count] members, the least loaded first */
    struct backend backend[];
};

static void destroy(void *balancer)
{
    struct balancer *b = balancer;
    free(b->heap);
    free(b);
}

static int create(const struct lb_config *config, void **balancer)
{
    struct balancer *b = calloc(1, sizeof *b + config->max_backends * sizeof b->backend[0]);
    if (!b)
        return -ENOMEM;
    b->heap = calloc(config->max_backends, sizeof *b->heap);
    if (!b->heap) {
        free(b);
        return -ENOMEM;
    }
    *balancer = b;
    return 0;
}

/* Is x less loaded than y? */
static bool less(const struct balancer *b, uint32_t x, uint32_t y)
{
    return (b->backend[x].in_flight + 1ull) * b->backend[y].weight <
           (b->backend[y].in_flight + 1ull) * b->backend[x].weight;
}

static void put(struct balancer *b, uint32_t place, uint32_t backend)
{
    b->heap[place] = backend;
    b->backend[backend].place = place;
}

static void sift_up(struct balancer *b, uint32_t backend)
{
    uint32_t place = b->backend[backend].place;
    for (; place > 0 && less(b, backend, b->heap[(place - 1) / 2]); place = (place - 1) / 2)
        put(b, place, b->heap[(place - 1) / 2]);
    put(b, place, backend);
}

static void sift_down(struct balancer *b, uint32_t backend)
{
    uint32_t place = b->backend[backend].place;
    for (uint32_t child; (child = 2 * place + 1) < b->count; place = child) {
        if (child + 1 < b->count && less(b, b->heap[child + 1], b->heap[child]))
            child++;
        if (!less(b, b->heap[child], backend))
            break;
        put(b, place, b->heap[child]);
    }
    put(b, place, backend);
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    uint32_t before = b->backend[backend].weight;
    b->backend[backend].weight = weight;
    if (weight > 0) {
        if (before == 0)
            put(b, b->count++, backend);
        sift_up(b, backend);
        sift_down(b, backend);
    } else if (before > 0) {
        uint32_t gap = b->backend[backend].place, last = b->heap[--b->count];
        if (last != backend) {
            put(b, gap, last);
            sift_down(b, last);
        }
    }
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    set_weight(balancer, backend, 0, now);
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->count == 0)
        return LB_NONE;
    uint32_t best = b->heap[0];
    b->backend[best].in_flight++;
    sift_down(b, best);
    return best;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct balancer *b = balancer;
    (void)outcome, (void)latency, (void)now;
    b->backend[backend].in_flight--;
    if (b->backend[backend].weight > 0)
        sift_up(b, backend);
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = set_weight,
                                  .remove = leave,
                                  .set_weight = set_weight,
                                  .pick = pick,
                                  .done = done};
LB_ENTRY(weighted_least_connections_heap, "weighted-least-connections-heap", "least (in flight + 1) / weight", &ops);
