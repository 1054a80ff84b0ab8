/* claims_unequal.c: servers of unequal speed, the article's failure and its cures.
 *
 * Ten servers do 10,000 requests a second together: three 1,500, four 1,000, three 500. Round robin gives each a tenth.
 * So the slow ones are overloaded from 5,000 on, half of what the fleet can do, and every request beyond what they can
 * do is lost in their full queues while the fast ones idle.
 *
 * The formulas count a fluid: min(rate / N, mu) is what a server answers. The queue cap of 100 and the length of a run
 * hardly touch that. A server at 120 % load is full within a second (the warm-up is five), is then never empty again
 * (a chance of about 1.2^-100, 1e-8), and loses exactly what comes above its speed; a server at 80 % of its speed fills
 * 100 places with a chance below 0.8^100, 2e-10. What is left is the chance of a finite run, and that is in the
 * tolerance.
 */
#include "parts.h"
#include "runs.h"
#include "theory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static double capacity(void)
{
    double sum = 0;
    for (int i = 0; i < ARTICLE_SERVERS; i++)
        sum += article_speed[i];
    return sum;
}

/* ---- round robin's ceiling, and what it loses beyond ------------------------------------------------------------ */

static double predict_ceiling(void)
{
    return theory_even_ceiling(article_speed, ARTICLE_SERVERS);
}

/* Overload the fleet, and see which share of what they are sent the slowest servers still answer: with fixed shares,
 * that share of the offered rate is the rate at which they would just keep up. (All that are as slow as the slowest are
 * taken together.) */
static double measure_ceiling(const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(9000, 400000, run->seed);
    struct fleet_result r;
    double slowest = article_speed[0], sent = 0, answered = 0;
    run_entry(run->broken ? "smooth-weighted" : "round-robin", &s, &r);
    for (int i = 1; i < ARTICLE_SERVERS; i++)
        slowest = article_speed[i] < slowest ? article_speed[i] : slowest;
    for (int i = 0; i < ARTICLE_SERVERS; i++)
        if (article_speed[i] <= slowest) {
            sent += (double)r.server[i].picked;
            answered += (double)r.server[i].ok;
        }
    fleet_result_free(&r);
    return s.rate * answered / sent;
}

static double predict_even_loss(double rate)
{
    return 100 * (1 - theory_even_throughput(article_speed, ARTICLE_SERVERS, rate) / rate);
}

static double predict_loss_6000(void)
{
    return predict_even_loss(6000);
}

static double predict_loss_8000(void)
{
    return predict_even_loss(8000);
}

static double loss_at(const char *entry, double rate, uint64_t requests, const struct claim_run *run)
{
    const struct fleet_scenario s = article_fleet(rate, requests, run->seed);
    return run_loss(entry, &s);
}

static double measure_loss_6000(const struct claim_run *run)
{
    return loss_at(run->broken ? "smooth-weighted" : "round-robin", 6000, 400000, run);
}

static double measure_loss_8000(const struct claim_run *run)
{
    return loss_at(run->broken ? "least-connections" : "round-robin", 8000, 400000, run);
}

/* ---- cures: nothing is lost at 60 % ------------------------------------------------------------------------------ */

static double predict_none(void)
{
    return 0;
}

static double lossless(const char *entry, const struct claim_run *run)
{
    return loss_at(run->broken ? "round-robin" : entry, 6000, 200000, run);
}

static double lossless_smooth_weighted(const struct claim_run *run)
{
    return lossless("smooth-weighted", run);
}

static double lossless_weighted_random(const struct claim_run *run)
{
    return lossless("weighted-random", run);
}

static double lossless_weighted_least_connections(const struct claim_run *run)
{
    return lossless("weighted-least-connections", run);
}

static double lossless_least_connections(const struct claim_run *run)
{
    return lossless("least-connections", run);
}

static double lossless_two_choices(const struct claim_run *run)
{
    return lossless("two-choices", run);
}

static double lossless_peak_ewma(const struct claim_run *run)
{
    return lossless("peak-ewma", run);
}

/* ---- how long requests take under a fixed split ------------------------------------------------------------------ */

static double predict_weighted_random(void)
{
    return 1e3 * theory_proportional_mean(article_speed, ARTICLE_SERVERS, 9000);
}

/* No cap here: the formula is that of a queue that takes all. */
static double measure_weighted_random(const struct claim_run *run)
{
    struct fleet_scenario s = article_fleet(9000, 500000, run->seed);
    s.queue_cap = FLEET_NO_CAP;
    return run_mean_ms(run->broken ? "smooth-weighted" : "weighted-random", &s);
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

static double predict_square_root_3000(void)
{
    double split[ARTICLE_SERVERS];
    return 1e3 * theory_square_root_split(article_speed, ARTICLE_SERVERS, 3000, split);
}

static double measure_square_root_3000(const struct claim_run *run)
{
    double split[ARTICLE_SERVERS];
    theory_square_root_split(article_speed, ARTICLE_SERVERS, 3000, split);
    return split_mean_ms(3000, run->broken ? article_speed : split, 100000, run->seed);
}

static double predict_square_root_gain(void)
{
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

/* ---- the right weights are not enough ---------------------------------------------------------------------------- */

static double predict_bursts(void)
{
    return 100 * theory_burst_loss(article_speed, ARTICLE_SERVERS, 6000, ARTICLE_CAP);
}

/* A whole number of cycles of sum(weights) = 10,000 picks. */
static double measure_bursts(const struct claim_run *run)
{
    return loss_at(run->broken ? "smooth-weighted" : "weighted-round-robin", 6000, 300000, run);
}

enum { SLOWED = 500 }; /* the speed to which the first server falls, its weight unchanged */

static double predict_stale_weight(void)
{
    return 100 * (article_speed[0] / capacity() - SLOWED / 6000.0);
}

static double measure_stale_weight(const struct claim_run *run)
{
    struct fleet_scenario s = article_fleet(6000, 300000, run->seed);
    const struct fleet_change slow = {.at = 0, .server = 0, .kind = FLEET_SPEED, .value = SLOWED};
    s.change = &slow;
    s.changes = 1;
    return run_loss(run->broken ? "weighted-least-connections" : "smooth-weighted", &s);
}

/* Two large servers beside eight small ones, 10,000 requests a second together, like the article's ten. */
enum { LARGE = 4000, SMALL = 250, SMALLS = 8 };

static double predict_lopsided(void)
{
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
    return run_loss(run->broken ? "weighted-two-choices" : "two-choices", &s);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

#define FLUID "sum over servers of max(0, rate/N - mu_i), over rate"

static const struct claim claims[] = {
    {.id = "round-robin-ceiling",
     .statement = "Round robin can use only half of this fleet: it is at its limit when a tenth of the load is all "
                  "that the slowest server can do.",
     .formula = "N x min mu_i",
     .unit = "requests/s",
     .source = "simulated",
     .broken = "smooth weighted in place of round robin",
     .relation = CLAIM_EQUALS,
     .predict = predict_ceiling,
     .measure = measure_ceiling,
     .seeds = 32},
    {.id = "round-robin-loss-6000",
     .statement = "At 6,000 requests a second, 60 % of what the fleet can do, round robin already loses one request "
                  "in twenty.",
     .formula = FLUID,
     .unit = "%",
     .source = "simulated",
     .broken = "smooth weighted in place of round robin",
     .relation = CLAIM_EQUALS,
     .predict = predict_loss_6000,
     .measure = measure_loss_6000,
     .seeds = 32},
    {.id = "round-robin-loss-8000",
     .statement = "At 8,000 requests a second it loses one in nine, and the fast servers still are half idle.",
     .formula = FLUID,
     .unit = "%",
     .source = "simulated",
     .broken = "least connections in place of round robin",
     .relation = CLAIM_EQUALS,
     .predict = predict_loss_8000,
     .measure = measure_loss_8000,
     .seeds = 32},
#define LOSSLESS(name, function, why)                                                                                  \
    {                                                                                                                  \
        .id = "lossless-" name, .statement = why, .formula = "every server below its speed: 0", .unit = "%",           \
        .source = "simulated", .broken = "round robin in place of " name, .relation = CLAIM_EQUALS,                    \
        .predict = predict_none, .measure = function, .seeds = 8                                                       \
    }
    LOSSLESS("smooth-weighted", lossless_smooth_weighted,
             "Turns by weight, interleaved, lose nothing where round robin loses one in twenty."),
    LOSSLESS("weighted-random", lossless_weighted_random,
             "So do lots drawn by weight: it is the shares that matter here, not the order."),
    LOSSLESS("weighted-least-connections", lossless_weighted_least_connections,
             "Counting requests in flight, and setting them against the weights, loses nothing."),
    LOSSLESS(
        "least-connections", lossless_least_connections,
        "Counting alone does it, without being told any weight: slow servers show by what they have not answered."),
    LOSSLESS("two-choices", lossless_two_choices,
             "Looking at only two servers a request is enough for this fleet, without weights."),
    LOSSLESS("peak-ewma", lossless_peak_ewma,
             "Going by how long a server took of late finds the slow ones too, without weights."),
#undef LOSSLESS
    {.id = "weighted-random-mean",
     .statement = "Drawn by weight, all servers are equally loaded, and at 90 % a request takes ten times its mean "
                  "service time.",
     .formula = "N / (C (1 - rho))",
     .unit = "ms",
     .source = "simulated",
     .broken = "smooth weighted in place of weighted random",
     .relation = CLAIM_EQUALS,
     .predict = predict_weighted_random,
     .measure = measure_weighted_random,
     .seeds = 32},
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
     .predict = predict_bursts,
     .measure = measure_bursts,
     .seeds = 16,
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
     .predict = predict_stale_weight,
     .measure = measure_stale_weight,
     .seeds = 16},
    {.id = "two-choices-lopsided",
     .statement = "Two choices without weights fail on a lopsided fleet: both draws are small servers too often, "
                  "and then there is no choice.",
     .formula = "P(both draws are small) - mu_small / rate, of all the small ones together",
     .unit = "%",
     .source = "simulated",
     .broken = "two choices drawn by weight in place of two choices",
     .relation = CLAIM_EQUALS,
     .predict = predict_lopsided,
     .measure = measure_lopsided,
     .seeds = 16},
};

const struct claim_part part_unequal = {.claim = claims, .claims = COUNT(claims)};
