/* Earliest deadline first: weighted turns from a heap.
 *
 * Idea       Each backend has a deadline in a virtual time of its own; a pick takes the earliest and puts it off by 1 /
 *            weight. Heavy backends come back sooner.
 * Invariant  The heap is ordered by (deadline, backend). Virtual time is the deadline that was met last, and no
 *            deadline lies before it, so a backend that joins late starts now and does not catch up on what it missed.
 * Cost       O(log n) a pick: replace the top, sift down. With many backends most of it is cache misses on the way.
 * Gets wrong Shares are exact in the long run, but the beginning favours the heavy ones, and every balancer that starts
 *            afresh begins the same way: with many clients and few requests each, the first in the order gets them all.
 *            Starting each at a random point of its first interval mends that.
 * Source     Liu & Layland 1973 for the rule; Envoy's EDF scheduler, and its issue 31378 for the first picks.
 */
#include "members.h"

struct turn {
    double deadline;
    uint32_t backend;
};

struct balancer {
    struct members members;
    struct turn *heap; /* [count], heap[0] is next */
    uint32_t count;
    double now; /* virtual time */
};

static void destroy(void *balancer)
{
    free(((struct balancer *)balancer)->heap);
    members_end(balancer);
}

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    b->heap = calloc(config->max_backends ? config->max_backends : 1, sizeof *b->heap);
    if (!b->heap) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

static bool before(struct turn a, struct turn b)
{
    return a.deadline < b.deadline || (a.deadline == b.deadline && a.backend < b.backend);
}

/* Puts `turn` where it belongs in the subtree below the gap at i. */
static void sift_down(struct balancer *b, uint32_t i, struct turn turn)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= b->count)
            break;
        if (child + 1 < b->count && before(b->heap[child + 1], b->heap[child]))
            child++;
        if (!before(b->heap[child], turn))
            break;
        b->heap[i] = b->heap[child];
        i = child;
    }
    b->heap[i] = turn;
}

static void sift_up(struct balancer *b, uint32_t i, struct turn turn)
{
    for (; i > 0 && before(turn, b->heap[(i - 1) / 2]); i = (i - 1) / 2)
        b->heap[i] = b->heap[(i - 1) / 2];
    b->heap[i] = turn;
}

/* Membership changes are rare: finding the place in the heap may take O(n). */
static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    members_remove(&b->members, backend);
    for (uint32_t i = 0; i < b->count; i++) {
        if (b->heap[i].backend != backend)
            continue;
        struct turn last = b->heap[--b->count];
        if (i < b->count) {
            sift_down(b, i, last);
            sift_up(b, i, b->heap[i]);
        }
        return;
    }
}

static int join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    leave(b, backend, now);
    if (weight == 0)
        return 0;
    members_add(&b->members, backend, weight);
    b->count++;
    sift_up(b, b->count - 1, (struct turn){b->now + 1.0 / weight, backend});
    return 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->count == 0)
        return LB_NONE;
    struct turn turn = b->heap[0];
    b->now = turn.deadline;
    turn.deadline += 1.0 / b->members.weight[turn.backend];
    sift_down(b, 0, turn);
    return turn.backend;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = join,
                                  .remove = leave,
                                  .set_weight = join,
                                  .pick = pick,
                                  .can = LB_WEIGHTS};
LB_ENTRY(earliest_deadline_first, "earliest-deadline-first", "turns by weight from a heap, O(log n)", &ops);
