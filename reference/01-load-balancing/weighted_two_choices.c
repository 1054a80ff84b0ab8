/* Two choices on servers of unequal speed: draw by weight, compare (in flight + 1) / weight.
 *
 * Idea       Each member is drawn with a chance in proportion to its weight, so that without any comparison the shares
 *            are already those of weighted random; the comparison then evens out what chance brought together. It is
 *            stable wherever weighted random is, up to the whole capacity.
 * Cost       A draw by weight is a binary search in the running sums: O(log n), 4 bytes a backend; alias tables would
 *            make it O(1) (weighted_random.c), for more code than this entry has. Sums are made at the first pick after
 *            a change.
 * Ties       The first drawn.
 * Gets wrong The same member may come up twice when one weight dominates; it is drawn again up to four times, then
 *            taken.
 * Source     Berenbrink, Brinkmann, Friedetzky & Nagel 2010 (balls into non-uniform bins); Envoy's weighted least
 *            request is a relative.
 */
#include "members.h"

struct balancer {
    struct members members;
    struct rng random;
    uint64_t *sum; /* [members.count] of the weights up to and with each, when fresh */
    bool fresh;
};

static void destroy(void *balancer)
{
    free(((struct balancer *)balancer)->sum);
    members_end(balancer);
}

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    b->random = config->random;
    b->sum = calloc(config->max_backends ? config->max_backends : 1, sizeof *b->sum);
    if (!b->sum) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    ((struct balancer *)balancer)->fresh = false;
    members_leave(balancer, backend, now);
}

static int join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    ((struct balancer *)balancer)->fresh = false;
    return members_join(balancer, backend, weight, now);
}

static void add_up(struct balancer *b)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < b->members.count; i++)
        b->sum[i] = sum += b->members.weight[b->members.list[i]];
    b->fresh = true;
}

/* The sum of all weights is below 2^32 for fewer than 2^18 members of the largest weight. */
static uint32_t draw(struct balancer *b)
{
    uint32_t low = 0, high = b->members.count - 1;
    uint64_t at = rng_below(&b->random, (uint32_t)b->sum[high]);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (b->sum[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return b->members.list[low];
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    struct members *m = &b->members;
    (void)now;
    if (m->count == 0)
        return LB_NONE;
    if (!b->fresh)
        add_up(b);
    uint32_t first = draw(b), second = draw(b);
    for (int again = 0; second == first && m->count > 1 && again < 4; again++)
        second = draw(b);
    if (((uint64_t)m->in_flight[second] + 1) * m->weight[first] <
        ((uint64_t)m->in_flight[first] + 1) * m->weight[second])
        first = second;
    m->in_flight[first]++;
    return first;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = join,
                                  .remove = leave,
                                  .set_weight = join,
                                  .pick = pick,
                                  .done = members_done,
                                  .can = LB_WEIGHTS | LB_RANDOM};
LB_ENTRY(weighted_two_choices, "weighted-two-choices", "two drawn by weight, the less loaded for its weight", &ops);
