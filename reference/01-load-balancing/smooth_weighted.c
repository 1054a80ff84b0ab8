/* Smooth weighted round robin: nginx's rule, by scan.
 *
 * Idea       Each backend has a credit. A pick gives every backend its weight as credit, takes the one with the most
 *            (the lowest number among equals), and charges that one the sum of all weights. Who was served pays; who
 *            waited saves up.
 * Invariant  The credits sum to 0 after each pick, and the credit of a backend after k picks is k w - c W, where c is
 *            how often it was picked and W the sum: its debt or claim against its exact share. None is ever picked that
 *            has not the largest, so c < k w / W + 1: no backend runs ahead of its share by a whole request. After each
 *            W picks all credits are 0 again and the sequence repeats. Weights 5, 1, 1 give a a b a c a a, where the
 *            plain form gives a a a a a b c.
 * Cost       O(n) a pick. Next to nothing at ten backends; with thousands it is most of what a balancer does: then
 *            smooth_weighted_expanded.c, the same sequence at O(1).
 * Gets wrong It trusts the weights. A server that has become slow keeps its share until somebody changes its weight.
 * Source     nginx 1.3.1, ngx_http_upstream_round_robin.c (2012); gaps: the sequence is that of a "billiard word" only
 *            for two backends.
 */
#include "members.h"

struct balancer {
    struct members members; /* in the order of backend numbers, so that ties go to the lowest */
    int64_t *credit;        /* [capacity], of members; |credit| <= W, and W <= 2^32 x LB_MAX_WEIGHT */
    int64_t total;          /* W */
};

static void destroy(void *balancer)
{
    free(((struct balancer *)balancer)->credit);
    members_end(balancer);
}

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    b->credit = calloc(config->max_backends ? config->max_backends : 1, sizeof *b->credit);
    if (!b->credit) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

/* Credits are claims against the old weights. Starting all of them anew keeps the invariant, and costs nobody more than
 * one cycle. */
static void start_anew(struct balancer *b)
{
    b->total = 0;
    for (uint32_t i = 0; i < b->members.count; i++) {
        b->credit[b->members.list[i]] = 0;
        b->total += b->members.weight[b->members.list[i]];
    }
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    members_remove_sorted(&b->members, backend);
    start_anew(b);
}

static int join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    if (weight == 0) {
        leave(b, backend, now);
        return 0;
    }
    members_add_sorted(&b->members, backend, weight);
    start_anew(b);
    return 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    uint32_t best = LB_NONE;
    int64_t most = INT64_MIN;
    (void)now;
    for (uint32_t i = 0; i < b->members.count; i++) {
        uint32_t backend = b->members.list[i];
        int64_t credit = b->credit[backend] += b->members.weight[backend];
        if (credit > most) {
            most = credit;
            best = backend;
        }
    }
    if (best != LB_NONE)
        b->credit[best] -= b->total;
    return best;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = join,
                                  .remove = leave,
                                  .set_weight = join,
                                  .pick = pick,
                                  .can = LB_WEIGHTS};
LB_ENTRY(smooth_weighted, "smooth-weighted", "turns by weight, interleaved: nginx's rule, O(n)", &ops);
