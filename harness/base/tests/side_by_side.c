/* Pieces of work side by side: printed in order, added up, and never lost without a word. */
#include "base/side_by_side.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

TestSuite(side_by_side, .timeout = 60);

/* Shared with the pieces. */
struct seen {
    atomic_uint now, most;
    unsigned lost;
    uint32_t last_lost;
    char how[80];
};

static struct seen *shared(void)
{
    struct seen *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(s != MAP_FAILED);
    return s;
}

static void lost(uint32_t i, void *context, const char *how)
{
    struct seen *s = context;
    s->lost++;
    s->last_lost = i;
    snprintf(s->how, sizeof s->how, "%s", how);
    printf("%u is lost\n", i);
}

/* Later ones end first. */
static void backwards(uint32_t i, void *context, struct side_counts *counts)
{
    struct seen *s = context;
    const unsigned now = atomic_fetch_add(&s->now, 1) + 1;
    unsigned most = atomic_load(&s->most);
    while (most < now && !atomic_compare_exchange_weak(&s->most, &most, now))
        ;
    usleep(20000 * (8 - i));
    printf("%u\n", i);
    counts->passed += i;
    counts->failed++;
    atomic_fetch_sub(&s->now, 1);
}

static struct side_counts run(struct seen *s, uint32_t n, unsigned at_once,
                              void (*piece)(uint32_t, void *, struct side_counts *))
{
    struct side_counts sum;
    const struct side_work work = {n, at_once, s, piece, lost};
    side_by_side(&work, &sum);
    return sum;
}

Test(side_by_side, prints_in_order_and_adds_up)
{
    struct seen *s = shared();
    cr_redirect_stdout();
    const struct side_counts sum = run(s, 8, 8, backwards);
    cr_assert_stdout_eq_str("0\n1\n2\n3\n4\n5\n6\n7\n");
    cr_assert_eq(sum.passed, 28);
    cr_assert_eq(sum.failed, 8);
    cr_assert_eq(s->lost, 0);
}

Test(side_by_side, no_more_at_once_than_asked_for)
{
    for (unsigned at_once = 0; at_once <= 3; at_once++) {
        struct seen *s = shared();
        run(s, 8, at_once, backwards);
        cr_assert(atomic_load(&s->most) <= (at_once ? at_once : 1), "%u at once, of %u", atomic_load(&s->most),
                  at_once);
    }
}

static void crash_in_the_middle(uint32_t i, void *context, struct side_counts *counts)
{
    (void)context;
    counts->passed++;
    printf("%u begins\n", i);
    fflush(stdout);
    if (i == 1)
        raise(SIGSEGV);
    printf("%u ends\n", i);
}

Test(side_by_side, who_crashes_is_lost_and_what_it_did_is_kept)
{
    struct seen *s = shared();
    cr_redirect_stdout();
    const struct side_counts sum = run(s, 3, 2, crash_in_the_middle);
    cr_assert_stdout_eq_str("0 begins\n0 ends\n1 begins\n1 is lost\n2 begins\n2 ends\n");
    cr_assert_eq(sum.passed, 3);
    cr_assert_eq(s->lost, 1);
    cr_assert_eq(s->last_lost, 1);
    cr_assert(strstr(s->how, "signal 11"), "%s", s->how);
}

static void leave(uint32_t i, void *context, struct side_counts *counts)
{
    (void)context;
    counts->passed++;
    if (i == 0)
        exit(0);
}

Test(side_by_side, who_leaves_with_success_is_lost)
{
    struct seen *s = shared();
    run(s, 2, 2, leave);
    cr_assert_eq(s->lost, 1);
    cr_assert_eq(s->last_lost, 0);
    cr_assert(strstr(s->how, "exit code 0"), "%s", s->how);
}

static void count_nothing(uint32_t i, void *context, struct side_counts *counts)
{
    (void)context;
    counts->passed += i == 0;
}

Test(side_by_side, who_counts_nothing_is_lost)
{
    struct seen *s = shared();
    const struct side_counts sum = run(s, 2, 2, count_nothing);
    cr_assert_eq(sum.passed, 1);
    cr_assert_eq(s->lost, 1);
    cr_assert_eq(s->last_lost, 1);
}

Test(side_by_side, nothing_to_do)
{
    const struct side_counts sum = run(shared(), 0, 2, leave);
    cr_assert_eq(sum.passed + sum.failed, 0);
}
