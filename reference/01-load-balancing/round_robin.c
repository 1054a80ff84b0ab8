/* Round robin: the members take turns.
 *
 * Idea       One number says whose turn it is. Over n requests each of n members gets exactly one.
 * Cost       O(1): an addition and a comparison, no memory touched but one word. Nothing is cheaper.
 * Gets right On equal servers it turns a Poisson stream into one that is Erlang-n for each server: less variance, so
 *            shorter queues. E_N/M/1 has the mean time 1 / (mu (1 - s)) with s = (N lambda / (N lambda + mu (1 -
 *            s)))^N; for N = 10 at 90 % load 5.66 service times against 10 for random.
 * Gets wrong It assumes what the article's fleet is not: equal. Every server gets lambda / N, so the fleet is stable
 *            only while lambda / N < the slowest server's speed. The ceiling is N x slowest, half the fleet's capacity
 *            in the article's case, and beyond it the slow servers' queues grow while the fast ones idle.
 * Source     Nagle 1987 (RFC 970) for the name in networks; the article.
 * Left out   weights: weighted_round_robin.c, smooth_weighted.c. Threads: a shared counter with one atomic addition a
 *            pick would do.
 */
#include "members.h"

struct balancer {
    struct members members; /* in the order of backend numbers */
    uint32_t next;          /* place in the list whose turn it is, < count or 0 */
};

static int create(const struct lb_config *config, void **out)
{
    return members_create(sizeof(struct balancer), config, out);
}

static void remove_backend(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (!members_has(&b->members, backend))
        return;
    /* Nobody's turn is lost or doubled: those behind the one that leaves move up by one place. */
    if (b->members.place[backend] < b->next)
        b->next--;
    members_remove_sorted(&b->members, backend);
    if (b->next >= b->members.count)
        b->next = 0;
}

static int set_weight(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    if (weight == 0) {
        remove_backend(b, backend, now);
    } else if (!members_has(&b->members, backend)) {
        members_add_sorted(&b->members, backend, weight);
        if (b->members.count > 1 && b->members.place[backend] < b->next)
            b->next++;
    }
    return 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->members.count == 0)
        return LB_NONE;
    uint32_t backend = b->members.list[b->next];
    if (++b->next == b->members.count)
        b->next = 0;
    return backend;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = members_end,
                                  .add = set_weight,
                                  .remove = remove_backend,
                                  .set_weight = set_weight,
                                  .pick = pick};
LB_ENTRY(round_robin, "round-robin", "the members take turns", &ops);
