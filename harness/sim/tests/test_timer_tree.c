/* test_timer_tree.c: the tree against looking at every actor. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/rng.h"
#include "sim/timer_tree.h"

TestSuite(timer_tree, .timeout = 60);

static void agrees(const struct timer_tree *t, const uint64_t *time, uint32_t n)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < n; i++)
        if (time[i] < time[first])
            first = i;
    cr_assert(timer_tree_min_time(t) == time[first], "n = %u: earliest time is %" PRIu64 ", got %" PRIu64, n,
              time[first], timer_tree_min_time(t));
    cr_assert(timer_tree_min_actor(t) == first, "n = %u: earliest actor at %" PRIu64 " is %u, got %u", n, time[first],
              first, timer_tree_min_actor(t));
}

Test(timer_tree, agrees_with_looking_at_all)
{
    const uint32_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 100, 1000};
    const uint64_t ranges[] = {0, 1, 2, 50}; /* how many different times; 0: all */
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t range = 0; range < sizeof ranges / sizeof *ranges; range++) {
            const uint32_t n = sizes[s];
            struct timer_tree *t;
            uint64_t *time = malloc(n * sizeof *time);
            cr_assert(time && timer_tree_create(n, &t) == 0, "no memory");
            for (uint32_t i = 0; i < n; i++)
                time[i] = TIMER_NONE;
            agrees(t, time, n);
            struct rng r;
            rng_seed(&r, s, range);
            for (int step = 0; step < 3000; step++) {
                /* Now and then the earliest one, as a simulation does; now and then no deadline, or the extreme ones.
                 */
                const uint32_t actor = rng_below(&r, 2) ? timer_tree_min_actor(t) : rng_below(&r, n),
                               dice = rng_below(&r, 20);
                time[actor] = dice < 3        ? TIMER_NONE
                              : dice == 3     ? 0
                              : dice == 4     ? TIMER_NONE - 1
                              : ranges[range] ? rng_next(&r) % ranges[range]
                                              : rng_next(&r);
                timer_tree_set(t, actor, time[actor]);
                agrees(t, time, n);
            }
            timer_tree_destroy(t);
            free(time);
        }
}

Test(timer_tree, ties_go_to_the_lower_actor_whatever_came_before)
{
    struct timer_tree *t;
    cr_assert(timer_tree_create(13, &t) == 0, "no memory");
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t k = 0; k < 13; k++)
            timer_tree_set(t, round ? k : 12 - k, 7);
        for (uint32_t k = 0; k < 13; k++) {
            cr_assert(timer_tree_min_actor(t) == k && timer_tree_min_time(t) == 7,
                      "expected actor %u at 7, got %u at %" PRIu64, k, timer_tree_min_actor(t), timer_tree_min_time(t));
            timer_tree_set(t, k, TIMER_NONE);
        }
        cr_assert(timer_tree_min_time(t) == TIMER_NONE, "somebody has a deadline still: %" PRIu64,
                  timer_tree_min_time(t));
    }
    timer_tree_destroy(t);
}

Test(timer_tree, edges)
{
    struct timer_tree *t = (struct timer_tree *)&t;
    int rc = timer_tree_create(0, &t);
    cr_assert(rc == -EINVAL && t == NULL, "n = 0: expected -EINVAL and NULL, got %d", rc);
    rc = timer_tree_create(UINT32_MAX, &t);
    cr_assert(rc == -EINVAL && t == NULL, "n = 2^32 - 1: expected -EINVAL and NULL, got %d", rc);
    timer_tree_destroy(NULL);
}
