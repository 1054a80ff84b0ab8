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

/* Decides on `cost` units at `now`; moves *due on only if they are allowed. An older `now` sees a longer backlog, so it
 * is good for no more than a newer one. */
static inline struct rl_answer gcra_decide(const struct rate *r, struct gcra_time *due, uint64_t now, uint32_t cost)
{
    wide backlog = gcra_backlog(r, due, now), after = backlog + (wide)cost * r->p;
    if (after > r->full) {
        uint64_t retry = cost > r->burst ? RL_NEVER : wide_over_up(after - r->full, r->q);
        return answer_refused(retry, backlog < r->full ? wide_over(r->full - backlog, r->p) : 0);
    }
    uint64_t ahead = r->q == 1 ? (uint64_t)after : wide_over(after, r->q);
    due->ns = now + ahead;
    due->part = (uint64_t)(after - (wide)ahead * r->q);
    return answer_allowed(wide_over(r->full - after, r->p));
}

#endif
