/* Lab 01: your balancers. This is the one file that you hand in.
 *
 * The contract, with what every operation promises, is in load_balancing.h; the tasks and their rules are in README.md.
 * Round robin below is complete: it shows how an entry is made, and it is the algorithm that fails in the article. The
 * five entries after it are yours.
 *
 *     make check LAB=01                              all public tests, with your points
 *     make check LAB=01 TEST=published-sequence      one of them
 *     make hint  LAB=01 TEST=smooth-weighted         the next of three hints
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

/* ---- round robin, complete ---- */

struct round_robin {
    uint32_t count;   /* members */
    uint32_t next;    /* place in the list whose turn it is */
    uint32_t *member; /* [count] their numbers */
};

static int round_robin_create(const struct lb_config *config, void **balancer)
{
    struct round_robin *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->member = calloc(config->max_backends, sizeof *b->member);
    if (!b->member) {
        free(b);
        return -ENOMEM;
    }
    *balancer = b;
    return 0;
}

static void round_robin_destroy(void *balancer)
{
    struct round_robin *b = balancer;
    free(b->member);
    free(b);
}

static void round_robin_remove(void *balancer, uint32_t backend, uint64_t now)
{
    struct round_robin *b = balancer;
    (void)now;
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->member[i] != backend)
            continue;
        for (uint32_t k = i; k + 1 < b->count; k++)
            b->member[k] = b->member[k + 1];
        b->count--;
        if (i < b->next)
            b->next--; /* nobody's turn is lost or doubled */
        return;
    }
}

static int round_robin_add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct round_robin *b = balancer;
    round_robin_remove(b, backend, now);
    if (weight > 0) /* a member of weight 0 gets nothing */
        b->member[b->count++] = backend;
    return 0;
}

static int round_robin_set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct round_robin *b = balancer;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->member[i] == backend && weight > 0)
            return 0; /* every member gets the same: that is the trouble with it */
    return round_robin_add(b, backend, weight, now);
}

static uint32_t round_robin_pick(void *balancer, uint64_t now)
{
    struct round_robin *b = balancer;
    (void)now;
    if (b->count == 0)
        return LB_NONE;
    if (b->next >= b->count)
        b->next = 0;
    return b->member[b->next++];
}

static const struct lb_ops round_robin_ops = {
    .create = round_robin_create,
    .destroy = round_robin_destroy,
    .add = round_robin_add,
    .remove = round_robin_remove,
    .set_weight = round_robin_set_weight,
    .pick = round_robin_pick,
};
LB_ENTRY(round_robin, "round-robin", "the members take turns", &round_robin_ops);

/* ---- what the five below have to begin with: no state, and no backend ever ---- */

static int nothing_create(const struct lb_config *config, void **balancer)
{
    (void)config;
    *balancer = malloc(1);
    return *balancer ? 0 : -ENOMEM;
}

static int nothing_add(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    (void)balancer, (void)backend, (void)weight, (void)now;
    return 0;
}

static void nothing_remove(void *balancer, uint32_t backend, uint64_t now)
{
    (void)balancer, (void)backend, (void)now;
}

static uint32_t nothing_pick(void *balancer, uint64_t now)
{
    (void)balancer, (void)now;
    return LB_NONE;
}

static void nothing_done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    (void)balancer, (void)backend, (void)outcome, (void)latency, (void)now;
}

/* ---- task 1: smooth weighted round robin ---- */

static const struct lb_ops smooth_weighted_ops = {
    .create = nothing_create,
    .destroy = free,
    .add = nothing_add,
    .remove = nothing_remove,
    .set_weight = nothing_add,
    .pick = nothing_pick,
};
LB_ENTRY(smooth_weighted, "smooth-weighted", "turns by weight, interleaved", &smooth_weighted_ops);

/* ---- task 2: weighted least connections ---- */

static const struct lb_ops weighted_least_connections_ops = {
    .create = nothing_create,
    .destroy = free,
    .add = nothing_add,
    .remove = nothing_remove,
    .set_weight = nothing_add,
    .pick = nothing_pick,
    .done = nothing_done,
};
LB_ENTRY(weighted_least_connections, "weighted-least-connections", "least (in flight + 1) / weight",
         &weighted_least_connections_ops);

/* ---- task 3: two choices with peak EWMA ---- */

static const struct lb_ops peak_ewma_ops = {
    .create = nothing_create,
    .destroy = free,
    .add = nothing_add,
    .remove = nothing_remove,
    .set_weight = nothing_add,
    .pick = nothing_pick,
    .done = nothing_done,
};
LB_ENTRY(peak_ewma, "peak-ewma", "the one of two with the lower peak EWMA x in flight", &peak_ewma_ops);

/* ---- task 4: outlier ejection, a wrapper: config->inner is what it wraps, made with config->inner_config ---- */

static const struct lb_ops outlier_ejection_ops = {
    .create = nothing_create,
    .destroy = free,
    .add = nothing_add,
    .remove = nothing_remove,
    .set_weight = nothing_add,
    .pick = nothing_pick,
    .done = nothing_done,
    .wraps = true,
};
LB_ENTRY(outlier_ejection, "outlier-ejection", "takes out backends that fail in a row", &outlier_ejection_ops);

/* ---- task 5: weighted least connections again, for ten thousand backends ---- */

static const struct lb_ops weighted_least_connections_heap_ops = {
    .create = nothing_create,
    .destroy = free,
    .add = nothing_add,
    .remove = nothing_remove,
    .set_weight = nothing_add,
    .pick = nothing_pick,
    .done = nothing_done,
};
LB_ENTRY(weighted_least_connections_heap, "weighted-least-connections-heap", "the same without looking at all of them",
         &weighted_least_connections_heap_ops);
