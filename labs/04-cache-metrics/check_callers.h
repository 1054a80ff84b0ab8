/* check_callers.h: what the tests of those who recompute are written with: callers, an origin, and an exact model. */
#ifndef CHECK_CALLERS_H
#define CHECK_CALLERS_H

#include "callers.h"
#include "check_requests.h"

enum recompute_rule { RULE_SINGLE_FLIGHT, RULE_EARLY };

struct crowd {
    struct cm_recompute_config config;
    uint32_t keys;
    struct caller *caller;
    struct work *work;
    uint32_t callers, works, rounds;
};

/* Callers that come in bursts and one by one, and an origin that takes `takes` ns on average; of 16 computations so
 * many fail, find nothing, hang, take much longer. */
struct habits {
    uint32_t callers, keys;
    uint64_t gap, takes; /* between callers, on average */
    uint32_t fail, nothing, hang, slow;
    uint64_t grid; /* all times are multiples of this, so that edges are met; 0: they are not */
};
struct crowd *crowd_random(const struct cm_recompute_config *config, struct rng *r, const struct habits *habits);

/* Runs it, judges every decision, and fails the test with the smallest crowd that shows it. Frees it. */
void crowd_check(const char *entry, enum recompute_rule rule, struct crowd *crowd, const char *lesson);

/* A short one, that happens tens of thousands of times in little memory. */
void crowd_check_ends(const char *entry, enum recompute_rule rule, const struct cm_recompute_config *config,
                      uint64_t stream);

#endif
