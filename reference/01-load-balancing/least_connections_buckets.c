/* Least connections in O(1): members in buckets by their number of requests in flight.
 *
 * Idea       A pick and an answer change a count by one, so a member only ever moves to the bucket next door. The
 *            lowest bucket that is not empty moves by one as well: up when its last member was picked, down when an
 *            answer brings a member below it.
 * Invariant  A member with k in flight is in the list of bucket k and no other; `lowest` is the first bucket with
 *            anybody in it (when there is a member).
 * Cost       O(1) a pick and a done: two unlinkings and linkings in lists of indices. Memory: 12 bytes a backend, 8 a
 *            bucket.
 * Ties       A bucket is a queue: whoever has waited longest in it goes first.
 * Same as    least_connections.c: at each pick a member with the fewest in flight; among equals the two may choose
 *            differently.
 * Source     the idea of O(1) LFU (Shah, Mitra & Matani 2010), turned round.
 */
#include "members.h"

struct bucket {
    uint32_t first, last; /* backends, or LB_NONE */
};

struct balancer {
    struct members members;
    uint32_t *before, *after; /* [capacity] neighbours in the bucket, or LB_NONE */
    struct bucket *bucket;    /* [buckets] */
    uint32_t buckets, lowest;
};

static void destroy(void *balancer)
{
    struct balancer *b = balancer;
    free(b->before);
    free(b->after);
    free(b->bucket);
    members_end(b);
}

/* Makes room for bucket k. */
static int reach(struct balancer *b, uint32_t k)
{
    if (k < b->buckets)
        return 0;
    uint32_t n = b->buckets ? b->buckets : 16;
    while (n <= k)
        n *= 2;
    struct bucket *grown = realloc(b->bucket, n * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    memset(grown + b->buckets, 0xff, (n - b->buckets) * sizeof *grown);
    b->bucket = grown;
    b->buckets = n;
    return 0;
}

static int create(const struct lb_config *config, void **out)
{
    int code = members_create(sizeof(struct balancer), config, out);
    if (code)
        return code;
    struct balancer *b = *out;
    size_t n = config->max_backends ? config->max_backends : 1;
    b->before = malloc(n * sizeof *b->before);
    b->after = malloc(n * sizeof *b->after);
    if (!b->before || !b->after || reach(b, 0) != 0) {
        destroy(b);
        return -ENOMEM;
    }
    return 0;
}

static void link_last(struct balancer *b, uint32_t backend, uint32_t k)
{
    struct bucket *q = &b->bucket[k];
    b->after[backend] = LB_NONE;
    b->before[backend] = q->last;
    if (q->last == LB_NONE)
        q->first = backend;
    else
        b->after[q->last] = backend;
    q->last = backend;
}

static void unlink_from(struct balancer *b, uint32_t backend, uint32_t k)
{
    struct bucket *q = &b->bucket[k];
    uint32_t before = b->before[backend], after = b->after[backend];
    if (before == LB_NONE)
        q->first = after;
    else
        b->after[before] = after;
    if (after == LB_NONE)
        q->last = before;
    else
        b->before[after] = before;
}

static void find_lowest(struct balancer *b)
{
    while (b->lowest < b->buckets && b->bucket[b->lowest].first == LB_NONE)
        b->lowest++;
    if (b->lowest == b->buckets)
        b->lowest = 0; /* no members */
}

static void leave(void *balancer, uint32_t backend, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (!members_has(&b->members, backend))
        return;
    unlink_from(b, backend, b->members.in_flight[backend]);
    members_remove(&b->members, backend);
    find_lowest(b);
}

static int join(void *balancer, uint32_t backend, uint32_t weight, uint64_t now)
{
    struct balancer *b = balancer;
    if (weight == 0) {
        leave(b, backend, now);
        return 0;
    }
    if (members_has(&b->members, backend))
        return members_join(b, backend, weight, now);
    /* It may come back with requests of its earlier life still in flight. */
    uint32_t k = b->members.in_flight[backend];
    if (reach(b, k) != 0)
        return -ENOMEM;
    members_add(&b->members, backend, weight);
    link_last(b, backend, k);
    if (k < b->lowest || b->members.count == 1)
        b->lowest = k;
    return 0;
}

static uint32_t pick(void *balancer, uint64_t now)
{
    struct balancer *b = balancer;
    (void)now;
    if (b->members.count == 0 || reach(b, b->lowest + 1) != 0)
        return LB_NONE;
    uint32_t k = b->lowest, backend = b->bucket[k].first;
    unlink_from(b, backend, k);
    link_last(b, backend, k + 1);
    b->members.in_flight[backend]++;
    if (b->bucket[k].first == LB_NONE)
        b->lowest = k + 1;
    return backend;
}

static void done(void *balancer, uint32_t backend, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    struct balancer *b = balancer;
    uint32_t k = b->members.in_flight[backend];
    if (members_has(&b->members, backend)) {
        unlink_from(b, backend, k);
        link_last(b, backend, k - 1);
        if (k - 1 < b->lowest)
            b->lowest = k - 1;
    }
    members_done(b, backend, outcome, latency, now);
}

static const struct lb_ops ops = {
    .create = create, .destroy = destroy, .add = join, .remove = leave, .set_weight = join, .pick = pick, .done = done};
LB_ENTRY(least_connections_buckets, "least-connections-buckets", "fewest requests in flight, O(1)", &ops);
