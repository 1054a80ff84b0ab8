/* claims_unequal.c: servers of unequal speed, beyond the article: which fixed split is best, and why the right weights
 * are not enough.
 *
 * The fleet is the article's, or another of ten servers and 10,000 requests a second.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#include "base/memory.h"

/* ---- how long requests take under a fixed split ---- */

static double predict_weighted_random(const struct claim_run *run)
{
    (void)run;
    return 1e3 * theory_proportional_mean(article_speed, ARTICLE_SERVERS, 9000);
}

/* No cap here: the formula is that of a queue that takes all. */
static double measure_weighted_random(const struct claim_run *run)
{
    struct fleet_scenario s = article_fleet(9000, 500000, run->seed);
    s.queue_cap = FLEET_NO_CAP;
    return run_mean_ms(run->entry, &s);
}

/* Mean time of weighted random when the weights are those of a split. */
static double split_mean_ms(double rate, const double *split, uint64_t requests, uint64_t seed)
{
    struct fleet_server server[ARTICLE_SERVERS];
    struct fleet_scenario s = article_fleet(rate, requests, seed);
    article_weights(split, server);
    s.server = server;
    s.queue_cap = FLEET_NO_CAP;
    return run_mean_ms("weighted-random", &s);
}

static double predict_square_root_3000(const struct claim_run *run)
{
    (void)run;
    double split[ARTICLE_SERVERS];
    return 1e3 * theory_square_root_split(article_speed, ARTICLE_SERVERS, 3000, split);
}

static double measure_square_root_3000(const struct claim_run *run)
{
    double split[ARTICLE_SERVERS];
    theory_square_root_split(article_speed, ARTICLE_SERVERS, 3000, split);
    return split_mean_ms(3000, run->broken ? article_speed : split, 100000, run->seed);
}

static double predict_square_root_gain(const struct claim_run *run)
{
    (void)run;
    double split[ARTICLE_SERVERS];
    return 1e3 * (theory_proportional_mean(article_speed, ARTICLE_SERVERS, 9000) -
                  theory_square_root_split(article_speed, ARTICLE_SERVERS, 9000, split));
}

/* Both splits meet the same arrivals, the same work and the same coins, so nearly every request goes to the same server
 * under both, and most of the noise is in both and cancels. */
static double measure_square_root_gain(const struct claim_run *run)
{
    double split[ARTICLE_SERVERS];
    theory_square_root_split(article_speed, ARTICLE_SERVERS, 9000, split);
    return split_mean_ms(9000, article_speed, 1000000, run->seed) -
           split_mean_ms(9000, run->broken ? article_speed : split, 1000000, run->seed);
}

/* ---- the right weights are not enough ---- */

static double predict_bursts(const struct claim_run *run)
{
    (void)run;
    return 100 * theory_burst_loss(article_speed, ARTICLE_SERVERS, 6000, ARTICLE_CAP);
}

/* A whole number of cycles of sum(weights) = 10,000 picks. */
static double measure_bursts(const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(6000, 300000, run->seed);
    return run_loss(run->entry, &s);
}

static double capacity(void)
{
    double sum = 0;
    for (int i = 0; i < ARTICLE_SERVERS; i++)
        sum += article_speed[i];
    return sum;
}

enum { SLOWED = 500 }; /* the speed to which the first server falls, its weight unchanged */

static double predict_stale_weight(const struct claim_run *run)
{
    (void)run;
    return 100 * (article_speed[0] / capacity() - SLOWED / 6000.0);
}

static double measure_stale_weight(const struct claim_run *run)
{
    struct fleet_scenario s = article_fleet(6000, 300000, run->seed);
    const struct fleet_change slow = {.at = 0, .server = 0, .kind = FLEET_SPEED, .value = SLOWED};
    s.change = &slow;
    s.changes = 1;
    return run_loss(run->entry, &s);
}

/* Two large servers beside eight small ones, 10,000 requests a second together, like the article's ten. */
enum { LARGE = 4000, SMALL = 250, SMALLS = 8 };

static double predict_lopsided(const struct claim_run *run)
{
    (void)run;
    return 100 * theory_two_choices_loss(SMALLS, ARTICLE_SERVERS, SMALL, 6000);
}

static double measure_lopsided(const struct claim_run *run)
{
    struct fleet_server server[ARTICLE_SERVERS];
    struct fleet_scenario s = article_fleet(6000, 300000, run->seed);
    for (int i = 0; i < ARTICLE_SERVERS; i++) {
        const uint32_t speed = i < SMALLS ? SMALL : LARGE;
        server[i] = (struct fleet_server){.speed = speed, .weight = speed};
    }
    s.server = server;
    return run_loss(run->entry, &s);
}

/* ---- the table ---- */

static const struct claim claims[] = {
    {.id = "weighted-random-mean",
     .statement = "Drawn by weight, all servers are equally loaded, and at 90 % a request takes ten times its mean "
                  "service time.",
     .formula = "N / (C (1 - rho))",
     .unit = "ms",
     .source = "simulated",
     .broken = "smooth weighted in place of weighted random",
     .relation = CLAIM_EQUALS,
     .seeds = 32,
     .of = {.entry = "weighted-random"},
     .instead = {.entry = "smooth-weighted"},
     .predict = predict_weighted_random,
     .measure = measure_weighted_random},
    {.id = "square-root-rule-light",
     .statement = "At light load the best fixed split gives the slow servers nothing at all.",
     .formula = "lambda_i = mu_i - a sqrt(mu_i), none below 0; sum of lambda_i / (mu_i - lambda_i), over the rate",
     .unit = "ms",
     .source = "simulated",
     .broken = "shares in proportion to speed in place of the square-root rule",
     .relation = CLAIM_EQUALS,
     .predict = predict_square_root_3000,
     .measure = measure_square_root_3000,
     .seeds = 24},
    {.id = "square-root-rule-heavy",
     .statement = "Near full load the same rule still gains, but little: proportional shares are hard to beat then.",
     .formula = "N / (C (1 - rho)) - sum of lambda_i / (mu_i - lambda_i) / rate, lambda_i = mu_i - a sqrt(mu_i)",
     .unit = "ms",
     .source = "simulated",
     .broken = "shares in proportion to speed in place of the square-root rule",
     .relation = CLAIM_EQUALS,
     .predict = predict_square_root_gain,
     .measure = measure_square_root_gain,
     .seeds = 32},
    {.id = "bursty-turns",
     .statement = "Right shares at the wrong moment: taking a server's turns one after the other sends it a burst that "
                  "its queue can't hold, and most requests are lost at 60 % load.",
     .formula = "1 - mu_i / rate - cap / w_i of each burst of w_i requests",
     .unit = "%",
     .source = "simulated",
     .broken = "smooth weighted, the same shares interleaved, in place of weighted round robin",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "weighted-round-robin"},
     .instead = {.entry = "smooth-weighted"},
     .predict = predict_bursts,
     .measure = measure_bursts,
     .slack = 0.1,
     .slack_why = "a full queue has a place free now and then: one request of the 1,000 of a mean burst"},
    {.id = "stale-weight",
     .statement = "A weight is a promise. When a fast server falls to a third of its speed, turns by weight keep "
                  "sending it its old share.",
     .formula = "w / W - mu / rate, for the server's new mu",
     .unit = "%",
     .source = "simulated",
     .broken = "weighted least connections, which counts what has not come back, in place of smooth weighted",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "smooth-weighted"},
     .instead = {.entry = "weighted-least-connections"},
     .predict = predict_stale_weight,
     .measure = measure_stale_weight},
    {.id = "two-choices-lopsided",
     .statement = "Two choices without weights fail on a lopsided fleet: both draws are small servers too often, "
                  "and then there is no choice.",
     .formula = "P(both draws are small) - mu_small / rate, of all the small ones together",
     .unit = "%",
     .source = "simulated",
     .broken = "two choices drawn by weight in place of two choices",
     .relation = CLAIM_EQUALS,
     .seeds = 16,
     .of = {.entry = "two-choices"},
     .instead = {.entry = "weighted-two-choices"},
     .predict = predict_lopsided,
     .measure = measure_lopsided},
};

const struct claim_part part_unequal = {.claim = claims, .claims = COUNT(claims)};
