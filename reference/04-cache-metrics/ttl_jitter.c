/* TTL jitter: values that were computed together do not expire together.
 *
 * Idea       Each ttl is drawn from (1 - jitter, 1] x ttl. A thousand keys that were filled at one moment (a deployment, a
 *            flush) then come back over jitter x ttl, and the origin sees a thousandth of them at a time.
 * Gets wrong One popular key stampedes as ever: jitter moves the moment, not the number of those who come at it. And the
 *            mean ttl is shorter, so a share of jitter / 2 more is computed.
 * Source     Folklore; AWS Builders' Library, "Caching challenges and strategies".
 */
#include "values.h"

static struct cm_decision ask(void *state, uint64_t key, uint64_t now, double u)
{
    const bool fresh = value_is_fresh(values_of(state, key), now);
    (void)u;
    return (struct cm_decision){fresh ? CM_SERVE : CM_COMPUTE, 0};
}

static void done(void *state, uint64_t key, uint64_t asked, uint64_t now, enum cm_result result, double u)
{
    struct values *s = state;
    values_done(s, key, asked, now, result, u);
    struct value *v = values_of(s, key);
    if (result == CM_VALUE && v && v->known && v->asked == asked)
        v->expires = now + (uint64_t)((double)s->config.ttl_ns * (1 - s->config.jitter * (1 - u)));
}

static const struct cm_recompute_ops ops = {
    .create = values_create, .destroy = values_destroy, .ask = ask, .done = done, .bytes = values_bytes};
CM_RECOMPUTE(ttl_jitter, "ttl-jitter", "no two values expire together", &ops);
