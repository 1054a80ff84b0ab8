/* Smooth weighted round robin by expansion: the sequence of smooth_weighted.c, pick for pick, at O(1).
 *
 * Idea       The sequence repeats after W picks (W: the sum of the weights, divided by their greatest common divisor).
 *            So write it down once and walk along it. It is written down as it is needed: during the first cycle each
 *            pick costs the scan of nginx's rule, from then on one array access.
 * Invariant  sequence[0 … known-1] is the beginning of the cycle by nginx's rule; credits are those after `known`
 *            picks.
 * Cost       O(1) a pick after the first cycle, 4 W bytes. Above LONGEST entries it does not write down and scans for
 *            ever: weights with a large sum and no common divisor gain nothing from being that exact, so round them.
 * Gets wrong As smooth_weighted.c; and each change of members or weights starts a first cycle again, which a slow start
 *            does ten times.
 * Source     Tengine's VNSWRR module (virtual nodes in batches), which at 2,000 endpoints brought the rule from 39 % of
 *            a CPU to 0.3 %.
 */
#include "members.h"

#define LONGEST (4u << 20)

struct balancer {
    struct members members; /* in the order of backend numbers */
    int64_t *credit;        /* [capacity] */
    int64_t total;          /* W */
    uint32_t *sequence;     /* [length], the first `known` of which are written */
    uint32_t length, known, at;
};

static void destroy(void *balancer)
{
    struct balancer *b = balancer;
    free(b->credit);
    free(b->sequence);
    members_end(b);
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

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int start_anew(struct balancer *b)
{
    uint32_t divisor = 0;
    b->total = 0;
    for (uint32_t i = 0; i < b->members.count; i++) {
        uint32_t backend = b->members.list[i];
        b->credit[backend] = 0;
        b->total += b->members.weight[backend];
        divisor = common_divisor(b->members.weight[backend], divisor);
    }
    b->known = b->at = b->length = 0;
    free(b->sequence);
    b->sequence = NULL;
    uint64_t length = divisor ? (uint64_t)b->total / divisor : 0;
    if (length == 0 || length > LONGEST)
        return 0;
    b->sequence = malloc(length * sizeof *b->sequence);
    if (!b->sequence)
        return -ENOMEM;
    b->length = (uint32_t)length;
    return 0;
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    members_remove_sorted(&b->members, backend);
    start_anew(b); /* without memory for the sequence it goes on by scanning */
}

static int join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    if (weight == 0) {
        leave(b, backend, now);
        return 0;
    }
    members_add_sorted(&b->members, backend, weight);
    return start_anew(b);
}

static uint32_t scan(struct balancer *b)
{
    uint32_t best = LB_NONE;
    int64_t most = INT64_MIN;
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

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->length == 0)
        return scan(b);
    if (b->at == b->known)
        b->sequence[b->known++] = scan(b);
    uint32_t backend = b->sequence[b->at];
    if (++b->at == b->length)
        b->at = 0;
    return backend;
}

static const struct lb_ops ops = {.create = create,
                                  .destroy = destroy,
                                  .add = join,
                                  .remove = leave,
                                  .set_weight = join,
                                  .pick = pick,
                                  .can = LB_WEIGHTS};
LB_ENTRY(smooth_weighted_expanded, "smooth-weighted-expanded", "the same sequence, O(1) after its first cycle", &ops);
