/* Tests of task 1, smooth weighted round robin: what follows from the rule in README.md, checked on the picks that were
 * made. */
#include "check_script.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t weights_sum(const uint32_t *weight, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += weight[i];
    return sum;
}

/* ---- smooth weighted round robin ---- */

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
        for (uint32_t i = 0; i < n; i++) { /* all are drained, one by one: then there is none to pick */
            if (member[i])
                steps_weight(steps, i, 0);
            steps_pick(steps);
        }
        struct lb_config config = config_for(n);
        check_property("smooth-weighted", &config, steps, follows_changes);
        free(steps);
    }
}
