/* Weighted least connections in O(log n): the members in a heap by (in flight + 1) / weight.
 *
 * Idea       A pick or an answer changes the key of one member by 1 / weight, so it moves a little way up or down the
 *            heap. `where` says where each is.
 * Invariant  The heap is ordered by (key, turn), the keys compared exactly by cross-multiplication; `turn` is the
 *            number of the pick that last named the member, so that equals take turns.
 * Cost       O(log n) a pick and a done; most moves are short, since keys change by little.
 * Same as    weighted_least_connections.c: at each pick a member with the least key; among equals the two may choose
 *            differently.
 * Source     HAProxy's leastconn does the same with an elastic binary tree.
 */
#include "members.h"

struct balancer {
    struct members members;
    uint32_t *heap;  /* [members.count] backends */
    uint32_t *where; /* [capacity] place in the heap, of members */
    uint64_t *turn;  /* [capacity] */
    uint64_t picks;
};

static void destroy(void *balancer)
{
    struct balancer *b = balancer;
    free(b->heap);
    free(b->where);
    free(b->turn);
    members_end(b);
}

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    size_t n = config->max_backends ? config->max_backends : 1;
    b->heap = calloc(n, sizeof *b->heap);
    b->where = calloc(n, sizeof *b->where);
    b->turn = calloc(n, sizeof *b->turn);
    if (!b->heap || !b->where || !b->turn) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

static bool before(const struct balancer *b, uint32_t x, uint32_t y)
{
    const struct members *m = &b->members;
    uint64_t left = ((uint64_t)m->in_flight[x] + 1) * m->weight[y],
             right = ((uint64_t)m->in_flight[y] + 1) * m->weight[x];
    return left < right || (left == right && (b->turn[x] < b->turn[y] || (b->turn[x] == b->turn[y] && x < y)));
}

static void put(struct balancer *b, uint32_t place, uint32_t backend)
{
    b->heap[place] = backend;
    b->where[backend] = place;
}

/* Moves the member at `place` to where its key belongs. */
static void settle(struct balancer *b, uint32_t place)
{
    uint32_t backend = b->heap[place], n = b->members.count;
    for (; place > 0 && before(b, backend, b->heap[(place - 1) / 2]); place = (place - 1) / 2)
        put(b, place, b->heap[(place - 1) / 2]);
    for (uint32_t child; (child = 2 * place + 1) < n; place = child) {
        if (child + 1 < n && before(b, b->heap[child + 1], b->heap[child]))
            child++;
        if (!before(b, b->heap[child], backend))
            break;
        put(b, place, b->heap[child]);
    }
    put(b, place, backend);
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (!members_has(&b->members, backend))
        return;
    uint32_t place = b->where[backend], last = b->heap[b->members.count - 1];
    members_remove(&b->members, backend);
    if (last != backend) {
        put(b, place, last);
        settle(b, place);
    }
}

static int join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    if (weight == 0) {
        leave(b, backend, now);
        return 0;
    }
    bool fresh = !members_has(&b->members, backend);
    members_add(&b->members, backend, weight);
    if (fresh)
        put(b, b->members.count - 1, backend);
    settle(b, b->where[backend]);
    return 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->members.count == 0)
        return LB_NONE;
    uint32_t backend = b->heap[0];
    b->members.in_flight[backend]++;
    b->turn[backend] = ++b->picks;
    settle(b, 0);
    return backend;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct balancer *b = balancer;
    members_done(b, backend, outcome, latency, now);
    if (members_has(&b->members, backend))
        settle(b, b->where[backend]);
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = join,
                                  .remove = leave,
                                  .set_weight = join,
                                  .pick = pick,
                                  .done = done,
                                  .can = LB_WEIGHTS};
LB_ENTRY(weighted_least_connections_heap, "weighted-least-connections-heap", "least (in flight + 1) / weight, O(log n)",
         &ops);
