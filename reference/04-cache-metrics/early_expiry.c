/* Early expiry (XFetch): each caller acts as if the value expired a little earlier, by chance.
 *
 * Idea       now + took x beta x -ln(u) >= expiry, u uniform: somebody begins to compute before the others notice, and
 *            nobody waits and nobody is told of anybody. The exponential law is the best one for that (Vattani et al.).
 * Law        Callers come at a rate r, and r took is large: expected computations for each expiry are e^(1/beta), 2.72
 *            for beta = 1, whatever r is; and the first begins beta x took x (ln(r beta took) + 0.577) before the expiry,
 *            on average. Not "exactly one", as is often said: those that follow until the first is back are the others.
 * Gets wrong Without a value at hand everybody computes: the first time, or after a pause longer than the ttl. Keys that
 *            are seldom asked for expire as ever.
 * Source     Vattani, Chierichetti & Lowenstein 2015, "Optimal probabilistic cache stampede prevention".
 */
#include "values.h"

#include "sim/real.h"

bool value_is_early(const struct values *values, const struct value *v, uint64_t now, double u)
{
    return (double)v->took * values->config.beta * -real_log(u) >= (double)(v->expires - now);
}

static struct cm_decision ask(void *state, uint64_t key, uint64_t now, double u)
{
    const struct value *v = values_of(state, key);
    const bool good = value_is_fresh(v, now) && !value_is_early(state, v, now, u);
    return (struct cm_decision){good ? CM_SERVE : CM_COMPUTE, 0};
}

static const struct cm_recompute_ops ops = {
    .create = values_create, .destroy = values_destroy, .ask = ask, .done = values_done, .bytes = values_bytes};
CM_RECOMPUTE(early_expiry, "early-expiry", "computed again before it expires, by chance", &ops);

/* Both: who is early computes behind what is served, and only one does; who finds nothing fresh waits for it.
 *
 * Gets wrong Little: the first request for a key still waits as long as the origin takes.
 */
static struct cm_decision ask_both(void *state, uint64_t key, uint64_t now, double u)
{
    struct value *v = values_of(state, key);
    if (!value_is_fresh(v, now))
        return value_compute_or_wait(state, v, now);
    if (value_is_on_its_way(state, v, now) || !value_is_early(state, v, now, u))
        return (struct cm_decision){CM_SERVE, 0};
    value_begin(v, now);
    return (struct cm_decision){CM_SERVE_COMPUTE, 0};
}

static const struct cm_recompute_ops both_ops = {
    .create = values_create, .destroy = values_destroy, .ask = ask_both, .done = values_done, .bytes = values_bytes};
CM_RECOMPUTE(early_single_flight, "early-single-flight", "early, and one at a time", &both_ops);
