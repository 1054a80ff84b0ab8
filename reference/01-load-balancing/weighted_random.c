/* Weighted random: each request goes to a member drawn with chances in proportion to its weight, by Walker's alias
 * table.
 *
 * Idea       Cut the weights into n columns of equal height, each filled by at most two members: its own, and one that
 *            gives it what it lacks. A pick draws a column, then a height in it; below the cut it is the column's own,
 *            above it the other.
 * Cost       O(1) a pick: two random numbers, one 16-byte row of a table. O(n) to build the table, which is done at the
 *            first pick after a change.
 * Gets right With weights in proportion to the servers' speeds no server is overloaded before all are. Each is an M/M/1
 *            queue, and the mean time over the fleet is N / (C (1 - rho)), for C the capacity of all together.
 * Gets wrong Random splitting keeps all the variance of the arrivals: round robin's taking of turns does better. And
 *            proportional weights are not the best static ones: the square-root rule, lambda_i = mu_i - a sqrt(mu_i),
 *            sends even less to the slow servers, and none at low load.
 * Source     Walker 1977; the table's construction in O(n): Vose 1991.
 */
#include "members.h"

struct column {
    uint64_t cut; /* of 2^32: below it the column's own member */
    uint32_t own, other;
};

struct balancer {
    struct members members;
    struct rng random;
    struct column *table; /* [members.count] when fresh */
    uint64_t *height;     /* [capacity], while building */
    uint32_t *work;       /* [capacity], while building */
    bool fresh;
};

static void destroy(void *balancer)
{
    struct balancer *b = balancer;
    free(b->table);
    free(b->height);
    free(b->work);
    members_end(b);
}

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    size_t n = config->max_backends ? config->max_backends : 1;
    b->random = config->random;
    b->table = calloc(n, sizeof *b->table);
    b->height = calloc(n, sizeof *b->height);
    b->work = calloc(n, sizeof *b->work);
    if (!b->table || !b->height || !b->work) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

/* Heights are weight x n, so that the mean height is the sum of the weights and all is exact in integers. Members below
 * the mean take the rest of their column from one above it, which shrinks, and may fall below in its turn. */
static void build(struct balancer *b)
{
    uint32_t n = b->members.count, low = 0, high = n;
    uint64_t mean = 0;
    for (uint32_t i = 0; i < n; i++)
        mean += b->members.weight[b->members.list[i]];
    for (uint32_t i = 0; i < n; i++) {
        b->height[i] = (uint64_t)b->members.weight[b->members.list[i]] * n;
        if (b->height[i] < mean)
            b->work[low++] = i; /* low ones from the left, high ones from the right */
        else
            b->work[--high] = i;
    }
    while (low > 0 && high < n) {
        uint32_t small = b->work[--low], large = b->work[high];
        b->table[small] = (struct column){(uint64_t)((double)b->height[small] / (double)mean * 4294967296.0),
                                          b->members.list[small], b->members.list[large]};
        b->height[large] -= mean - b->height[small];
        if (b->height[large] < mean) {
            high++;
            b->work[low++] = large;
        }
    }
    for (; high < n; high++)
        b->table[b->work[high]] =
            (struct column){1ull << 32, b->members.list[b->work[high]], b->members.list[b->work[high]]};
    b->fresh = true;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    members_leave(balancer, backend, now);
    ((struct balancer *)balancer)->fresh = false;
}

static int join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    ((struct balancer *)balancer)->fresh = false;
    return members_join(balancer, backend, weight, now);
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->members.count == 0)
        return LB_NONE;
    if (!b->fresh)
        build(b);
    const struct column *c = &b->table[rng_below(&b->random, b->members.count)];
    return rng_next(&b->random) >> 32 < c->cut ? c->own : c->other;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = join,
                                  .remove = leave,
                                  .set_weight = join,
                                  .pick = pick,
                                  .can = LB_WEIGHTS | LB_RANDOM};
LB_ENTRY(weighted_random, "weighted-random", "any member, chances by weight (alias table)", &ops);
