/* Fixed retry: try again after the same time, until the tries are used up.
 *
 * Idea       Most failures are gone a moment later.
 * Gets wrong A service that fails because it has too much to do gets most_tries times as much. With a time-out, a queue, and
 *            work that is done although nobody waits any more, it never comes back once load x most_tries is more than it can
 *            do (Bronson et al. 2021): the fault is over, and the failure goes on.
 * Source     Folklore; Bronson, Aghayev, Charapko & Zhu 2021, "Metastable failures in distributed systems".
 */
#include "retries.h"

static bool retry(void *retries, const struct cb_failed *f, uint64_t *delay)
{
    struct retries *r = retries;
    *delay = r->config.base_ns;
    return retries_left(r, f, *delay);
}

static const struct cb_retry_ops ops = {.create = retries_create, .destroy = retries_destroy, .retry = retry};
CB_RETRY(fixed_retry, "fixed-retry", "tries again after the same time", &ops);

/* No retry: for comparison, and where the caller has something else to do (a fallback, an older answer). */
static bool never(void *retries, const struct cb_failed *f, uint64_t *delay)
{
    (void)retries;
    (void)f;
    (void)delay;
    return false;
}

static const struct cb_retry_ops none_ops = {.create = retries_create, .destroy = retries_destroy, .retry = never};
CB_RETRY(no_retry, "no-retry", "never tries again", &none_ops);
