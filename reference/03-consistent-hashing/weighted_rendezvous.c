/* Weighted rendezvous: as rendezvous, with shares in proportion to weights.
 *
 * Idea       Give each node an exponential clock for this key: u, uniform in (0, 1), from the hash; the clock of a node
 *            of weight w rings at -ln(u) / w. The first to ring has the key. (The score that is usually written, the
 *            largest of -w / ln(u), is its inverse.)
 * Invariant  The first of several exponential clocks is each one with probability its rate / sum of rates: the shares
 *            are exact. A weight that changes moves keys to or from that node only.
 * Cost       A hash a node, and a logarithm for those that can still win: as -ln(u) >= 1 - u, most are told by that.
 * Gets wrong Doubles. Logarithms differ between C libraries in the last bit, and then two machines disagree on a key,
 *            once in a great while. So this one is the project's own (sim/real.h), the same bits everywhere.
 * Source     Schindelhauer & Schomaker 2005, "Weighted distributed hash tables"; Resch 2015, "New hashing algorithms
 *            for data storage" (the logarithm).
 */
#include "rendezvous.h"

#include "sim/real.h"

#define CAN (CH_SCANS | CH_WEIGHTS | CH_ANY_NODE | CH_MONOTONE | CH_ORDER_FREE)

static int create(const struct ch_config *config, void **out)
{
    (void)config;
    return nodes_create(sizeof(struct rendezvous), CAN, out);
}

/* 53 bits, so exact, and neither 0 nor 1. */
static double uniform(const struct rendezvous *r, uint64_t key, uint32_t i)
{
    return ((double)(int64_t)(ch_mix(key ^ r->seed[i]) >> 12) + 0.5) * 0x1p-52;
}

static double rings_at(const struct rendezvous *r, double u, uint32_t i)
{
    return -real_log(u) / nodes_weight(&r->nodes, r->nodes.id[i]);
}

/* The bits of doubles that are positive are in the same order as they. */
static uint64_t cost(const struct rendezvous *r, uint64_t key, uint32_t i)
{
    double time = rings_at(r, uniform(r, key, i), i);
    uint64_t bits;
    memcpy(&bits, &time, sizeof bits);
    return bits;
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct rendezvous *r = map;
    double first = 1e9; /* later than any */
    uint32_t at = 0;
    for (uint32_t i = 0; i < r->nodes.count; i++) {
        double u = uniform(r, key, i);
        if (1 - u >
            first * nodes_weight(&r->nodes, r->nodes.id[i]) * 1.000001) /* more than what gets lost in rounding */
            continue;
        double time = rings_at(r, u, i);
        if (time < first) {
            first = time;
            at = i;
        }
    }
    return r->nodes.count ? r->nodes.id[at] : CH_NONE;
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    return rendezvous_order(map, cost, key, most, node);
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = rendezvous_destroy,
                                  .add = rendezvous_add,
                                  .remove = rendezvous_remove,
                                  .lookup = lookup,
                                  .replicas = replicas,
                                  .bytes = rendezvous_bytes,
                                  .can = CAN};
CH_ENTRY(weighted_rendezvous, "weighted-rendezvous", "exponential clocks, the first to ring wins: exact shares, O(n)",
         &ops);
