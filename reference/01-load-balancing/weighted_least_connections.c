/* Weighted least connections: the member for which (requests in flight + 1) / weight is least.
 *
 * Idea       Least connections, with a server of twice the weight taken to be as loaded by two requests as another is
 *            by one. The + 1 is the request that is about to be sent: without it all idle servers look alike, whatever
 *            their weight, and at low load the slow get as much as the fast.
 * Invariant  As in least_connections.c: in_flight counts picks minus answers of any kind: time-outs, errors and
 *            refusals too.
 * Cost       O(n) a pick. The quotients are compared by cross-multiplication of 64-bit integers: exact, and no
 *            division.
 * Ties       The scan starts behind the last one picked, so equals take turns.
 * Gets wrong A weight that is wrong does little harm here, since a server that is slower than its weight says fills up;
 *            but fail-fast servers and several balancers hurt it as they do least connections.
 * Source     Linux Virtual Server, "wlc"; HAProxy leastconn compares served / weight in a tree.
 */
#include "members.h"

struct balancer {
    struct members members;
    uint32_t start; /* place in the list where the scan begins */
};

static int create(const struct lb_config *config, void **out)
{
    return members_create(sizeof(struct balancer), config, out);
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    struct members *m = &b->members;
    (void)now;
    if (m->count == 0)
        return LB_NONE;
    uint32_t place = b->start < m->count ? b->start : 0, best = place;
    uint64_t best_load = UINT32_MAX, best_weight = 1;
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t backend = m->list[place];
        uint64_t load = (uint64_t)m->in_flight[backend] + 1, weight = m->weight[backend];
        if (load * best_weight < best_load * weight) {
            best_load = load;
            best_weight = weight;
            best = place;
        }
        if (++place == m->count)
            place = 0;
    }
    b->start = best + 1;
    m->in_flight[m->list[best]]++;
    return m->list[best];
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = members_end,
                                  .add = members_join,
                                  .remove = members_leave,
                                  .set_weight = members_join,
                                  .pick = pick,
                                  .done = members_done,
                                  .can = LB_WEIGHTS};
LB_ENTRY(weighted_least_connections, "weighted-least-connections", "least (in flight + 1) / weight, O(n)", &ops);
