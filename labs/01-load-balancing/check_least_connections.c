/* Tests of task 2, weighted least connections: the judge keeps its own count of requests in flight, and every pick must
 * be least by it. */
#include "check_script.h"

#include <stdlib.h>

/* ---- weighted least connections ---- */

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
            if (member[b] && rng_below(r, 2)) {
                steps_weight(s, b, between(r, 0, t->weights));
                continue;
            }
            if (member[b])
                steps_remove(s, b);
            else
                steps_add(s, b, between(r, 0, t->weights));
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

void check_least_loaded(const char *entry, struct load_test test, uint64_t stream)
{
    struct rng r = random_of_test(stream);
    for (uint32_t round = 0; round < 3; round++) {
        struct steps *steps = new_steps();
        load_steps(steps, &r, &test);
        struct lb_config config = config_for(test.backends);
        check_property(entry, &config, steps, picks_least_loaded);
        free(steps);
    }
}

CHECK(weighted_least_connections, least_loaded)
{
    check_least_loaded(
        "weighted-least-connections",
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
    check_least_loaded(
        "weighted-least-connections",
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
    check_least_loaded("weighted-least-connections",
                       (struct load_test){.backends = check_large() ? 12 : 4,
                                          .weights = 3,
                                          .steps = check_large() ? 4000 : 400,
                                          .failures = true,
                                          .leaving = true},
                       13);
}
