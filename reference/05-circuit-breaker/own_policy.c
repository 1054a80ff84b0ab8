/* A policy for 20 September 2015: a server that was not told in time asks again after any part of a span that holds all of
 * them, and of a longer one each time.
 *
 * Idea       When all ask at once the last in the queue wait as long as it takes to tell everybody. Whoever waits less has
 *            given up by then, and what is done for him is for nothing. So tries must be spread over more than that time.
 *            Nobody knows it; but it can't be much longer than the everyday interval, in which everybody is told once, and
 *            a fault like this one shows when several time-outs were not enough.
 * Law        N servers, each told in t / w: spread over a span of T, the load is N t / (w T). Below 1 nobody waits long.
 * Gets wrong After a short fault it takes a span to come back, although the service had time for all at once.
 * Source     AWS 2015, "Summary of the Amazon DynamoDB service disruption" (message 5467D2); Brooker 2015 on jitter.
 */
#include "retries.h"

static bool retry(void *retries, const struct cb_failed *f, uint64_t *delay)
{
    const struct retries *r = retries;
    double span = 16 * (double)r->config.base_ns;
    for (uint32_t i = 1; i < f->tries && span < 2 * (double)r->config.cap_ns; i++)
        span *= 1.3;
    *delay = (uint64_t)(f->u * span);
    return f->tries < r->config.most_tries && f->now + *delay < f->deadline;
}

static const struct cb_retry_ops ops = {.create = retries_create, .destroy = retries_destroy, .retry = retry};
CB_RETRY(own_policy, "own-policy", "spreads its tries over more than all of them take", &ops);
