/* No coordination: whoever finds no fresh value computes it.
 *
 * Idea       Look, and if it isn't there, fetch it. It is what people write first.
 * Gets wrong A stampede: of a key that is asked for at a rate of r, and takes D to compute, 1 + r D callers compute for
 *            each time that it expires. The slower the origin becomes the more of them there are, which makes it slower.
 *            And keys that do not exist reach the origin each time: nothing is kept of that answer.
 * Source     Folklore ("thundering herd", "dog-pile").
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
    if (result == CM_VALUE)
        values_done(state, key, asked, now, result, u);
}

static const struct cm_recompute_ops ops = {
    .create = values_create, .destroy = values_destroy, .ask = ask, .done = done, .bytes = values_bytes};
CM_RECOMPUTE(no_coordination, "no-coordination", "whoever finds nothing fresh computes", &ops);

/* Negative caching: the answer that there is nothing is an answer, and is kept for a time of its own.
 *
 * Idea       Of keys that do not exist one request in each negative ttl reaches the origin, in place of all of them.
 * Gets wrong What is created a moment later is not seen until that time is over, so it is kept short. Stampedes as above.
 * Source     RFC 2308 (1998), for DNS.
 */
static const struct cm_recompute_ops negative_ops = {
    .create = values_create, .destroy = values_destroy, .ask = ask, .done = values_done, .bytes = values_bytes};
CM_RECOMPUTE(negative_caching, "negative-caching", "the answer that there is nothing is kept too", &negative_ops);
