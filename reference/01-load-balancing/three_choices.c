/* Three choices: as two_choices.c, with one more draw. It is here to show how little the third brings.
 *
 * Law        Mean time at 90 % load, many servers: 10, 2.614, 2.028 service times for one, two, three choices; for d of
 *            them the sum over i >= 1 of L^((d^i - d) / (d - 1)). The step from one to two is exponential, from two to
 *            three a constant factor.
 * Cost       O(1): three random numbers and counts.
 * Gets wrong As two choices; and the more are looked at, the more it herds when the information is old.
 * Source     as two_choices.c.
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

/* A member other than a and b; fewer than three members: any. */
static uint32_t draw_third(struct balancer *b, uint32_t first, uint32_t second)
{
    const struct members *m = &b->members;
    uint32_t third;
    do
        third = m->list[rng_below(&b->random, m->count)];
    while (m->count > 2 && (third == first || third == second));
    return third;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    struct members *m = &b->members;
    uint32_t best, second;
    (void)now;
    if (m->count == 0)
        return LB_NONE;
    if (m->count == 1) {
        best = m->list[0];
    } else {
        members_two(m, &b->random, &best, &second);
        uint32_t third = draw_third(b, best, second);
        if (m->in_flight[second] < m->in_flight[best])
            best = second;
        if (m->in_flight[third] < m->in_flight[best])
            best = third;
    }
    m->in_flight[best]++;
    return best;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = members_end,
                                  .add = members_join,
                                  .remove = members_leave,
                                  .set_weight = members_join,
                                  .pick = pick,
                                  .done = members_done,
                                  .can = LB_RANDOM};
LB_ENTRY(three_choices, "three-choices", "the least loaded of three random members", &ops);
