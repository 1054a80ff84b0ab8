/* rate.h: what the entries count with: exact fractions, products of more than 64 bits, windows, checked configurations.
 *
 * A limit of N in T is one unit every T/N ns, which need not be whole. In lowest terms it is p/q; counted in pieces of
 * 1/q ns a unit takes p pieces, a nanosecond has q, and nothing is ever rounded. With N up to 10^9 and times up to 2^62
 * such counts need up to 92 bits: `wide` has 128. They are small in everyday configurations (q = 1 for 100 a second),
 * so divisions look first whether 64 bits do.
 */
#ifndef RATE_H
#define RATE_H

#include "rate_limiting.h"

#include <errno.h>

__extension__ typedef unsigned __int128 wide;

/* a / b, down or up; the quotient must fit. */
static inline uint64_t wide_over(wide a, uint64_t b)
{
    return a >> 64 ? (uint64_t)(a / b) : (uint64_t)a / b;
}

static inline uint64_t wide_over_up(wide a, uint64_t b)
{
    return wide_over(a + b - 1, b);
}

/* What every entry asks of its configuration. 0 or -EINVAL. */
static inline int config_check(const struct rl_config *c, bool thread_safe)
{
    bool fits = c->limit >= 1 && c->limit <= RL_MAX_UNITS && c->window_ns >= 1 && c->window_ns <= RL_MAX_WINDOW &&
                c->threads >= 1 && c->threads <= (thread_safe ? RL_MAX_THREADS : 1);
    return fits ? 0 : -EINVAL;
}

/* ---- a bucket's rate ----------------------------------------------------------------------------------------- */

struct rate {
    uint64_t p, q;  /* a unit takes p/q ns, in lowest terms */
    uint64_t burst; /* units */
    wide full;      /* burst x p: what it takes to fill or empty the bucket, in 1/q ns */
};

/* -EINVAL: no burst, or one that takes more than 2^61 ns (73 years) to come back: then sums of times need no care. */
static inline int rate_init(struct rate *r, const struct rl_config *c, bool thread_safe)
{
    if (config_check(c, thread_safe) || c->burst < 1 || c->burst > RL_MAX_UNITS)
        return -EINVAL;
    uint64_t a = c->window_ns, b = c->limit;
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    *r = (struct rate){.p = c->window_ns / a, .q = c->limit / a, .burst = c->burst};
    r->full = (wide)r->burst * r->p;
    return r->full / r->q >> 61 ? -EINVAL : 0;
}

/* ---- windows that everybody's clock agrees on ------------------------------------------------------------------ */

/* Window number k lasts from k x length until (k + 1) x length, the end not included. */
struct windows {
    uint64_t length, number, start; /* number and start: of the one that `now` is in */
};

/* Divides only when a window has ended. */
static inline uint64_t windows_at(struct windows *w, uint64_t now)
{
    if (now - w->start >= w->length) {
        w->number = now / w->length;
        w->start = w->number * w->length;
    }
    return w->number;
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

static inline struct rl_answer answer_allowed(uint64_t left)
{
    return (struct rl_answer){.allowed = true, .left = left};
}

static inline struct rl_answer answer_refused(uint64_t retry_ns, uint64_t left)
{
    return (struct rl_answer){.retry_ns = retry_ns, .left = left};
}

static inline struct rl_answer answer_no_memory(void)
{
    return answer_refused(RL_UNKNOWN, 0);
}

#endif
