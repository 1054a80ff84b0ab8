/* Tests of task 3: what a query sees follows from positions in the whole sequence, not from rows. */
#include "check_scene.h"

#include <stdlib.h>

static struct at_positions run(uint64_t first, uint64_t step, uint32_t n)
{
    return (struct at_positions){.run = {{first, step, n}, {0, 1, 0}}};
}

static void try(struct rng *r, struct at_positions q, struct at_positions k, const char *lesson)
{
    struct at_problem p =
        problem_of(q.run[0].count + q.run[1].count, k.run[0].count + k.run[1].count, between(r, 1, 9));
    p.causal = true;
    p.q = q;
    p.k = k;
    forward_check(forward_scene(&p, 0, false, r, 1), lesson);
}

CHECK(causal, sees_itself)
{
    struct rng r = random_of_test(20);
    for (uint32_t round = 0; round < (check_large() ? 8 : 4); round++) {
        const uint32_t n = between(&r, 1, 200);
        try(&r, run(0, 1, n), run(0, 1, n), "Token i sees tokens 0 to i, itself included, and none after it.");
    }
}

CHECK(causal, global_positions)
{
    struct rng r = random_of_test(21);
    const char *by_position = "Which keys a row sees follows from at_position(&problem->q, i) and "
                              "at_position(&problem->k, j): rows of a shard stand anywhere in the sequence.";
    for (uint32_t round = 0; round < (check_large() ? 6 : 3); round++) {
        const uint32_t n = between(&r, 20, 120), at = between(&r, 100, 5000);
        try(&r, run(at + 5, 1, n), run(at, 1, n), by_position);
        try(&r, run(at, 1, n), run(0, 1, between(&r, 1, 90)), by_position); /* sees all */
        try(&r, run(1, 3, n), run(2, 3, n), by_position);                   /* striped, its neighbour's keys */
        try(&r, run(5, 7, n), run(0, 7, n), by_position);                   /* and another's */
        try(&r, run((1ull << 32) - n / 2, 1, n), run((1ull << 32) - n / 2 - 3, 1, n), by_position);
        try(&r, run((1ull << 60) + 7, 1, n), run(1ull << 60, 1, n), by_position);
        const uint32_t early = between(&r, 5, 30), late = between(&r, 5, 30);
        const struct at_positions zigzag = {.run = {{40, 1, early}, {400, 1, late}}};
        const struct at_positions other = {.run = {{0, 1, late}, {410, 1, early}}};
        try(&r, zigzag, zigzag, by_position);
        try(&r, zigzag, other, by_position);
        try(&r, other, zigzag, by_position);
    }
}

CHECK(causal, sees_nothing)
{
    struct rng r = random_of_test(22);
    const char *nothing = "A row that sees no key has output 0 and log-sum-exp -inf; nothing was summed, so nothing "
                          "can be divided by.";
    for (uint32_t round = 0; round < (check_large() ? 6 : 3); round++) {
        const uint32_t n = between(&r, 3, 150);
        try(&r, run(0, 1, n), run(n, 1, n), nothing);     /* all keys are later */
        try(&r, run(0, 1, n), run(n / 2, 1, n), nothing); /* half of the rows see some */
        try(&r, run(0, 1, n), run(between(&r, 1, n), 2, n), nothing);
    }
}
