/* The tests of lab 01. Each is named in lab.json with its points; what a failure says is all that a student gets to see
 * of it, so it says what was done, what was expected and what happened, on the smallest script found.
 *
 * No answer is copied from the reference: a property follows from the rules in README.md, and the judge checks it on
 * the picks that were made.
 */
#include "check_script.h"

#include "sim/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull
#define S  1000000000ull

static struct lb_config config_for(uint32_t backends)
{
    struct lb_config c = {.max_backends = backends,
                          .ewma_decay_ns = 10 * S,
                          .eject_after = 3,
                          .eject_max_percent = 50,
                          .eject_for_ns = 1 * S};
    rng_seed(&c.random, check_seed(), 7);
    return c;
}

static struct steps *new_steps(void)
{
    struct steps *s = calloc(1, sizeof *s);
    if (!s)
        check_fail(VERDICT_GRADER_FAULT, "out of memory");
    return s;
}

static struct rng random_of_test(uint64_t stream)
{
    struct rng r;
    rng_seed(&r, check_seed(), 1000 + stream);
    return r;
}

static uint32_t between(struct rng *r, uint32_t low, uint32_t high)
{
    return low + rng_below(r, high - low + 1);
}

static uint32_t weights_sum(const uint32_t *weight, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += weight[i];
    return sum;
}

/* ---- smooth weighted round robin
 * ------------------------------------------------------------------------------------------ */

static void expect_sequence(const char *letters, uint32_t n, const uint32_t *weight)
{
    struct lb_config config = config_for(n);
    struct steps *steps = new_steps();
    uint32_t length = (uint32_t)strlen(letters), count;
    char actual[64] = "", list[64] = "";
    for (uint32_t i = 0; i < n; i++) {
        steps_add(steps, i, weight[i]);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%u", i ? ", " : "", weight[i]);
    }
    for (uint32_t i = 0; i < length; i++)
        steps_pick(steps);
    uint32_t *picks = check_picks("smooth-weighted", &config, steps, &count);
    for (uint32_t i = 0; i < length; i++)
        actual[i] = picks[i] < n ? (char)('a' + picks[i]) : '?';
    check_that(strcmp(actual, letters) == 0,
               "weights %s (a is backend 0, b backend 1, ...; ? is no backend)\nexpected: %s\nactual:   %s\nThe rule "
               "is in README.md, task 1; equals go to the "
               "lowest number.",
               list, letters, actual);
    free(picks);
    free(steps);
}

CHECK(smooth_weighted, published_sequence)
{
    expect_sequence("aabacaa", 3, (const uint32_t[]){5, 1, 1});
    expect_sequence("abcabacba", 3, (const uint32_t[]){4, 3, 2});
    expect_sequence("bbbbbabbbbb", 2, (const uint32_t[]){1, 10});
    expect_sequence("abcdabcd", 4, (const uint32_t[]){1, 1, 1, 1});
}

static bool shares_are_exact(const struct model *m, const struct script_step *step, uint32_t backend, char *why,
                             size_t size)
{
    if (step->op != SCRIPT_PICK || m->total == 0 || (m->since + 1) % m->total != 0)
        return true;
    uint64_t cycles = (m->since + 1) / m->total;
    for (uint32_t i = 0; i < MODEL_BACKENDS; i++) {
        uint64_t count = m->count[i] + (i == backend);
        if (count == cycles * m->weight[i])
            continue;
        snprintf(why, size,
                 "expected: after %llu cycles of %llu picks, backend %u (weight %u) was picked %llu times; actual: "
                 "%llu times",
                 (unsigned long long)cycles, (unsigned long long)m->total, i, m->weight[i],
                 (unsigned long long)(cycles * m->weight[i]), (unsigned long long)count);
        return false;
    }
    return true;
}

/* count < k w / W + 1: the property that makes the sequence smooth. */
static bool none_runs_ahead(const struct model *m, const struct script_step *step, uint32_t backend, char *why,
                            size_t size)
{
    if (step->op != SCRIPT_PICK || m->total == 0 || backend >= MODEL_BACKENDS)
        return true;
    uint64_t count = m->count[backend] + 1, k = m->since + 1;
    if (count * m->total < k * m->weight[backend] + m->total)
        return true;
    snprintf(why, size,
             "expected: of %llu picks backend %u (weight %u of %llu) has fewer than its share + 1 = %.2f; actual: "
             "%llu, so it gets a burst while "
             "others wait",
             (unsigned long long)k, backend, m->weight[backend], (unsigned long long)m->total,
             (double)(k * m->weight[backend]) / (double)m->total + 1, (unsigned long long)count);
    return false;
}

static void weighted_cycles(property *holds, uint64_t stream, uint32_t rounds)
{
    struct rng r = random_of_test(stream);
    for (uint32_t round = 0; round < rounds; round++) {
        struct steps *steps = new_steps();
        uint32_t n = between(&r, 2, check_large() ? 40 : 8), weight[MODEL_BACKENDS];
        for (uint32_t i = 0; i < n; i++) {
            weight[i] = between(&r, 1, round % 2 ? 5 : 20);
            steps_add(steps, i, weight[i]);
        }
        for (uint32_t k = 0; k < 3 * weights_sum(weight, n); k++)
            steps_pick(steps);
        struct lb_config config = config_for(n);
        check_property("smooth-weighted", &config, steps, holds);
        free(steps);
    }
}

CHECK(smooth_weighted, exact_shares)
{
    weighted_cycles(shares_are_exact, 1, 4);
}

CHECK(smooth_weighted, no_bursts)
{
    weighted_cycles(none_runs_ahead, 2, 4);
}

/* After a change an implementation may begin again, or go on with the accounts it has; either way it may be off by a
 * request a member for a while, and no more, however long it goes on. */
static bool follows_changes(const struct model *m, const struct script_step *step, uint32_t backend, char *why,
                            size_t size)
{
    if (step->op != SCRIPT_PICK || m->total == 0)
        return true;
    for (uint32_t i = 0; i < MODEL_BACKENDS; i++) {
        double count = (double)(m->count[i] + (i == backend)),
               share = (double)(m->since + 1) * m->weight[i] / (double)m->total;
        double slack = m->changes <= 1 ? 2 : 2 + m->members;
        if (fabs(count - share) <= slack)
            continue;
        snprintf(why, size,
                 "expected: of the %llu picks since the last change backend %u (weight %u of %llu) got about %.1f; "
                 "actual: %.0f",
                 (unsigned long long)m->since + 1, i, m->weight[i], (unsigned long long)m->total, share, count);
        return false;
    }
    return true;
}

CHECK(smooth_weighted, members_change)
{
    struct rng r = random_of_test(3);
    uint32_t n = check_large() ? 12 : 5;
    for (uint32_t round = 0; round < 3; round++) {
        struct steps *steps = new_steps();
        bool member[16] = {false};
        for (uint32_t i = 0; i < n; i++, member[i - 1] = true)
            steps_add(steps, i, between(&r, 1, 6));
        for (uint32_t change = 0; change < 8; change++) {
            uint32_t b = rng_below(&r, n), what = rng_below(&r, 3);
            if (!member[b])
                steps_add(steps, b, between(&r, 1, 6));
            else if (what == 0)
                steps_remove(steps, b);
            else
                steps_weight(steps, b, what == 1 ? 0 : between(&r, 1, 6));
            member[b] = !(member[b] && what == 0);
            for (uint32_t k = 0; k < 30 * n; k++)
                steps_pick(steps);
        }
        struct lb_config config = config_for(n);
        check_property("smooth-weighted", &config, steps, follows_changes);
        free(steps);
    }
}

/* ---- weighted least connections
 * ----------------------------------------------------------------------------------------------- */

static bool picks_least_loaded(const struct model *m, const struct script_step *step, uint32_t backend, char *why,
                               size_t size)
{
    if (step->op != SCRIPT_PICK || m->members == 0)
        return true;
    uint64_t mine = m->in_flight[backend] + 1, my_weight = m->weight[backend];
    for (uint32_t i = 0; i < MODEL_BACKENDS; i++) {
        if (!m->member[i] || m->weight[i] == 0 || (m->in_flight[i] + 1ull) * my_weight >= mine * m->weight[i])
            continue;
        snprintf(why, size,
                 "expected: backend %u, (in flight + 1) / weight = (%u + 1) / %u = %.3f; actual: backend %u, (%u + 1) "
                 "/ %u = %.3f. In flight is picks minus "
                 "answers of every kind",
                 i, m->in_flight[i], m->weight[i], (m->in_flight[i] + 1.0) / m->weight[i], backend,
                 m->in_flight[backend], m->weight[backend], (double)mine / (double)my_weight);
        return false;
    }
    return true;
}

struct load_test {
    uint32_t backends, weights, steps;
    bool failures, leaving;
};

static void load_steps(struct steps *s, struct rng *r, const struct load_test *t)
{
    uint32_t flying[4096], n = 0;
    bool member[MODEL_BACKENDS] = {false};
    for (uint32_t i = 0; i < t->backends; i++, member[i - 1] = true)
        steps_add(s, i, between(r, 1, t->weights));
    for (uint32_t k = 0; k < t->steps; k++) {
        uint32_t what = rng_below(r, 100), b = rng_below(r, t->backends);
        s->now += rng_below(r, 1000000);
        if (t->leaving && what < 8) {
            if (member[b])
                steps_remove(s, b);
            else
                steps_add(s, b, between(r, 1, t->weights));
            member[b] = !member[b];
        } else if (what < 58 && n < 4096) {
            flying[n++] = steps_pick(s);
        } else if (n > 0) {
            uint32_t which = rng_below(r, n);
            enum lb_outcome outcome = t->failures ? (enum lb_outcome)rng_below(r, 4) : LB_OK;
            steps_done(s, flying[which], outcome, between(r, 1000, 50 * MS));
            flying[which] = flying[--n];
        }
    }
}

static void least_loaded_with(struct load_test test, uint64_t stream)
{
    struct rng r = random_of_test(stream);
    for (uint32_t round = 0; round < 3; round++) {
        struct steps *steps = new_steps();
        load_steps(steps, &r, &test);
        struct lb_config config = config_for(test.backends);
        check_property("weighted-least-connections", &config, steps, picks_least_loaded);
        free(steps);
    }
}

CHECK(weighted_least_connections, least_loaded)
{
    least_loaded_with(
        (struct load_test){.backends = check_large() ? 30 : 5, .weights = 6, .steps = check_large() ? 4000 : 500}, 10);
}

/* The judge's own account of a fleet with one balancer, kept while the log is replayed. */
struct account {
    uint32_t servers, in_flight[MODEL_BACKENDS];
    const struct fleet_server *server;
    uint64_t picks, wrong;
};

static void account_pick(void *context, uint32_t server, uint64_t now)
{
    struct account *a = context;
    (void)now;
    a->picks++;
    if (server >= a->servers) {
        a->wrong++;
        return;
    }
    for (uint32_t i = 0; i < a->servers; i++)
        if ((a->in_flight[i] + 1ull) * a->server[server].weight < (a->in_flight[server] + 1ull) * a->server[i].weight) {
            a->wrong++;
            break;
        }
    a->in_flight[server]++;
}

static void account_done(void *context, uint32_t server, enum lb_outcome outcome, uint64_t latency, uint64_t now)
{
    (void)outcome, (void)latency, (void)now;
    ((struct account *)context)->in_flight[server]--;
}

/* First scripts, whose failure can be shown in a few steps; then a whole fleet with short queues, impatient clients and
 * a server that fails. */
CHECK(weighted_least_connections, survives_errors)
{
    least_loaded_with(
        (struct load_test){
            .backends = check_large() ? 20 : 3, .weights = 4, .steps = check_large() ? 4000 : 300, .failures = true},
        11);
    const struct fleet_server server[] = {{1500, 3, 0}, {1500, 3, 0}, {1000, 2, 0}, {500, 1, 0}, {500, 1, 0}};
    const struct fleet_change change[] = {
        {1 * S, 1, FLEET_FAIL_FAST, 0.0001}, {2 * S, 1, FLEET_HEAL, 0}, {2 * S, 2, FLEET_SPEED, 50}};
    struct fleet_scenario scenario = {.seed = check_seed(),
                                      .servers = 5,
                                      .balancers = 1,
                                      .rate = 5000,
                                      .work = dist_exponential(1),
                                      .queue_cap = 20,
                                      .timeout_ns = 15 * MS,
                                      .requests = check_large() ? 60000 : 20000,
                                      .balancer = config_for(5),
                                      .changes = 3,
                                      .server = server,
                                      .change = change};
    struct account account = {.servers = 5, .server = server};
    struct fleet_result result;
    check_fleet("weighted-least-connections", &scenario, &result, account_pick, account_done, &account);
    uint64_t lost = result.timeout + result.error + result.refused;
    fleet_result_free(&result);
    check_that(account.wrong == 0,
               "In a fleet of 5 servers, %llu of whose requests ended by a time-out, an error or a refusal, %llu of "
               "%llu picks did not go to the backend with the "
               "least (in flight + 1) / weight. The count of requests in flight must go down however a request ends.",
               (unsigned long long)lost, (unsigned long long)account.wrong, (unsigned long long)account.picks);
}

CHECK(weighted_least_connections, ties_take_turns)
{
    struct rng r = random_of_test(12);
    uint32_t n = between(&r, 4, check_large() ? 40 : 8), times = 40, count, got[MODEL_BACKENDS] = {0}, most = 0,
             least = 0;
    struct lb_config config = config_for(n);
    struct steps *steps = new_steps();
    for (uint32_t i = 0; i < n; i++)
        steps_add(steps, i, 2);
    for (uint32_t k = 0; k < n * times; k++) {
        uint32_t id = steps_pick(steps);
        steps->now += MS;
        steps_done(steps, id, LB_OK, MS);
    }
    uint32_t *picks = check_picks("weighted-least-connections", &config, steps, &count);
    for (uint32_t k = 0; k < count; k++) {
        check_that(picks[k] < n, "pick %u of an idle fleet of %u backends, all of weight 2, gave no backend.", k + 1,
                   n);
        got[picks[k]]++;
    }
    for (uint32_t i = 1; i < n; i++) {
        most = got[i] > got[most] ? i : most;
        least = got[i] < got[least] ? i : least;
    }
    check_that(got[most] <= 2 * times && got[least] >= times / 2,
               "%u idle backends of equal weight, %u picks, each answered before the next.\nexpected: about %u for "
               "each (at least %u, at most %u)\nactual: backend %u "
               "got %u, backend %u got %u. Where all are equal they must take turns: always taking the first sends the "
               "whole traffic of an idle fleet to it.",
               n, n * times, times, times / 2, 2 * times, most, got[most], least, got[least]);
    free(picks);
    free(steps);
}

CHECK(weighted_least_connections, leave_and_return)
{
    least_loaded_with((struct load_test){.backends = check_large() ? 12 : 4,
                                         .weights = 3,
                                         .steps = check_large() ? 4000 : 400,
                                         .failures = true,
                                         .leaving = true},
                      13);
}

/* ---- peak EWMA
 * ------------------------------------------------------------------------------------------------------------------ */

/* Backends whose answers take 1, 2, … n times as long, always: after a while their order is known, and the k-th best of
 * n wins a draw of two different ones with probability 2 (n - k) / (n (n - 1)). A chi-square over the n - 1 that can
 * win, at one in a million; the worst never can. */
CHECK(peak_ewma, two_distinct_choices)
{
    struct rng r = random_of_test(20);
    uint32_t n = between(&r, 5, check_large() ? 12 : 7), warm = 60 * n, measured = 8000 - warm, count;
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
            if (t.pause_ns && rng_below(&r, 20) == 0)
                steps->now += (uint64_t)(rng_double(&r) * (double)t.pause_ns);
            flying[n++] = steps_pick(steps);
            while (n >= t.flying || (n > 0 && rng_below(&r, 2))) {
                uint32_t which = rng_below(&r, n), factor = rng_below(&r, 100) < t.slow_percent ? t.slow_factor : 1;
                steps_done(steps, flying[which], LB_OK, factor * (uint64_t)between(&r, 1000000, 1500000));
                flying[which] = flying[--n];
            }
        }
        struct lb_config config = config_for(2);
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
    sooner_with((struct ewma_test){.slow_percent = 0, .slow_factor = 1, .step_ns = 5 * MS, .flying = 20}, 23);
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

/* ---- outlier ejection
 * --------------------------------------------------------------------------------------------------------------- */

static bool respects_ejection(const struct model *m, const struct script_step *step, uint32_t backend, char *why,
                              size_t size)
{
    if (step->op != SCRIPT_PICK)
        return true;
    if (backend < MODEL_BACKENDS && m->back_at[backend]) {
        snprintf(why, size,
                 "expected: any but backend %u, which failed %u times in a row and is out until %.3f s (its ejection "
                 "number %u in a row); actual: backend %u at %.3f s",
                 backend, m->config->eject_after, (double)m->back_at[backend] / 1e9, m->ejections[backend], backend,
                 (double)m->now / 1e9);
        return false;
    }
    /* The inner balancer takes turns, so who is in comes up within a round or two. */
    uint64_t patience = 3ull * m->members + 3;
    for (uint32_t i = 0; i < MODEL_BACKENDS; i++)
        if (m->member[i] && !m->back_at[i] && i != backend && m->picks > m->seen[i] + patience) {
            snprintf(why, size,
                     "expected: backend %u gets its turn again: it is not to be out (%u failures in a row since it was "
                     "last in; %u of %u members are out, at most "
                     "%u %% may be); actual: none of the last %llu picks named it",
                     i, m->failures[i], m->out, m->members, m->config->eject_max_percent,
                     (unsigned long long)(m->picks - m->seen[i]));
            return false;
        }
    return true;
}

struct ejection_test {
    uint32_t backends, picks;
    uint64_t step_ns;
    uint32_t bad;          /* fails always, until heals; LB_NONE: none */
    uint32_t heals;        /* from this pick on */
    uint32_t fail_percent; /* of all others, or of all when there is no bad one */
};

static void ejection_with(struct ejection_test t, uint64_t stream)
{
    struct rng r = random_of_test(stream);
    struct steps *steps = new_steps();
    for (uint32_t i = 0; i < t.backends; i++)
        steps_add(steps, i, 1);
    for (uint32_t k = 0; k < t.picks; k++) {
        uint32_t id = steps_pick(steps);
        if (t.bad != LB_NONE)
            steps_answer(steps, id, k < t.heals ? t.bad : LB_NONE, MS, false);
        else
            steps_done(steps, id,
                       rng_below(&r, 100) < t.fail_percent ? (enum lb_outcome)between(&r, LB_ERROR, LB_TIMEOUT) : LB_OK,
                       MS);
        steps->now += t.step_ns;
    }
    struct lb_config config = config_for(t.backends);
    check_property("outlier-ejection+round-robin", &config, steps, respects_ejection);
    free(steps);
}

CHECK(outlier_ejection, fail_fast_ejected)
{
    struct rng r = random_of_test(30);
    uint32_t n = check_large() ? 20 : 5;
    ejection_with((struct ejection_test){.backends = n,
                                         .picks = check_large() ? 8000 : 1500,
                                         .step_ns = 5 * MS,
                                         .bad = rng_below(&r, n),
                                         .heals = UINT32_MAX},
                  30);
}

CHECK(outlier_ejection, healthy_stays)
{
    ejection_with((struct ejection_test){.backends = check_large() ? 20 : 5,
                                         .picks = check_large() ? 8000 : 800,
                                         .step_ns = 5 * MS,
                                         .bad = LB_NONE,
                                         .fail_percent = 12},
                  31);
}

CHECK(outlier_ejection, comes_back)
{
    struct rng r = random_of_test(32);
    ejection_with((struct ejection_test){.backends = 4,
                                         .picks = check_large() ? 9000 : 1500,
                                         .step_ns = 10 * MS,
                                         .bad = rng_below(&r, 4),
                                         .heals = check_large() ? 4000 : 500},
                  32);
}

CHECK(outlier_ejection, never_all)
{
    struct rng r = random_of_test(33);
    ejection_with((struct ejection_test){.backends = between(&r, 3, check_large() ? 20 : 6),
                                         .picks = check_large() ? 6000 : 900,
                                         .step_ns = 10 * MS,
                                         .bad = LB_NONE,
                                         .fail_percent = 100},
                  33);
}
