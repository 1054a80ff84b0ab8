/* fleet_policies.h: simple policies for the tests of the fleet, and means over seeds.
 *
 * They stand here so that the tests of the world do not depend on any entry: what is under test is the fleet.
 */
#ifndef FLEET_POLICIES_H
#define FLEET_POLICIES_H

#include "fleet.h"

enum { MOST_SERVERS = 64 };

enum { RANDOM, ROUND_ROBIN, TWO_CHOICES, WEIGHTED_RANDOM };

struct simple {
    int kind;
    uint32_t servers, next, weights;
    uint32_t weight[MOST_SERVERS]; /* 0: no member, or gets nothing */
    uint32_t in_flight[MOST_SERVERS];
    struct rng random;
};

/* A policy over `servers` (at most MOST_SERVERS). All balancers share it: it is none of their business here. */
struct fleet_policy simple_policy(struct simple *s, int kind, uint32_t servers, uint64_t seed);

/* n equal servers of speed 1000, one balancer, FIFO, no cap: the textbook's fleet. The servers are static. */
struct fleet_scenario textbook(uint32_t servers, double rate, struct dist work, uint64_t requests);

/* Mean of a figure over runs with different seeds, and the standard error of that mean. */
struct estimate {
    double mean, error;
};
typedef double figure(const struct fleet_result *result);
enum { MOST_FIGURES = 4, SEEDS = 16 };
void estimate(const struct fleet_scenario *scenario, int kind, int figures, figure *const of[], struct estimate *out);

/* 4 standard errors around the theory, and the standard error itself is at most `share` of it, so that the test means
 * something. `blur` is what the figure's own resolution adds. */
void assert_theory(const char *what, struct estimate e, double theory, double share, double blur);

double figure_mean_ms(const struct fleet_result *result);
double figure_p99_ms(const struct fleet_result *result);
double figure_loss(const struct fleet_result *result);
double figure_held(const struct fleet_result *result);
double figure_busy(const struct fleet_result *result); /* share of the span that server 0 worked */

#endif
