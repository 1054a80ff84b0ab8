/* plots_window.c: what clients who burst at the edge get through each rule, by when the second burst comes. */
#include "parts.h"
#include "runs.h"

#include "base/memory.h"

static const double gaps[] = {1, 2, 5, 10, 15, 20, 30, 40, 50, 55, 59, 61};

/* N requests 0.5 s before a minute ends, N more x seconds later: how many of both within 60 s. */
static double both(const struct claim_run *run)
{
    struct rl_config config = article_limit();
    struct limiter l = limiter_create(run->entry, &config);
    struct admissions a = {NULL, 0, 0};
    uint64_t first = 120 * S - 500 * MS;
    ask_at(&l, &a, first, config.limit);
    ask_at(&l, &a, first + (uint64_t)(run->x * 1e9), config.limit);
    double worst = (double)window_worst(a.list, a.count, config.window_ns).total;
    limiter_destroy(&l);
    admissions_free(&a);
    return worst;
}

static const struct claim_series series[] = {
    {.name = "fixed window", .points = COUNT(gaps), .at = gaps, .of = {.entry = "fixed-window"}, .y = both},
    {.name = "sliding log", .points = COUNT(gaps), .at = gaps, .of = {.entry = "sliding-log"}, .y = both},
    {.name = "sliding counter", .points = COUNT(gaps), .at = gaps, .of = {.entry = "sliding-counter"}, .y = both},
    {.name = "token bucket of 100", .points = COUNT(gaps), .at = gaps, .of = {.entry = "token-bucket"}, .y = both},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "second-burst",
     .title = "Two bursts of 100, the second so long after the first",
     .reading =
         "The limit is 100 a minute; the first burst ends a minute of the clock. The fixed window forgets it at "
         "the edge. The bucket refills as time goes, and so does the counter; only the log waits a whole minute.",
     .x = "time between the bursts",
     .x_unit = "s",
     .y = "admitted in the worst minute",
     .y_unit = "requests",
     .seeds = 1,
     .series = series},
};

const struct claim_part plots_window = {.plot = plots, .plots = COUNT(plots)};
