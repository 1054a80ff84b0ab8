/* Exponential back-off: the k-th retry waits base x 2^(k - 1), at most cap.
 *
 * Idea       The longer it fails, the less often it is asked.
 * Gets wrong All who failed together come back together, again and again. And back-off moves retries, it doesn't leave any
 *            out: in an open system, where new requests come whatever happened to the old ones, the load is the same.
 * Source     Metcalfe & Boggs 1976 (Ethernet).
 */
#include "retries.h"

static bool exponential(void *retries, const struct cb_failed *f, uint64_t *delay)
{
    struct retries *r = retries;
    *delay = (uint64_t)retries_ceiling(r, f->tries);
    return retries_left(r, f, *delay);
}

static const struct cb_retry_ops exponential_ops = {
    .create = retries_create, .destroy = retries_destroy, .retry = exponential};
CB_RETRY(exponential, "exponential", "waits twice as long each time", &exponential_ops);

/* Full jitter: the k-th retry waits u x that, so that those who failed together come back apart.
 *
 * Gets wrong The load is still the same.
 * Source     Brooker 2015, "Exponential backoff and jitter" (AWS).
 */
static bool full_jitter(void *retries, const struct cb_failed *f, uint64_t *delay)
{
    struct retries *r = retries;
    *delay = (uint64_t)(f->u * retries_ceiling(r, f->tries));
    return retries_left(r, f, *delay);
}

static const struct cb_retry_ops full_ops = {
    .create = retries_create, .destroy = retries_destroy, .retry = full_jitter};
CB_RETRY(full_jitter, "full-jitter", "waits any part of what back-off would wait", &full_ops);

/* Decorrelated jitter: between base and three times the last wait, at most cap. */
static bool decorrelated(void *retries, const struct cb_failed *f, uint64_t *delay)
{
    struct retries *r = retries;
    const double base = (double)r->config.base_ns, last = f->last_delay ? (double)f->last_delay : base;
    const double drawn = base + f->u * (3 * last - base), cap = (double)r->config.cap_ns;
    *delay = (uint64_t)(drawn < cap ? drawn : cap);
    return retries_left(r, f, *delay);
}

static const struct cb_retry_ops decorrelated_ops = {
    .create = retries_create, .destroy = retries_destroy, .retry = decorrelated};
CB_RETRY(decorrelated, "decorrelated", "waits up to three times as long as the last time", &decorrelated_ops);
