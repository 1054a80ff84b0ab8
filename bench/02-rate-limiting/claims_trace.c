/* claims_trace.c: how far the sliding counter's guess is off on recorded traffic: the article's limit for each client of
 * datasets/access-log.
 *
 * What it remembers is read from an entry by giving it a limit that nobody reaches: what is left of it then says how much
 * it counts. So all requests are counted, as in the published study: Cloudflare 2017, "Counting things, a lot of
 * different things": 0.003 % of 400 million requests from 270,000 sources misjudged, 6 % between the guess and the truth
 * on average.
 */
#include "arrivals.h"
#include "parts.h"
#include "runs.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static struct arrivals read_log(void)
{
    struct arrivals a;
    struct error err;
    char path[FILE_PATH];
    const char *root = getenv("FAULTLINE_ROOT");
    file_path(path, "%s/datasets/access-log/access.log.gz", root ? root : ".");
    if (arrivals_read(path, &a, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    return a;
}

/* What this request makes of the count of its key. */
static uint64_t counted(struct limiter *l, const struct arrival *a)
{
    return RL_MAX_UNITS - limiter_ask(l, a->key, a->at, 0).left;
}

struct guess {
    double off;       /* guess and truth differ by that part of the truth, on average */
    double misjudged; /* % of requests for which one is above the limit and the other is not */
};

static struct guess guess(const char *entry)
{
    struct rl_config config = article_limit();
    const uint64_t limit = config.limit;
    config.limit = RL_MAX_UNITS;
    struct limiter guesser = limiter_create(entry, &config), exact = limiter_create("sliding-log", &config);
    struct arrivals log = read_log();
    struct guess sum = {0, 0};
    for (size_t i = 0; i < log.count; i++) {
        const uint64_t said = counted(&guesser, &log.list[i]), is = counted(&exact, &log.list[i]);
        sum.off += fabs((double)said - (double)is) / (double)is;
        sum.misjudged += (said > limit) != (is > limit);
    }
    limiter_destroy(&guesser);
    limiter_destroy(&exact);
    struct guess mean = {100 * sum.off / (double)log.count, 100 * sum.misjudged / (double)log.count};
    arrivals_free(&log);
    return mean;
}

/* How many requests are admitted when each client has the article's limit. */
static double admitted_by(const char *entry)
{
    const struct rl_config config = article_limit();
    struct limiter l = limiter_create(entry, &config);
    struct arrivals log = read_log();
    uint64_t n = 0;
    for (size_t i = 0; i < log.count; i++)
        n += limiter_ask(&l, log.list[i].key, log.list[i].at, 0).allowed;
    limiter_destroy(&l);
    arrivals_free(&log);
    return (double)n;
}

/* ---- the claims ---- */

static double admitted_by_the_log(const struct claim_run *run)
{
    (void)run;
    return admitted_by("sliding-log");
}

static double admitted(const struct claim_run *run)
{
    return admitted_by(run->entry);
}

static double measure_off(const struct claim_run *run)
{
    return guess(run->entry).off;
}

static double measure_misjudged(const struct claim_run *run)
{
    return guess(run->entry).misjudged;
}

static const struct claim claims[] = {
    {.id = "counter-guesses-well",
     .statement = "On the recorded log the sliding counter's guess of what a window holds is about as far off as "
                  "published, or less: 6 % on average.",
     .formula = "mean of |guess - truth| / truth over all requests, each client by itself; published: 6 %",
     .unit = "%",
     .source = "counted",
     .broken = "the fixed window's count in place of the guess",
     .relation = CLAIM_AT_MOST,
     .seeds = 1,
     .of = {.entry = "sliding-counter"},
     .instead = {.entry = "fixed-window"},
     .predicted = 6,
     .measure = measure_off},
    {.id = "counter-misjudges-who-is-near-the-limit",
     .statement =
         "It misjudges far more requests of this log than the published 0.003 %: there nearly all clients stayed far "
         "below their limit, here a few ask for several times theirs.",
     .formula = "% of requests for which the guess is above the limit and the truth is not, or the other way round",
     .unit = "%",
     .source = "counted",
     .broken = "the sliding log in place of the sliding counter",
     .relation = CLAIM_AT_LEAST,
     .seeds = 1,
     .of = {.entry = "sliding-counter"},
     .instead = {.entry = "sliding-log"},
     .predicted = 0.003,
     .measure = measure_misjudged},
    {.id = "counter-admits-as-many",
     .statement = "It is wrong in both directions: of that log it admits as many requests as the exact log does.",
     .formula = "what the sliding log admits",
     .unit = "requests",
     .source = "counted",
     .broken = "the fixed window in place of the sliding counter",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .of = {.entry = "sliding-counter"},
     .instead = {.entry = "fixed-window"},
     .predict = admitted_by_the_log,
     .measure = admitted,
     .slack = 100,
     .slack_why = "1 % of them: the guess is right for requests that come evenly, and these do not"},
};

const struct claim_part part_trace = {.claim = claims, .claims = COUNT(claims)};
