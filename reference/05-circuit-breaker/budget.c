/* Retry budget: full jitter, and each retry has to be paid for by requests that succeeded.
 *
 * Idea       A purse holds up to budget_most retries. Each request that succeeds puts budget_percent hundredths of a retry in;
 *            each retry takes one out; without one there is none. When nothing succeeds retries end by themselves, which is
 *            what a service in trouble needs.
 * Law        Of n requests at most budget_most + n x budget_percent / 100 are tried again, so the load is at most
 *            1 + budget_percent / 100 times what it would be without.
 * Gets wrong The purse of one client knows nothing of the others: a thousand full ones are a thousand bursts.
 * Source     Finagle's RetryBudget (2016); gRPC's retry throttling (gRFC A6); Google's SRE book, chapter 21.
 */
#include "retries.h"

static bool retry(void *retries, const struct cb_failed *f, uint64_t *delay)
{
    struct retries *r = retries;
    *delay = (uint64_t)(f->u * retries_ceiling(r, f->tries));
    if (!retries_left(r, f, *delay) || r->saved < 100)
        return false;
    r->saved -= 100;
    return true;
}

static void succeeded(void *retries, uint64_t now)
{
    struct retries *r = retries;
    const uint64_t most = 100 * (uint64_t)r->config.budget_most, more = r->saved + r->config.budget_percent;
    (void)now;
    r->saved = more < most ? more : most;
}

static const struct cb_retry_ops ops = {
    .create = retries_create, .destroy = retries_destroy, .retry = retry, .succeeded = succeeded};
CB_RETRY(retry_budget, "retry-budget", "full jitter, paid for by what succeeded", &ops);
