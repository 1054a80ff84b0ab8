/* timer_tree.h: the earliest deadline of n actors that have at most one each.
 *
 * A simulated fleet is this: each server has one departure pending, or none. A general event queue would push and pop;
 * here a deadline is overwritten in place, and the earliest is always at hand. Ties go to the LOWER actor, so a run
 * does not depend on history.
 *
 * Cost: minimum O(1), set O(log n), without branches that depend on the times; 24 bytes an actor, n rounded up to a
 * power of two.
 *
 * Threads: one at a time.
 */
#ifndef SIM_TIMER_TREE_H
#define SIM_TIMER_TREE_H

#include <stdint.h>

#define TIMER_NONE UINT64_MAX /* no deadline */

/* For the inline functions; nobody else looks inside. */
struct timer_tree {
    uint64_t *time; /* [1] the earliest of all; [i] the earlier of [2i], [2i+1]; [leaves + a] the deadline of actor a */
    uint32_t *actor; /* whose it is */
    uint32_t leaves;
    uint32_t actors;
};

/* n actors 0 .. n-1, none with a deadline. n: 1 .. 2^30. 0 and *out, to be given to timer_tree_destroy; or -EINVAL or
 * -ENOMEM and *out is NULL. */
int timer_tree_create(uint32_t n, struct timer_tree **out);
void timer_tree_destroy(struct timer_tree *t); /* NULL is fine */

/* The deadline of `actor` is now `time` (TIMER_NONE: it has none). actor < n. */
void timer_tree_set(struct timer_tree *t, uint32_t actor, uint64_t time);

/* The earliest deadline, TIMER_NONE when nobody has one. */
static inline uint64_t timer_tree_min_time(const struct timer_tree *t)
{
    return t->time[1];
}

/* Whose deadline that is: the lowest actor of those with that time. Without any deadline it is 0: ask for the time
 * first. */
static inline uint32_t timer_tree_min_actor(const struct timer_tree *t)
{
    return t->actor[1];
}

#endif
