/* gcra.h: the arithmetic of GCRA (gcra.c has the essay), for all entries that keep a theoretical arrival time.
 *
 * A unit is due every p/q ns, so such a time is a multiple of 1/q ns: whole nanoseconds and a part of one. (Counted in
 * pieces it would be one number of up to 92 bits; in two words the first alone tells whether it has passed.) In
 * between, only the backlog is a number of pieces: how far the time lies ahead of `now`, at most B p.
 */
#ifndef GCRA_H
#define GCRA_H

#include "rate.h"

/* ns + part / q; part < q. All zero: long past, and what a new key has. */
struct gcra_time {
    uint64_t ns, part;
};

static inline wide gcra_backlog(const struct rate *r, const struct gcra_time *due, uint64_t now)
{
    return due->ns >= now ? (wide)(due->ns - now) * r->q + due->part : 0;
}

/* The backlog that `cost` units more would make: they fit if it is at most r->full. An older `now` sees a longer backlog,
 * so it is good for no more than a newer one. */
static inline wide gcra_after(const struct rate *r, const struct gcra_time *due, uint64_t now, uint32_t cost)
{
    return gcra_backlog(r, due, now) + (wide)cost * r->p;
}

/* The time that is this backlog ahead of `now`. */
static inline struct gcra_time gcra_due(const struct rate *r, uint64_t now, wide backlog)
{
    uint64_t ahead = r->q == 1 ? (uint64_t)backlog : wide_over(backlog, r->q);
    return (struct gcra_time){now + ahead, (uint64_t)(backlog - (wide)ahead * r->q)};
}

/* What fits beside a backlog. */
static inline uint64_t gcra_left(const struct rate *r, wide backlog)
{
    return backlog < r->full ? wide_over(r->full - backlog, r->p) : 0;
}

/* The answer to `cost` units that do not fit. */
static inline struct rl_answer gcra_refused(const struct rate *r, const struct gcra_time *due, uint64_t now,
                                            uint32_t cost)
{
    wide backlog = gcra_backlog(r, due, now);
    uint64_t retry = cost > r->burst ? RL_NEVER : wide_over_up(backlog + (wide)cost * r->p - r->full, r->q);
    return answer_refused(retry, gcra_left(r, backlog));
}

/* Decides on `cost` units at `now`; moves *due on only if they are allowed. */
static inline struct rl_answer gcra_decide(const struct rate *r, struct gcra_time *due, uint64_t now, uint32_t cost)
{
    wide after = gcra_after(r, due, now, cost);
    if (after > r->full)
        return gcra_refused(r, due, now, cost);
    *due = gcra_due(r, now, after);
    return answer_allowed(gcra_left(r, after));
}

#endif
