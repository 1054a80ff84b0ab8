/* fleet_policies.c: see fleet_policies.h. */
#include "fleet_policies.h"

#include "base/error.h"

#include <criterion/criterion.h>
#include <math.h>

static void member(void *context, uint32_t balancer, uint32_t server, bool joins, uint32_t weight, uint64_t now)
{
    struct simple *s = context;
    (void)now;
    if (balancer)
        return;
    s->weights -= s->weight[server];
    s->weight[server] = joins ? weight : 0;
    s->weights += s->weight[server];
}

static uint32_t any(struct simple *s)
{
    uint32_t server = rng_below(&s->random, s->servers);
    while (!s->weight[server])
        server = rng_below(&s->random, s->servers);
    return server;
}

static uint32_t pick(void *context, uint32_t balancer, uint64_t now)
{
    struct simple *s = context;
    uint32_t server = 0;
    (void)balancer;
    (void)now;
    if (!s->weights)
        return LB_NONE;
    if (s->kind == RANDOM) {
        server = any(s);
    } else if (s->kind == TWO_CHOICES) {
        const uint32_t a = any(s), b = any(s);
        server = s->in_flight[b] < s->in_flight[a] ? b : a;
    } else if (s->kind == WEIGHTED_RANDOM) {
        for (uint32_t left = rng_below(&s->random, s->weights); left >= s->weight[server]; server++)
            left -= s->weight[server];
    } else {
        do
            server = s->next++ % s->servers;
        while (!s->weight[server]);
    }
    s->in_flight[server]++;
    return server;
}

static void done(void *context, uint32_t balancer, uint32_t server, enum lb_outcome outcome, uint64_t latency,
                 uint64_t now)
{
    struct simple *s = context;
    (void)balancer;
    (void)outcome;
    (void)latency;
    (void)now;
    s->in_flight[server]--;
}

struct fleet_policy simple_policy(struct simple *s, int kind, uint32_t servers, uint64_t seed)
{
    *s = (struct simple){.servers = servers};
    s->kind = kind;
    rng_seed(&s->random, seed, 12345);
    return (struct fleet_policy){.context = s, .member = member, .pick = pick, .done = done};
}

struct fleet_scenario textbook(uint32_t servers, double rate, struct dist work, uint64_t requests)
{
    static struct fleet_server equal[MOST_SERVERS];
    for (uint32_t i = 0; i < MOST_SERVERS; i++)
        equal[i] = (struct fleet_server){.speed = 1000, .weight = 1};
    return (struct fleet_scenario){.seed = 1,
                                   .servers = servers,
                                   .balancers = 1,
                                   .rate = rate,
                                   .work = work,
                                   .queue_cap = FLEET_NO_CAP,
                                   .requests = requests,
                                   .warm_up = requests / 10,
                                   .server = equal};
}

void estimate(const struct fleet_scenario *scenario, int kind, int figures, figure *const of[], struct estimate *out)
{
    double sum[MOST_FIGURES] = {0}, squares[MOST_FIGURES] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct fleet_scenario s = *scenario;
        struct fleet_result result;
        struct simple simple;
        struct error err = {""};
        const struct fleet_policy policy = simple_policy(&simple, kind, s.servers, seed);
        s.seed = seed;
        cr_assert(fleet_run(&s, NULL, &policy, &result, &err) == 0, "the run failed: %s", err.text);
        for (int i = 0; i < figures; i++) {
            const double x = of[i](&result);
            sum[i] += x;
            squares[i] += x * x;
        }
        fleet_result_free(&result);
    }
    for (int i = 0; i < figures; i++) {
        const double mean = sum[i] / SEEDS, variance = (squares[i] / SEEDS - mean * mean) * SEEDS / (SEEDS - 1);
        out[i] = (struct estimate){mean, sqrt(fmax(variance, 0) / SEEDS)};
    }
}

void assert_theory(const char *what, struct estimate e, double theory, double share, double blur)
{
    cr_assert(e.error <= share * theory, "%s: the standard error %.4g is too large for a test of %.4g", what, e.error,
              theory);
    cr_assert(fabs(e.mean - theory) <= 4 * e.error + blur, "%s: expected %.5g, got %.5g with a standard error of %.2g",
              what, theory, e.mean, e.error);
}

double figure_mean_ms(const struct fleet_result *result)
{
    return result->mean_ns / 1e6;
}

double figure_p99_ms(const struct fleet_result *result)
{
    uint64_t ns = 0;
    hist_percentile(result->latency, 99, &ns);
    return (double)ns / 1e6;
}

double figure_loss(const struct fleet_result *result)
{
    return fleet_loss(result);
}

double figure_held(const struct fleet_result *result)
{
    return result->mean_held;
}

double figure_busy(const struct fleet_result *result)
{
    return (double)result->server[0].busy_ns / (double)result->span_ns;
}
