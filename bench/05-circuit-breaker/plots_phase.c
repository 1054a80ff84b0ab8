/* plots_phase.c: heals or never, by load and by the length of the fault. */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

#include <math.h>

#define LONGEST (20 * S)
#define LOST    5000u /* five time-outs' work waits */

/* x is the load, n how often a request is tried. The shortest standstill after which it never heals, to a hundredth; NaN:
 * there is none up to LONGEST. */
static double deadly(const struct claim_run *run)
{
    uint64_t heals = 0, never = 2 * LONGEST;
    while (never - heals > never / 64) {
        const uint64_t down = heals + (never - heals) / 2;
        struct services s = article(run->x, down, 200 * S, run->seed);
        s.service[0].retry.most_tries = run->n;
        if (works_off(&s, "fixed-retry", LOST))
            heals = down;
        else
            never = down;
    }
    return never > LONGEST ? NAN : (double)never * 1e-9;
}

static double deadly_theory(const struct claim_run *run)
{
    const struct theory_service s = {.mu = MU, .lambda = run->x, .timeout = 1, .retries = run->n - 1.0};
    return theory_deadly(&s);
}

/* The edge: a line upwards from the shortest fault. */
static double edge_line(const struct claim_run *run)
{
    return run->x < MU / run->n ? (double)LONGEST * 1e-9 : deadly_theory(run);
}

static double from_250(uint32_t i)
{
    return i == 0 ? 249.999 : 250 + 10.0 * (i - 1);
}

static double from_500(uint32_t i)
{
    return i == 0 ? 499.999 : 500 + 10.0 * (i - 1);
}

static const double four_tries[] = {270, 300, 350, 400, 500, 600, 700, 800, 900},
                    two_tries[] = {530, 600, 700, 800, 900};

static const struct claim_series series[] = {
    {.name = "four tries, theory", .line = true, .points = 67, .x = from_250, .of = {.n = 4}, .y = edge_line},
    {.name = "four tries", .points = COUNT(four_tries), .at = four_tries, .of = {.n = 4}, .y = deadly},
    {.name = "two tries, theory", .line = true, .points = 42, .x = from_500, .of = {.n = 2}, .y = edge_line},
    {.name = "two tries", .points = COUNT(two_tries), .at = two_tries, .of = {.n = 2}, .y = deadly},
    {.name = NULL},
};

static const struct claim_plot table[] = {
    {.id = "phases",
     .title = "Heals, or never does: load against the length of a fault",
     .reading =
         "Below a curve and to its left a service heals by itself, above it never does. The wall is at mu / (1 + R): "
         "to its right it takes a fault of a second or two, which lets a time-out's work wait.",
     .x = "load",
     .x_unit = "requests/s",
     .y = "shortest fault that is never got over",
     .y_unit = "s",
     .log_y = true,
     .seeds = 8,
     .series = series},
};

const struct claim_part plots_phase = {.plot = table, .plots = COUNT(table)};
