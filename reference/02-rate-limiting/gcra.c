/* GCRA, the generic cell rate algorithm: the token bucket in one timestamp.
 *
 * Idea       Keep for each key the time at which its next unit is due if it sent evenly, the theoretical arrival time
 *            (TAT). A unit moves it on by T/N, from now if it has passed. A request may be early, but by no more than
 *            tau = (B - 1) T/N: allowed while TAT <= now + tau, for one unit; for c of them while
 *                max(TAT, now) + c T/N <= now + B T/N.
 * Invariant  TAT - now is the time until the bucket is full again: the tokens that are missing, times T/N. So this
 *            decides as the token bucket of size B does, always. A bucket needs a level and the time at which it was
 *            right; here the time at which it will be full says both.
 * Exactness  T/N need not be whole: a TAT is nanoseconds and a part (gcra.h). Who rounds 3 in 10 ns to one in 3 ns
 *            gives a ninth more than was asked for.
 * Cost       A time a key: 16 bytes with the part; the division is for what is left, and costs more than the decision.
 * Gets wrong What the token bucket gets wrong. And people expect a window: "120 a minute" with B = 1 refuses the second
 *            of two requests in half a second.
 * Source     ITU-T I.371, annex A (the "virtual scheduling algorithm", for ATM cells); Brandur Leach 2015, "Rate
 *            limiting, cells, and GCRA"; redis-cell.
 */
#include "gcra.h"
#include "keys.h"

struct slot {
    uint64_t id;
    struct gcra_time due;
};

struct limiter {
    struct keys keys;
    struct rate rate;
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
    if (code == 0)
        ((struct limiter *)*out)->rate = rate;
    return code;
}

static struct rl_answer allow(void *limiter, uint64_t key, uint64_t now, uint32_t cost, uint32_t node)
{
    struct limiter *l = limiter;
    struct slot *s = keys_find(&l->keys, sizeof *s, key, now);
    (void)node;
    return s ? gcra_decide(&l->rate, &s->due, now, cost) : answer_no_memory();
}

static const struct rl_ops ops = {.create = create, .destroy = keys_end, .allow = allow, .bytes = keys_bytes};
RL_ENTRY(gcra, "gcra", "one timestamp a key: when the next request is due", &ops);
