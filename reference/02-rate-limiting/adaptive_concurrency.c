/* Adaptive concurrency: how many may be under way is found out from how long they take.
 *
 * Idea       A server that works on all it has answers in its base latency. Whatever is sent beyond that waits, and the
 *            latency says so. So: as long as answers come as fast as ever, let more in; once they come late, fewer.
 *            It is how TCP Vegas finds its window, with requests in place of packets.
 * Rules      A round: answers to requests that were sent since the limit last changed (older ones say nothing about
 *            it), twice the limit of them and at least ROUND: the first to come back are the fast ones, so few would
 *            lie. With L the limit, d its number of digits less one (at least 1), `mean` their mean latency, `base`
 *            what it is without a queue:
 *                queue = L x (1 - base / mean), rounded up: what waits, by Little's law
 *                L was not half used:   stays: nobody knows what L more would have done
 *                queue <= d:            L + 6 d
 *                queue <  3 d:          L + d
 *                queue >  6 d:          L - d
 *            A drop ends the round at once: L = 9/10 L, or 1 less. L stays within 1 ... N, and starts at 10.
 * Base       The mean of a round, as well. (The least latency ever seen is the usual choice, and wrong where work
 *            varies: then every round looks as if it had waited.) The first round gives it, and every T one with a
 *            limit of (L - 6 d) / 2, in which the queue drains. In between it can be wrong for T: too low once the
 *            server has become slower, which costs throughput, too high once it has become faster, which leaves a
 *            queue.
 * Converges  To a queue of 3 d ... 6 d: capacity x base latency, plus 3 to 6 requests below a hundred; the chance in
 *            two means of ROUND latencies comes on top.
 * One server The limit belongs to what is behind the limiter, not to a key: keys are ignored, N and T are the
 *            configuration. A request that finds nothing under way always goes, even if it costs more than L: else it
 *            would never.
 * Cost       O(1), no division but at the end of a round.
 * Retry      RL_UNKNOWN: it depends on when others end.
 * Gets wrong Others at the same server: who keeps a longer queue gets more (Vegas loses to Reno). A mix of requests
 *            that changes: more slow ones look like a queue until the next base.
 * Source     Brakmo & Peterson 1995 (TCP Vegas); Netflix concurrency-limits, VegasLimit, whose steps these are (it
 *            takes every answer for a round, the least latency for the base, and measures it anew without draining);
 *            BBR (Cardwell et al. 2016) for the draining.
 */
#include "rate.h"

#include <stdlib.h>

#define START 10u
#define ROUND 64u /* answers, at least */

struct limiter {
    uint64_t most, keep_ns; /* N, T */
    uint64_t limit, in_flight;
    uint64_t base, base_at; /* the mean latency without a queue, and when it was measured; 0: not yet */
    uint64_t go_back_to;    /* the limit when this round, which measures the base, is over; 0: an ordinary round */
    /* the round */
    uint64_t since, busiest;
    uint64_t answers;
    bool dropped;
    wide sum; /* of latencies */
};

static void new_round(struct limiter *l, uint64_t now)
{
    l->since = now;
    l->busiest = 0;
    l->answers = 0;
    l->dropped = false;
    l->sum = 0;
}

static int create(const struct rl_config *config, void **out)
{
    if (config_check(config, false))
        return -EINVAL;
    struct limiter *l = aligned_alloc(_Alignof(struct limiter), sizeof *l);
    if (!l)
        return -ENOMEM;
    memset(l, 0, sizeof *l);
    l->most = config->limit;
    l->keep_ns = config->window_ns;
    l->limit = l->go_back_to = l->most < START ? l->most : START;
    new_round(l, 0);
    *out = l;
    return 0;
}

static size_t bytes(const void *limiter)
{
    (void)limiter;
    return sizeof(struct limiter);
}

/* ---- the limit -------------------------------------------------------------------------------------------------- */

static uint64_t digits_less_one(uint64_t x)
{
    uint64_t d = 0;
    for (; x >= 10; x /= 10)
        d++;
    return d ? d : 1;
}

static uint64_t fewer(uint64_t limit, uint64_t by)
{
    return limit > by ? limit - by : 1;
}

static uint64_t next_limit(const struct limiter *l, uint64_t mean)
{
    uint64_t d = digits_less_one(l->limit), next = l->limit;
    if (2 * l->busiest < l->limit)
        return l->limit;
    uint64_t queue = mean > l->base ? wide_over_up((wide)l->limit * (mean - l->base), mean) : 0;
    if (queue <= d)
        next += 6 * d;
    else if (queue < 3 * d)
        next += d;
    else if (queue > 6 * d)
        next = fewer(next, d);
    return next < l->most ? next : l->most;
}

static void end_round(struct limiter *l, uint64_t now)
{
    uint64_t mean = l->dropped ? 0 : wide_over(l->sum, l->answers);
    if (l->go_back_to) {
        l->limit = l->go_back_to;
        l->go_back_to = 0;
        l->base = mean ? mean : l->base;
        l->base_at = now;
    }
    if (l->dropped)
        l->limit = fewer(l->limit, l->limit < 10 ? 1 : l->limit / 10);
    else if (l->base_at != now)
        l->limit = next_limit(l, mean);
    if (now - l->base_at >= l->keep_ns || l->base == 0) {
        l->go_back_to = l->limit;
        l->limit = (fewer(l->limit, 6 * digits_less_one(l->limit)) + 1) / 2;
    }
    new_round(l, now);
}

/* ---- the contract ----------------------------------------------------------------------------------------------- */

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    uint64_t left = l->in_flight == 0 ? l->most : l->limit > l->in_flight ? l->limit - l->in_flight : 0;
    (void)key, (void)now, (void)node;
    if (cost > left)
        return answer_refused(cost > l->most ? RL_NEVER : RL_UNKNOWN, left);
    l->in_flight += cost;
    return answer_allowed(l->limit > l->in_flight ? l->limit - l->in_flight : 0);
}

static void done(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint64_t latency, enum rl_outcome outcome)
{
    struct limiter *l = limiter;
    uint64_t busy = l->in_flight;
    (void)key;
    l->in_flight -= cost;
    if (latency > now || now - latency < l->since)
        return;
    l->busiest = busy > l->busiest ? busy : l->busiest;
    l->dropped = outcome == RL_DROPPED; /* how long it took to fail is no measure of anything */
    l->sum += latency ? latency : 1;
    if (++l->answers >= (2 * l->limit > ROUND ? 2 * l->limit : ROUND) || l->dropped)
        end_round(l, now);
}

static const struct rl_ops ops = {.create = create, .destroy = free, .allow = allow, .done = done, .bytes = bytes};
RL_ENTRY(adaptive_concurrency, "adaptive-concurrency", "as many under way as the latency allows: TCP Vegas", &ops);
