/* Join the shortest queue: the member that last reported the fewest requests.
 *
 * Idea       The servers know best how long their queues are, counting the requests of all balancers. With fresh
 *            reports this is the best that can be done without knowing what requests will cost: mean time at 90 % load
 *            and many servers is about 1 service time where two choices has 2.6.
 * Invariant  known[i] is what backend i last reported, and nothing else: between two reports a balancer's own picks are
 *            not counted.
 * Cost       O(n) a pick; and a report from each server to each balancer at each change, or every so often.
 * Ties       The scan starts behind the last one picked.
 * Gets wrong Old reports. Until the next one, every balancer sends every request to the same few servers that were the
 *            shortest a moment ago: the herd tramples one server after the other, worse than random when reports are
 *            older than a few service times: two_choices_reported.c looks at two only and survives that.
 * Source     Winston 1977 (optimal for equal servers and exponential work); Mitzenmacher 2000 for what old information
 *            does.
 */
#include "members.h"

struct balancer {
    struct members members;
    uint32_t *known; /* [capacity] load as last reported */
    uint32_t start;
};

static void destroy(void *balancer)
{
    free(((struct balancer *)balancer)->known);
    members_end(balancer);
}

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    b->known = calloc(config->max_backends ? config->max_backends : 1, sizeof *b->known);
    if (!b->known) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    const struct members *m = &b->members;
    (void)now;
    if (m->count == 0)
        return LB_NONE;
    uint32_t place = b->start < m->count ? b->start : 0, best = place, fewest = UINT32_MAX;
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t load = b->known[m->list[place]];
        if (load < fewest) {
            fewest = load;
            best = place;
        }
        if (++place == m->count)
            place = 0;
    }
    b->start = best + 1;
    return m->list[best];
}

static void report(void *balancer, uint32_t backend, uint32_t load, uint64_t now)
{
    (void)now;
    ((struct balancer *)balancer)->known[backend] = load;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = members_join,
                                  .remove = members_leave,
                                  .set_weight = members_join,
                                  .pick = pick,
                                  .report = report};
LB_ENTRY(join_shortest_queue, "join-shortest-queue", "shortest queue as the servers report it, O(n)", &ops);
