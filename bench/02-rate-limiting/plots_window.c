/* plots_window.c: what clients who burst at the edge get through each rule, by when the second burst comes. */
#include "parts.h"
#include "runs.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const double gap_s[] = {1, 2, 5, 10, 15, 20, 30, 40, 50, 55, 59, 61};

static double gap(uint32_t i)
{
    return gap_s[i];
}

/* N requests 0.5 s before a minute ends, N more so many seconds later: how many of both within 60 s. */
static double both(const char *entry, uint32_t i)
{
    struct rl_config config = article_limit();
    struct limiter l = limiter_create(entry, &config);
    struct admissions a = {NULL, 0, 0};
    uint64_t first = 120 * S - 500 * MS;
    ask_at(&l, &a, first, config.limit);
    ask_at(&l, &a, first + (uint64_t)(gap_s[i] * 1e9), config.limit);
    double worst = (double)window_worst(a.list, a.count, config.window_ns).total;
    limiter_destroy(&l);
    admissions_free(&a);
    return worst;
}

static double fixed(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return both("fixed-window", i);
}

static double log_of(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return both("sliding-log", i);
}

static double counter(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return both("sliding-counter", i);
}

static double bucket(uint32_t i, const struct claim_run *run)
{
    (void)run;
    return both("token-bucket", i);
}

static const struct claim_series series[] = {
    {"fixed window", false, COUNT(gap_s), gap, fixed},
    {"sliding log", false, COUNT(gap_s), gap, log_of},
    {"sliding counter", false, COUNT(gap_s), gap, counter},
    {"token bucket of 100", false, COUNT(gap_s), gap, bucket},
    {0},
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
