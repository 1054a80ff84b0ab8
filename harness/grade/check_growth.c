/* check_growth.c: how much more an operation costs where there is more. */
#include "grade/check_growth.h"

#include "sim/rng.h"

#include <stdio.h>
#include <stdlib.h>

#define STRETCHES CHECK_GROWTH_STRETCHES
#define TOO_FAR   4000ull /* instructions an operation with few: a limit, so that every run ends soon */

static uint32_t counted_stretches(void)
{
    return check_large() ? 6 : 4;
}

static uint32_t counted_operations(const struct check_growth *g)
{
    return counted_stretches() * g->stretch;
}

/* The bytes of each are its operations and the marker of the next. */
static uint64_t draw_stretches(const struct check_growth *g, struct host_stretch stretch[STRETCHES])
{
    struct rng r;
    uint64_t late = 0;
    rng_seed(&r, check_seed(), 0x57a1);
    for (uint32_t i = 0; i < STRETCHES; i++) {
        stretch[i] = (struct host_stretch){(g->stretch + (i + 1 < STRETCHES)) * g->step, 0};
        late += stretch[i].bytes;
    }
    for (uint32_t left = counted_stretches(); left > 0;) {
        struct host_stretch *one = &stretch[rng_below(&r, STRETCHES)];
        left -= !one->counted;
        one->counted = 1;
    }
    return late;
}

/* Of the counted operations; 0 when they were `limit` or more. Where nothing is counted (in a debugger): 1. */
static uint64_t cost(const struct check_growth *g, const char *plugin, uint32_t size, uint64_t limit)
{
    struct host_stretch stretch[STRETCHES];
    struct host_request q = {
        .plugin = plugin, .entry = g->entry, .count_limit = limit, .stretch = stretch, .stretches = STRETCHES};
    struct host_outcome o;
    q.late_bytes = draw_stretches(g, stretch);
    void *made = g->make(g, size, &q);
    check_host_request(q, &o);
    const bool whole = o.verdict == VERDICT_FINISHED;
    if (!whole && o.verdict != VERDICT_COST)
        check_fail(o.verdict, "with %u %s: %s", size, g->things, o.sentence);
    if (whole && !o.counted && !check_debugging())
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: nothing was counted");
    if (whole)
        g->judge(g, size, made, &o);
    const uint64_t counted = !whole ? 0 : o.counted ? o.instructions : 1;
    host_outcome_free(&o);
    free(made);
    return counted;
}

static unsigned each(const struct check_growth *g, uint64_t instructions)
{
    return (unsigned)(instructions / counted_operations(g));
}

void check_growth(const struct check_growth *g)
{
    const double none = check_no_points_at(g->none);
    uint64_t few = cost(g, NULL, g->few, TOO_FAR * counted_operations(g));
    if (check_debugging()) {
        cost(g, NULL, g->many, 0);
        puts("(in a debugger every answer is judged, and nothing is counted)");
        return;
    }
    if (!few)
        check_fail(VERDICT_COST, "%s takes more than %llu instructions with %u %s.", g->operation, TOO_FAR, g->few,
                   g->things);
    const uint64_t reference = cost(g, check_reference(), g->few, 100 * TOO_FAR * counted_operations(g));
    const uint64_t most = (uint64_t)(g->most_of_few * (double)reference);
    if (reference == 0)
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: the reference did not come to its end");
    few = few < most ? few : most;
    const uint64_t many = cost(g, NULL, g->many, (uint64_t)(none * (double)few) + 1);
    if (!many)
        check_fail(
            VERDICT_COST,
            "%s takes %u instructions with %u %s (no more count than %g times what the reference takes), and more "
            "than %u with %u, where it was stopped. Is there something that %s?",
            g->operation, each(g, few), g->few, g->things, g->most_of_few, each(g, (uint64_t)(none * (double)few)),
            g->many, g->suspect);
    const uint64_t hundredths = 100 * many / few; /* the digits that are told */
    const double times = (double)hundredths / 100;
    check_measured(
        times > 0.01 ? times : 0.01,
        "%s takes %u instructions with %u %s and %u with %u: %.2f times as many. Is there something that %s?",
        g->operation, each(g, few), g->few, g->things, each(g, many), g->many, times, g->suspect);
}
