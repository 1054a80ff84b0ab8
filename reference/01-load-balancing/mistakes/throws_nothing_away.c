/* A wrong answer to fast-least-connections: a heap of notes; each change adds one, and what is out of date is passed over when it
 * comes to the top.
 *
 * Its author believed that sooner or later everything comes to the top. What is at the top is what has little load; a note
 * of a load that was high for a moment stays below for ever, and there are more of them with every request.
 */
#include "load_balancing.h"

#include <errno.h>
#include <stdlib.h>

struct note {
    uint32_t backend, in_flight, weight; /* as they were */
};

struct backend {
    uint32_t weight; /* 0: not a member */
    uint32_t in_flight;
};

struct balancer {
    struct note *heap; /* [count], of room */
    size_t count, room;
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
    *balancer = b;
    return 0;
}

static bool less(const struct note *x, const struct note *y)
{
    return (x->in_flight + 1ull) * y->weight < (y->in_flight + 1ull) * x->weight;
}

/* A note of what the backend is now. 0 or -ENOMEM. */
static int push(struct balancer *b, uint32_t backend)
{
    struct note fresh = {backend, b->backend[backend].in_flight, b->backend[backend].weight};
    if (fresh.weight == 0)
        return 0;
    if (b->count == b->room) {
        size_t room = b->room ? 2 * b->room : 64;
        struct note *more = realloc(b->heap, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        b->heap = more;
        b->room = room;
    }
    size_t place = b->count++;
    for (; place > 0 && less(&fresh, &b->heap[(place - 1) / 2]); place = (place - 1) / 2)
        b->heap[place] = b->heap[(place - 1) / 2];
    b->heap[place] = fresh;
    return 0;
}

static void pop(struct balancer *b)
{
    struct note last = b->heap[--b->count];
    size_t place = 0;
    for (size_t child; (child = 2 * place + 1) < b->count; place = child) {
        if (child + 1 < b->count && less(&b->heap[child + 1], &b->heap[child]))
            child++;
        if (!less(&b->heap[child], &last))
            break;
        b->heap[place] = b->heap[child];
    }
    b->heap[place] = last;
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    b->backend[backend].weight = weight;
    return push(b, backend);
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    set_weight(balancer, backend, 0, now);
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    for (; b->count > 0; pop(b)) {
        struct note top = b->heap[0];
        struct backend *it = &b->backend[top.backend];
        if (it->in_flight != top.in_flight || it->weight != top.weight)
            continue;
        pop(b);
        it->in_flight++;
        push(b, top.backend);
        return top.backend;
    }
    return LB_NONE;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct balancer *b = balancer;
    (void)outcome, (void)latency, (void)now;
    b->backend[backend].in_flight--;
    push(b, backend);
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = set_weight,
                                  .remove = leave,
                                  .set_weight = set_weight,
                                  .pick = pick,
                                  .done = done};
LB_ENTRY(weighted_least_connections_heap, "weighted-least-connections-heap", "least (in flight + 1) / weight", &ops);
