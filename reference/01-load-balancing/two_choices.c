/* Two choices: draw two different members, take the one with fewer requests in flight.
 *
 * Idea       A random choice is blind, a full scan is slow and, with old information, sends everybody to the same
 *            place. Looking at two is nearly as good as looking at all: the chance that both are crowded is the square
 *            of the chance that one is.
 * Law        With n servers, Poisson arrivals and exponential work at load L, the share of queues of length i or more
 *            is L^(2^i - 1) as n grows, where random placing has L^i. Mean time at 90 % load: 2.614 service times
 *            against 10. n balls into n bins: ln ln n / ln 2 + O(1) in the fullest.
 * Cost       O(1): two random numbers, two counts, at any n.
 * Ties       The first drawn: it is random itself, so no backend is favoured.
 * Gets wrong On servers of unequal speed it is stable only while, for each group S of servers, the rate x P(both draws
 *            in S) < the speed of S. For the article's fleet that is always so; with a few very fast servers and many
 *            slow it is not: weighted_two_choices.c.
 * Source     Mitzenmacher 1996/2001; Azar, Broder, Karlin & Upfal 1994; Vvedenskaya, Dobrushin & Karpelevich 1996.
 */
#include "members.h"

struct balancer {
    struct members members;
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
    struct members *m = &b->members;
    uint32_t first, second;
    (void)now;
    if (m->count == 0)
        return LB_NONE;
    if (m->count == 1) {
        first = m->list[0];
    } else {
        members_two(m, &b->random, &first, &second);
        /* A choice by arithmetic: which of two random loads is less, no branch predictor can know. */
        uint32_t less = -(uint32_t)(m->in_flight[second] < m->in_flight[first]);
        first ^= (first ^ second) & less;
    }
    m->in_flight[first]++;
    return first;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = members_end,
                                  .add = members_join,
                                  .remove = members_leave,
                                  .set_weight = members_join,
                                  .pick = pick,
                                  .done = members_done,
                                  .can = LB_RANDOM};
LB_ENTRY(two_choices, "two-choices", "the less loaded of two random members", &ops);
