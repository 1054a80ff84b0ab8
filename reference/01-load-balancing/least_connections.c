/* Least connections: the member with the fewest requests in flight.
 *
 * Idea       Requests pile up where service is slow, so the count of what was sent and not yet answered tells how
 *            loaded a server is, without asking it. Slow servers are found out by themselves; weights are not needed,
 *            and a server that becomes slow while running loses its share at once.
 * Invariant  in_flight of a backend is the number of picks that named it minus the number of `done` for it, whatever
 *            their outcome and whether it is a member or not.
 * Cost       O(n) a pick; least_connections_buckets.c does it in O(1).
 * Ties       The scan starts behind the last one picked, so equals take turns. Starting at 0 each time would send every
 *            request to backend 0 of an idle fleet, and so do all other balancers at the same moment.
 * Gets wrong It sees only what it sent itself: of m balancers each sees an m-th of the load. A server that fails fast
 *            has always few in flight, looks like the best, and swallows the traffic: outlier_ejection.c.
 * Source     Linux Virtual Server, "lc"; nginx least_conn.
 */
#include "members.h"

struct balancer {
    struct members members; /* in_flight in there */
    uint32_t start;         /* place in the list where the scan begins */
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
    uint32_t place = b->start < m->count ? b->start : 0, best = place, fewest = UINT32_MAX;
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t load = m->in_flight[m->list[place]];
        if (load < fewest) {
            fewest = load;
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
                                  .done = members_done};
LB_ENTRY(least_connections, "least-connections", "fewest requests in flight, O(n)", &ops);
