/* A wrong answer to fast-least-connections: a table with room for the largest fleet, searched from end to end.
 *
 * Its author believed that a cost which does not grow is a small cost. It does not grow, that is true: a fleet of 64 pays
 * for 4,096 backends too.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM 4096u

struct backend {
    uint32_t weight; /* 0: not a member */
    uint32_t in_flight;
};

struct balancer {
    uint32_t n;
    struct backend backend[];
};

static int create(const struct lb_config *config, void **balancer)
{
    uint32_t n = config->max_backends > ROOM ? config->max_backends : ROOM;
    struct balancer *b = calloc(1, sizeof *b + n * sizeof b->backend[0]);
    if (!b)
        return -ENOMEM;
    b->n = n;
    *balancer = b;
    return 0;
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    b->backend[backend].weight = weight;
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    set_weight(balancer, backend, 0, now);
}

/* Is x less loaded than y? */
static bool less(const struct balancer *b, uint32_t x, uint32_t y)
{
    return (b->backend[x].in_flight + 1ull) * b->backend[y].weight <
           (b->backend[y].in_flight + 1ull) * b->backend[x].weight;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    uint32_t best = LB_NONE;
    (void)now;
    for (uint32_t i = 0; i < b->n; i++)
        if (b->backend[i].weight > 0 && (best == LB_NONE || less(b, i, best)))
            best = i;
    if (best != LB_NONE)
        b->backend[best].in_flight++;
    return best;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct balancer *b = balancer;
    (void)outcome, (void)latency, (void)now;
    b->backend[backend].in_flight--;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = free,
                                  .add = set_weight,
                                  .remove = leave,
                                  .set_weight = set_weight,
                                  .pick = pick,
                                  .done = done};
LB_ENTRY(weighted_least_connections_heap, "weighted-least-connections-heap", "least (in flight + 1) / weight", &ops);
