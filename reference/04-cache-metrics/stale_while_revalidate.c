/* Stale while revalidate: for a while after a value is over it is served all the same, and one caller computes behind
 * that.
 *
 * Idea       Nobody waits who can be given something. The origin sees one computation for each expiry.
 * Gets wrong What is served is old, by up to the ttl, the time that it may be stale, and a computation: whoever counts
 *            such an answer as a hit does not see it. When the origin is down it is the last value that people get, which
 *            is often wanted (stale-if-error).
 * Source     RFC 5861 (2010).
 */
#include "values.h"

static struct cm_decision ask(void *state, uint64_t key, uint64_t now, double u)
{
    struct values *s = state;
    struct value *v = values_of(s, key);
    (void)u;
    if (value_is_fresh(v, now))
        return (struct cm_decision){CM_SERVE, 0};
    if (!v || !v->known || now - v->expires >= s->config.stale_ns)
        return value_compute_or_wait(s, v, now);
    if (value_is_on_its_way(s, v, now))
        return (struct cm_decision){CM_SERVE, 0};
    value_begin(v, now);
    return (struct cm_decision){CM_SERVE_COMPUTE, 0};
}

static const struct cm_recompute_ops ops = {
    .create = values_create, .destroy = values_destroy, .ask = ask, .done = values_done, .bytes = values_bytes};
CM_RECOMPUTE(stale_while_revalidate, "stale-while-revalidate", "serves what is over while one computes", &ops);
