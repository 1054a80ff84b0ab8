/* timer_tree.c: a tournament.
 *
 * The actors are the leaves of a complete binary tree, in order; in each inner node stands the winner of its two
 * children, the one with the earlier deadline, so at the root the earliest of all. When one deadline changes, only the
 * matches on the path from its leaf to the root are played again: the new value climbs, and at each level meets the
 * winner of the other side, which stands ready. The addresses of those opponents depend on the leaf alone, so the
 * processor fetches them ahead.
 *
 *                 1
 *             2       3          node i ^ 1 is the opponent of node i, node i / 2 is where the winner goes;
 *           4   5   6   7        the leaves beyond the last actor have no deadline and win no tie
 *
 * Invariant: node i holds the earlier of nodes 2i and 2i+1, at equal times the lower actor.
 *
 * Who wins a match is a coin toss, and a branch on a coin toss is mispredicted half of the time: with branches, ten
 * levels cost five mispredictions, more than everything else together. So the match is arithmetic: a mask of all ones
 * or all zeros picks the winner. For the same reason the climb does not stop early where nothing changes any more.
 *
 * Source: tournament trees, D. Knuth, "The Art of Computer Programming" volume 3, section 5.4.1.
 */
#include "sim/timer_tree.h"

#include <errno.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 order;

/* Nobody has a deadline. */
static void clear(struct timer_tree *t)
{
    t->time[0] = TIMER_NONE; /* not used */
    t->actor[0] = 0;
    for (uint32_t i = 0; i < t->leaves; i++) {
        t->time[t->leaves + i] = TIMER_NONE;
        t->actor[t->leaves + i] = i;
    }
    for (uint32_t i = t->leaves - 1; i >= 1; i--) {
        t->time[i] = TIMER_NONE;
        t->actor[i] = t->actor[2 * i];
    }
}

int timer_tree_create(uint32_t n, struct timer_tree **out)
{
    *out = NULL;
    if (n < 1 || n > 1u << 30)
        return -EINVAL;
    struct timer_tree *t = calloc(1, sizeof *t);
    if (!t)
        return -ENOMEM;
    t->actors = n;
    t->leaves = 1;
    while (t->leaves < n)
        t->leaves *= 2;
    t->time = malloc(2 * (size_t)t->leaves * sizeof *t->time);
    t->actor = malloc(2 * (size_t)t->leaves * sizeof *t->actor);
    if (!t->time || !t->actor) {
        timer_tree_destroy(t);
        return -ENOMEM;
    }
    clear(t);
    *out = t;
    return 0;
}

void timer_tree_destroy(struct timer_tree *t)
{
    if (!t)
        return;
    free(t->time);
    free(t->actor);
    free(t);
}

/* All ones when (time, actor) comes before (than_time, than_actor), else zero. The empty asm hides where the mask comes
 * from: a compiler that sees it makes a branch of it, and that triples the cost. */
static uint64_t before(uint64_t time, uint32_t actor, uint64_t than_time, uint32_t than_actor)
{
    uint64_t mask = 0 - (uint64_t)(((order)time << 64 | actor) < ((order)than_time << 64 | than_actor));
    __asm__("" : "+r"(mask));
    return mask;
}

void timer_tree_set(struct timer_tree *t, uint32_t actor, uint64_t time)
{
    uint64_t *const times = t->time;
    uint32_t *const actors = t->actor;
    size_t i = (size_t)t->leaves + actor;
    times[i] = time;
    while (i > 1) {
        const uint64_t other_time = times[i ^ 1];
        const uint32_t other_actor = actors[i ^ 1];
        const uint64_t wins = before(other_time, other_actor, time, actor);
        time ^= (time ^ other_time) & wins;
        actor ^= (actor ^ other_actor) & (uint32_t)wins;
        i /= 2;
        times[i] = time;
        actors[i] = actor;
    }
}
