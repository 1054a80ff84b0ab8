/* Single flight: one computes, the others wait for it.
 *
 * Idea       The first caller who finds nothing fresh is the leader; whoever comes meanwhile waits. One computation for
 *            each time that a value expires, however many callers there are and however slow the origin is.
 * Invariant  Of each key at most one computation is waited for. It is waited for until it ends, in whatever way, and for
 *            `patience` at most: a leader who fails, hangs or dies strands nobody for longer.
 * Gets wrong All wait for as long as the origin takes: the p99 is that of a miss, a whole computation, or the patience
 *            and another one. And only those of one process wait for each other; n processes compute n times.
 * Source     Go's golang.org/x/sync/singleflight; memcached's leases (Nishtala et al. 2013).
 */
#include "values.h"

static struct cm_decision ask(void *state, uint64_t key, uint64_t now, double u)
{
    struct value *v = values_of(state, key);
    (void)u;
    if (value_is_fresh(v, now))
        return (struct cm_decision){CM_SERVE, 0};
    return value_compute_or_wait(state, v, now);
}

static const struct cm_recompute_ops ops = {
    .create = values_create, .destroy = values_destroy, .ask = ask, .done = values_done, .bytes = values_bytes};
CM_RECOMPUTE(single_flight, "single-flight", "one computes, the others wait", &ops);
