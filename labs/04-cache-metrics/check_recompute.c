/* Tests of task 5, single flight, and task 6, early expiry. */
#include "check_callers.h"

#include "base/memory.h"

#define FLIGHT "single-flight"
#define EARLY  "early-expiry"

static const struct cm_recompute_config usual = {
    .ttl_ns = 1000 * MS, .negative_ttl_ns = 100 * MS, .patience_ns = 300 * MS, .beta = 1};

static uint32_t callers(void)
{
    return check_large() ? 4000 : 600;
}

/* Callers a nanosecond before an answer is over, and at that moment. */
static void check_last_moment(const char *entry, enum recompute_rule rule, double beta)
{
    const uint64_t at[] = {0, 1010 * MS - 1, 1010 * MS, 1010 * MS, 2020 * MS - 1, 2020 * MS};
    struct crowd *c = xcalloc(1, sizeof *c);
    *c = (struct crowd){.config = usual, .keys = 1, .callers = COUNT(at), .works = 1};
    c->config.beta = beta;
    c->caller = xcalloc(c->callers, sizeof *c->caller);
    c->work = xcalloc(1, sizeof *c->work);
    c->work[0] = (struct work){.takes = 10 * MS, .result = CM_VALUE};
    for (uint32_t i = 0; i < COUNT(at); i++)
        c->caller[i].at = at[i];
    crowd_check(entry, rule, c, "A value is good while now < the time when it came + its ttl.");
}

CHECK(single_flight, one_leader)
{
    struct rng r = random_of_test(50);
    for (uint32_t round = 0; round < 4; round++) {
        struct cm_recompute_config c = usual;
        c.patience_ns = round == 3 ? UINT64_C(1) << 60 : 100000 * MS;
        c.ttl_ns = round == 1 ? 5000 * MS : 1000 * MS; /* 32 bits of nanoseconds are 4.3 s */
        crowd_check(FLIGHT, RULE_SINGLE_FLIGHT,
                    crowd_random(&c, &r,
                                 &(struct habits){.callers = callers(),
                                                  .keys = round == 0 ? 1 : 20,
                                                  .gap = 20 * MS,
                                                  .takes = round == 2 ? 0 : 80 * MS,
                                                  .grid = round % 2 ? 20 * MS : 0}),
                    "One caller computes for all who want the same key at that time, and for no other key.");
    }
    check_last_moment(FLIGHT, RULE_SINGLE_FLIGHT, 0);
    crowd_check_ends(FLIGHT, RULE_SINGLE_FLIGHT, &usual, 56);
}

CHECK(single_flight, failed_or_hung)
{
    struct rng r = random_of_test(51);
    for (uint32_t round = 0; round < 4; round++)
        crowd_check(
            FLIGHT, RULE_SINGLE_FLIGHT,
            crowd_random(&usual, &r,
                         &(struct habits){.callers = callers(),
                                          .keys = round % 2 ? 12 : 1,
                                          .gap = 20 * MS,
                                          .takes = 80 * MS,
                                          .fail = round < 2 ? 8 : 3,
                                          .hang = round < 2 ? 0 : 4}),
            "Whoever waits asks again when the computation fails, and at `until` when it hangs: then exactly one "
            "of them computes.");
}

CHECK(single_flight, late_returns)
{
    struct rng r = random_of_test(52);
    for (uint32_t round = 0; round < 4; round++)
        crowd_check(FLIGHT, RULE_SINGLE_FLIGHT,
                    crowd_random(&usual, &r,
                                 &(struct habits){.callers = callers(),
                                                  .keys = round % 2 ? 5 : 1,
                                                  .gap = 30 * MS,
                                                  .takes = 150 * MS,
                                                  .fail = 3,
                                                  .slow = 6}),
                    "Who was given up and comes back all the same brings a value, and ends nobody else's computation.");
}

CHECK(single_flight, nothing_is_an_answer)
{
    struct rng r = random_of_test(53);
    for (uint32_t round = 0; round < 3; round++) {
        struct cm_recompute_config c = usual;
        c.negative_ttl_ns = round == 0 ? 0 : round == 1 ? 1 : 100 * MS;
        crowd_check(FLIGHT, RULE_SINGLE_FLIGHT,
                    crowd_random(&c, &r,
                                 &(struct habits){.callers = callers(),
                                                  .keys = 6,
                                                  .gap = 20 * MS,
                                                  .takes = 60 * MS,
                                                  .nothing = 8,
                                                  .fail = 2,
                                                  .slow = round == 1 ? 0 : 4,
                                                  .grid = round == 2 ? 20 * MS : 0}),
                    "That there is no value is kept for the time that it has, and then asked for again.");
    }
}

CHECK(early_expiry, early)
{
    struct rng r = random_of_test(54);
    for (uint32_t round = 0; round < 4; round++) {
        struct cm_recompute_config c = usual;
        c.beta = round == 1 ? 0.25 : round == 2 ? 4 : 1;
        c.ttl_ns = round == 0 ? 100000 * MS : 1000 * MS; /* and computations of up to 40 s */
        crowd_check(EARLY, RULE_EARLY,
                    crowd_random(&c, &r,
                                 &(struct habits){.callers = callers(),
                                                  .keys = round == 3 ? 20 : 1,
                                                  .gap = round == 0 ? 500 * MS : 15 * MS,
                                                  .takes = round == 0 ? 20000 * MS : 200 * MS,
                                                  .slow = 2}),
                    "A value is computed again as soon as now + took x beta x -ln(u) is its expiry or later.");
    }
    struct cm_recompute_config longer = usual;
    longer.ttl_ns = 30000 * MS;
    crowd_check(
        EARLY, RULE_EARLY,
        crowd_random(&longer, &r,
                     &(struct habits){.callers = callers(), .keys = 2, .gap = 100 * MS, .takes = 4000 * MS, .slow = 2}),
        "The time that a computation took fits into no 32 bits.");
}

CHECK(early_expiry, never_early)
{
    struct rng r = random_of_test(55);
    for (uint32_t round = 0; round < 3; round++) {
        struct cm_recompute_config c = usual;
        c.beta = round == 0 ? 0 : 1;
        crowd_check(
            EARLY, RULE_EARLY,
            crowd_random(&c, &r,
                         &(struct habits){.callers = callers(),
                                          .keys = 4,
                                          .gap = 20 * MS,
                                          .takes = round == 1 ? 0 : 100 * MS,
                                          .fail = 4,
                                          .nothing = round == 2 ? 4 : 0,
                                          .hang = 1}),
            "With beta = 0, or a value that took no time, nothing is early; without a value everybody computes.");
    }
    check_last_moment(EARLY, RULE_EARLY, 0);
    crowd_check_ends(EARLY, RULE_EARLY, &usual, 57);
}
