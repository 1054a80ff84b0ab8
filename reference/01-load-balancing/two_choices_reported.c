/* Two choices on reported loads: draw two different members, take the one that last reported fewer requests.
 *
 * Idea       When information is old, acting on all of it is worse than acting on little. Each pick looks at two random
 *            members, so the picks between two reports spread over many servers instead of trampling the one that was
 *            best.
 * Cost       O(1) a pick; reports as in join_shortest_queue.c.
 * Gets wrong With fresh reports it is a little worse than the shortest queue. With old ones it herds too, only later: at
 *            90 % load reports that are older than about 37 service times make it worse than random, where the shortest
 *            queue of all is worse from about 4 on.
 * Source     Mitzenmacher 2000, "How useful is old information?".
 */
#include "members.h"

struct balancer {
    struct members members;
    struct rng random;
    uint32_t *known; /* [capacity] load as last reported */
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
    b->random = config->random;
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
    uint32_t first, second;
    (void)now;
    if (m->count == 0)
        return LB_NONE;
    if (m->count == 1)
        return m->list[0];
    members_two(m, &b->random, &first, &second);
    return b->known[second] < b->known[first] ? second : first;
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
                                  .report = report,
                                  .can = LB_RANDOM};
LB_ENTRY(two_choices_reported, "two-choices-reported", "the shorter of two random queues as reported", &ops);
