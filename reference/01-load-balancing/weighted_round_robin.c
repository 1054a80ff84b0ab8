/* Weighted round robin, the plain one: a backend of weight w takes w turns, one after the other.
 *
 * Idea       Walk the list; stay at a backend for as many requests as its weight says. Over a cycle of sum(w) requests
 *            the shares are exact.
 * Cost       O(1) a pick.
 * Gets wrong The turns of a backend come in a burst. With weights 5, 1, 1 the picks are a a a a a b c: the first server
 *            gets five requests in a row and queues four of them while the others idle; with weights like 1500, 1000,
 *            500 the "burst" is most of a second's traffic. Shares right, timing wrong: the mean time is far above that
 *            of the interleaved forms, which cost hardly more.
 * Source     nginx before 1.3.1; LVS's "wrr" interleaves a little by weight steps, this one does not.
 */
#include "members.h"

struct balancer {
    struct members members; /* in the order of backend numbers */
    uint32_t at;            /* place in the list whose turn it is, < count or 0 */
    uint32_t taken;         /* turns it has had, < its weight */
};

static int create(const struct lb_config *config, void **out)
{
    return members_create(sizeof(struct balancer), config, out);
}

/* After a change of members the walk goes on with the same backend where it still is one, else with the next. */
static void go_on_with(struct balancer *b, uint32_t backend)
{
    b->at = 0;
    while (b->at < b->members.count && b->members.list[b->at] < backend)
        b->at++;
    if (b->at == b->members.count)
        b->at = 0;
    if (b->members.count == 0 || b->members.list[b->at] != backend || b->taken >= b->members.weight[backend])
        b->taken = 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (!members_has(&b->members, backend))
        return;
    uint32_t current = b->members.list[b->at];
    members_remove_sorted(&b->members, backend);
    go_on_with(b, current);
}

static int join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    if (weight == 0) {
        leave(b, backend, now);
        return 0;
    }
    uint32_t current = b->members.count ? b->members.list[b->at] : backend;
    members_add_sorted(&b->members, backend, weight);
    go_on_with(b, current);
    return 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->members.count == 0)
        return LB_NONE;
    uint32_t backend = b->members.list[b->at];
    if (++b->taken >= b->members.weight[backend]) {
        b->taken = 0;
        if (++b->at == b->members.count)
            b->at = 0;
    }
    return backend;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = members_end,
                                  .add = join,
                                  .remove = leave,
                                  .set_weight = join,
                                  .pick = pick,
                                  .can = LB_WEIGHTS};
LB_ENTRY(weighted_round_robin, "weighted-round-robin", "turns by weight, in bursts", &ops);
