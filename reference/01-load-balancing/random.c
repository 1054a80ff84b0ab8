/* Random: each request goes to a member drawn with equal chances.
 *
 * Idea       No state is shared and none is needed, so any number of balancers that know nothing of each other behave
 *            as one.
 * Cost       O(1): one random number and one array access.
 * Gets wrong Servers of unequal speed get equal shares, so the slowest is overloaded first, as with round robin. On
 *            equal servers it is worse than round robin: each server then sees a Poisson stream, M/M/1, with a mean
 *            time in system of 1/(mu - lambda); bursts that taking turns would have spread meet in one queue. Throwing
 *            n balls into n bins leaves about ln n / ln ln n in the fullest.
 * Source     any text on queues; balls into bins: Raab & Steger 1998.
 * Left out   weights: see weighted_random.c.
 */
#include "members.h"

struct balancer {
    struct members members; /* first: members_join and its like work on it */
    struct rng random;
};

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code == 0)
        ((struct balancer *)*out)->random = config->random;
    return code;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->members.count == 0)
        return LB_NONE;
    return b->members.list[rng_below(&b->random, b->members.count)];
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = members_end,
                                  .add = members_join,
                                  .remove = members_leave,
                                  .set_weight = members_join,
                                  .pick = pick,
                                  .can = LB_RANDOM};
LB_ENTRY(random, "random", "any member, equal chances", &ops);
