/* Leaky bucket as a queue: requests leave one every T/N, and at most B of them wait.
 *
 * Idea       Instead of refusing who comes too early, let him wait. Nothing is queued here: it is enough to know when
 *            the last of those before will have left, and the answer says how long the request has to wait. It is
 *            GCRA with a delay: TAT - now is what stands before the door.
 * Rules      The first of a burst leaves at once; B more may wait. A request of c units leaves with its last unit, c
 *            - 1 places later than one of a single unit. Allowed while that is no more than B places from now: as
 *            gcra.c with a burst of B + 1. Delays are B T/N at most, rounded up to whole nanoseconds.
 * Invariant  Departures are T/N apart: whatever comes in, what goes out is smooth. In any interval of length L leave
 *            at most 1 + L N / T units.
 * Cost       As gcra.c, and a division for the delay.
 * Gets wrong Everybody waits for a burst, the last of it B T/N: with B = 100 at 10 a second 10 s, and the client may
 *            have given up long before his turn.
 * Source     nginx's limit_req with burst (10 r/s, burst 5: of twelve at once six pass, at 0, 0.1, ... 0.5 s); the
 *            shaper of RFC 2475, 2.3.3.3; Uber's ratelimit for Go.
 */
#include "gcra.h"
#include "keys.h"

struct slot {
    uint64_t id;
    struct gcra_time due; /* when the door is free again */
};

struct limiter {
    struct keys keys;
    struct rate rate; /* its burst is B + 1 */
};

static bool idle(void *limiter, void *slot, uint64_t now)
{
    struct limiter *l = limiter;
    return gcra_backlog(&l->rate, &((struct slot *)slot)->due, now) == 0;
}

static int create(const struct rl_config *config, void **out)
{
    struct rate rate;
    int code = rate_init(&rate, config, false);
    if (code == 0)
        code = keys_create(sizeof(struct limiter), sizeof(struct slot), idle, out);
    if (code)
        return code;
    rate.burst++;
    rate.full += rate.p;
    ((struct limiter *)*out)->rate = rate;
    return 0;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    const struct rate *r = &l->rate;
    struct slot *s = keys_find(&l->keys, sizeof *s, key, now);
    (void)node;
    if (!s)
        return answer_no_memory();
    wide before_last = gcra_backlog(r, &s->due, now) + (wide)(cost - 1) * r->p;
    struct rl_answer answer = gcra_decide(r, &s->due, now, cost);
    if (answer.allowed)
        answer.delay_ns = wide_over_up(before_last, r->q);
    return answer;
}

static const struct rl_ops ops = {.create = create, .destroy = keys_end, .allow = allow, .bytes = keys_bytes};
RL_ENTRY(leaky_queue, "leaky-queue", "one leaves every T/N, at most B wait: a delay instead of a refusal", &ops);
