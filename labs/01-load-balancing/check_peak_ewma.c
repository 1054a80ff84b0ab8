/* Tests of task 3, two choices with peak EWMA. Which two are drawn is the entry's own chance, so it is judged by
 * statistics over many picks, or with two members, where both are drawn each time and the rules leave no choice. */
#include "check_script.h"

#include "sim/real.h"

#include <math.h>
#include <stdlib.h>

/* ---- peak EWMA ---- */

/* Backends whose answers take 1, 2, … n times as long, always: after a while their order is known, and the k-th best of
 * n wins a draw of two different ones with probability 2 (n - k) / (n (n - 1)). A chi-square over the n - 1 that can
 * win, at one in a million; the worst never can. */
CHECK(peak_ewma, two_distinct_choices)
{
    struct rng r = random_of_test(20);
    uint32_t n = between(&r, 5, check_large() ? 12 : 7), warm = 60 * n, measured = 24000 - warm, count;
    struct lb_config config = config_for(n);
    config.ewma_decay_ns = 1000000 * S; /* nothing fades in this test */
    struct steps *steps = new_steps();
    for (uint32_t i = 0; i < n; i++)
        steps_add(steps, i, 1);
    for (uint32_t k = 0; k < warm + measured; k++) {
        steps_answer(steps, steps_pick(steps), LB_NONE, 10 * MS, true);
        steps->now += 1000;
    }
    uint32_t *picks = check_picks("peak-ewma", &config, steps, &count);
    uint64_t got[MODEL_BACKENDS] = {0};
    for (uint32_t k = 0; k < count; k++)
        check_that(picks[k] < n, "pick %u of %u members gave no backend.", k + 1, n);
    for (uint32_t k = warm; k < count; k++)
        got[picks[k]]++;
    double chi2 = 0, worst = 0;
    uint32_t where = 0;
    for (uint32_t k = 0; k + 1 < n; k++) {
        double expected = measured * 2.0 * (n - 1 - k) / (n * (n - 1.0)),
               part = ((double)got[k] - expected) * ((double)got[k] - expected) / expected;
        chi2 += part;
        where = part > worst ? k : where;
        worst = part > worst ? part : worst;
    }
    check_that(got[n - 1] == 0,
               "%u backends; backend i answers in (i + 1) x 10 ms, always. Backend %u is the slowest, so whichever "
               "other it is drawn with is better.\nexpected: after "
               "%u picks to learn, it is never picked again\nactual: %llu of %u picks. The two that are drawn must be "
               "different.",
               n, n - 1, warm, (unsigned long long)got[n - 1], measured);
    /* Wilson-Hilferty: the cube root of chi2 / degrees is nearly normal; 4.75 standard deviations are one in a million.
     */
    double degrees = n - 2, z = (cbrt(chi2 / degrees) - (1 - 2 / (9 * degrees))) / sqrt(2 / (9 * degrees));
    check_that(z < 4.75,
               "%u backends; backend i answers in (i + 1) x 10 ms, always; %u picks after learning.\nexpected: backend "
               "%u is the better one in a draw of two in about "
               "%.0f picks\nactual: %llu (chi-square of all: %.1f with %.0f degrees of freedom). Each pair of "
               "different backends must be drawn with equal chances.",
               n, measured, where, measured * 2.0 * (n - 1 - where) / (n * (n - 1.0)), (unsigned long long)got[where],
               chi2, degrees);
    free(picks);
    free(steps);
}

/* With two members both are drawn each time, so the rules leave no choice but between equals. */
static double expected_time(const struct model *m, uint32_t b)
{
    double w = real_exp(-(double)(m->now - m->measured[b]) / (double)m->config->ewma_decay_ns);
    if (m->cost[b] > 0)
        return m->cost[b] * w * (m->in_flight[b] + 1.0);
    return m->in_flight[b] ? 1e30 : 0;
}

static const char *load_text(const struct model *m, uint32_t b, double load, char *out, size_t size)
{
    if (m->cost[b] > 0)
        snprintf(out, size, "load %.4f ms (cost %.4f ms when last measured, %.3f s ago; %u in flight)", load / 1e6,
                 m->cost[b] / 1e6, (double)(m->now - m->measured[b]) / 1e9, m->in_flight[b]);
    else
        snprintf(out, size, "never measured, %u in flight%s", m->in_flight[b], m->in_flight[b] ? "" : ", so load 0");
    return out;
}

static bool picks_the_sooner(const struct model *m, const struct script_step *step, uint32_t backend, char *why,
                             size_t size)
{
    if (step->op != SCRIPT_PICK || m->members != 2 || backend > 1)
        return true;
    double mine = expected_time(m, backend), other = expected_time(m, 1 - backend);
    if (mine <= other * (1 + 1e-6))
        return true;
    char mine_text[160], other_text[160];
    snprintf(why, size, "expected: backend %u, %s; actual: backend %u, %s; tau is %.1f s", 1 - backend,
             load_text(m, 1 - backend, other, other_text, sizeof other_text), backend,
             load_text(m, backend, mine, mine_text, sizeof mine_text), (double)m->config->ewma_decay_ns / 1e9);
    return false;
}

struct ewma_test {
    uint32_t slow_percent, slow_factor; /* answers that take so many times as long */
    uint64_t step_ns, pause_ns;         /* time between steps; now and then a pause up to so long */
    uint32_t flying;                    /* most requests in flight */
    bool failures;                      /* three in four end otherwise than well: they are measurements too */
};

static void sooner_with(struct ewma_test t, uint64_t stream)
{
    struct rng r = random_of_test(stream);
    for (uint32_t round = 0; round < 3; round++) {
        struct steps *steps = new_steps();
        uint32_t flying[64], n = 0;
        steps_add(steps, 0, 1);
        steps_add(steps, 1, 1);
        for (uint32_t k = 0; k < (check_large() ? 3000u : 300u); k++) {
            steps->now += 1 + rng_below(&r, (uint32_t)t.step_ns);
            if (k % 50 == 25) /* a third comes for ten picks; when it goes, one of the two leaves and returns */
                steps_add(steps, 2, 1);
            if (k % 50 == 35) {
                steps_remove(steps, 2);
                steps_remove(steps, k / 50 % 2);
                steps_add(steps, k / 50 % 2, 1);
            }
            if (t.pause_ns && rng_below(&r, 20) == 0)
                steps->now += (uint64_t)(rng_double(&r) * (double)t.pause_ns);
            flying[n++] = steps_pick(steps);
            while (n >= t.flying || (n > 0 && rng_below(&r, 2))) {
                uint32_t which = rng_below(&r, n), factor = rng_below(&r, 100) < t.slow_percent ? t.slow_factor : 1;
                steps_done(steps, flying[which], t.failures ? (enum lb_outcome)rng_below(&r, 4) : LB_OK,
                           factor * (uint64_t)between(&r, 1000000, 1500000));
                flying[which] = flying[--n];
            }
        }
        struct lb_config config = config_for(3);
        check_property("peak-ewma", &config, steps, picks_the_sooner);
        free(steps);
    }
}

CHECK(peak_ewma, reacts_to_a_peak)
{
    sooner_with((struct ewma_test){.slow_percent = 10, .slow_factor = 50, .step_ns = 20 * MS, .flying = 1}, 21);
}

CHECK(peak_ewma, fades_with_time)
{
    sooner_with(
        (struct ewma_test){
            .slow_percent = 10, .slow_factor = 200, .step_ns = 20 * MS, .pause_ns = 2000000000, .flying = 1},
        22);
}

CHECK(peak_ewma, counts_in_flight)
{
    sooner_with(
        (struct ewma_test){.slow_percent = 0, .slow_factor = 1, .step_ns = 5 * MS, .flying = 20, .failures = true}, 23);
}

struct share {
    uint32_t server;
    uint64_t from, picks, hits;
};

static void share_pick(void *context, uint32_t server, uint64_t now)
{
    struct share *s = context;
    s->picks += now >= s->from;
    s->hits += now >= s->from && server == s->server;
}

/* Ten equal servers at 60 % load; one becomes twenty times slower. Blind choice goes on giving it 10 %; two choices by
 * requests in flight about 1 %, which is still more than it can serve. */
CHECK(peak_ewma, slow_server)
{
    struct rng r = random_of_test(24);
    struct fleet_server server[10];
    for (uint32_t i = 0; i < 10; i++)
        server[i] = (struct fleet_server){1000, 1, 0};
    struct share share = {.server = rng_below(&r, 10), .from = 4 * S};
    struct fleet_change change = {3 * S, share.server, FLEET_SPEED, 50};
    struct fleet_scenario scenario = {.seed = check_seed(),
                                      .servers = 10,
                                      .balancers = 1,
                                      .rate = 6000,
                                      .work = dist_exponential(1),
                                      .queue_cap = FLEET_NO_CAP,
                                      .requests = check_large() ? 120000 : 42000,
                                      .balancer = config_for(10),
                                      .changes = 1,
                                      .server = server,
                                      .change = &change};
    scenario.balancer.ewma_decay_ns = 1 * S;
    struct fleet_result result;
    check_fleet("peak-ewma", &scenario, &result, share_pick, NULL, &share);
    uint64_t unplaced = result.unplaced;
    fleet_result_free(&result);
    check_that(unplaced == 0, "%llu of %llu requests were given to no member.", (unsigned long long)unplaced,
               (unsigned long long)scenario.requests);
    double percent = 100.0 * (double)share.hits / (double)share.picks;
    check_that(percent < 1.0,
               "10 servers of 1,000 requests a second; after 3 s server %u does 50.\nexpected: from 4 s on it gets "
               "less than 1 %% of the requests\nactual: %.2f %%",
               share.server, percent);
}
