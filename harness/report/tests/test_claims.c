/* test_claims.c: the main program of a lab's claims, with a lab of three claims and a plot: one claim holds, one is
 * false in any case, one holds only with its cure. claims_main ends the program on wrong use, so it runs in a child. */
#include "base/file.h"
#include "base/memory.h"
#include "report/claims.h"
#include "report/measure.h"
#include "report/tests/claims_lab.h"
#include "sim/rng.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(claims, .timeout = 60, .init = claims_make_lab, .fini = claims_remove_lab);

/* ---- the suite under test ---- */

static double its_own_x(const struct claim_run *run)
{
    return run->x;
}

/* The mean of 1000 uniform numbers; broken: of their square roots. */
static double mean_of_uniform(const struct claim_run *run)
{
    struct rng r;
    double sum = 0;
    rng_seed(&r, run->seed, 0);
    for (int i = 0; i < 1000; i++)
        sum += run->broken ? sqrt(rng_double(&r)) : rng_double(&r);
    return sum / 1000;
}

static double always_two(const struct claim_run *run)
{
    (void)run;
    return 2;
}

/* Erratic when broken: a spread of its own would excuse it. */
static double erratic(const struct claim_run *run)
{
    return !run->broken ? 1 : run->seed % 2 ? 0 : -50;
}

static double not_a_number(const struct claim_run *run)
{
    return run->broken ? (double)NAN : (double)INFINITY;
}

static double index_as_x(uint32_t i)
{
    return i;
}

static double noisy(const struct claim_run *run)
{
    return run->x + mean_of_uniform(run);
}

static const double xs[] = {0, 1, 2};

static const struct claim_series series[] = {
    {.name = "a, theory", .line = true, .points = 3, .x = index_as_x, .y = noisy},
    {.name = "a, measured", .points = 3, .at = xs, .y = noisy},
    {.name = NULL}};
static const struct claim_plot plot = {"line", "Line", "Read it.", "i", "", "y", "s", false, false, 4, series};

static const struct claim all[] = {
    {.id = "mean-half",
     .statement = "The mean is a half.",
     .formula = "1/2",
     .source = "simulated",
     .broken = "square roots",
     .seeds = 8,
     .of = {.x = 0.5},
     .predict = its_own_x,
     .measure = mean_of_uniform},
    {.id = "two-is-one",
     .statement = "Two is one.",
     .formula = "1",
     .source = "counted",
     .broken = "the same",
     .seeds = 1,
     .predicted = 1,
     .measure = always_two,
     .slack = 0.5,
     .slack_why = "generosity"},
    {.id = "at-least-one",
     .statement = "At least one.",
     .formula = "1",
     .source = "counted",
     .broken = "erratic",
     .relation = CLAIM_AT_LEAST,
     .seeds = 6,
     .predicted = 1,
     .measure = erratic},
};

static const struct claim_suite tiny = {"99-tiny", all, 3, &plot, 1};

/* ---- what it found ---- */

static const json_t *claim(const json_t *o, const char *id)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(o, "claims"), i,
                       c) if (strcmp(json_string_value(json_object_get(c, "id")), id) == 0) return c;
    return NULL;
}

static bool holds(const json_t *o, const char *id)
{
    cr_assert(claim(o, id), "there is no claim %s in the result", id);
    return json_is_true(json_object_get(claim(o, id), "holds"));
}

static double figure(const json_t *o, const char *id, const char *field)
{
    return json_number_value(json_object_get(claim(o, id), field));
}

/* The result as text without its time. */
static char *timeless(const char *name)
{
    json_t *o = claims_result(name);
    json_object_del(o, "seconds");
    char *text = json_dumps(o, JSON_SORT_KEYS);
    json_decref(o);
    return text;
}

/* ---- tests ---- */

Test(claims, a_true_one_holds_and_a_false_one_does_not)
{
    char out[FILE_PATH];
    int code = RUN(&tiny, "2", "--out", claims_path(out, "r.json"));
    cr_assert(code == 1, "one claim is false: expected exit code 1, got %d", code);
    json_t *o = claims_result("r.json");
    cr_assert(holds(o, "mean-half") && !holds(o, "two-is-one") && holds(o, "at-least-one"),
              "expected true, false, true");
    cr_assert(figure(o, "two-is-one", "tolerance") == 0.5, "expected the slack alone, 0.5, got %g",
              figure(o, "two-is-one", "tolerance"));
    double tolerance = figure(o, "mean-half", "tolerance"), expected = measure_quantile(8) * sqrt(1.0 / 12 / 1000 / 8);
    cr_assert(tolerance > 0.3 * expected && tolerance < 3 * expected, "expected a tolerance near %g, got %g", expected,
              tolerance);
    cr_assert(fabs(figure(o, "mean-half", "high") - figure(o, "mean-half", "measured") - tolerance) < 1e-9,
              "the interval is not the tolerance");
    const json_t *points = json_array_get(json_object_get(json_array_get(json_object_get(o, "plots"), 0), "series"), 1);
    cr_assert(json_array_size(json_object_get(points, "high")) == 3, "the plot has not 3 points with intervals");
    cr_assert(strcmp(json_string_value(json_array_get(json_object_get(o, "incident"), 2)), "Three.") == 0,
              "no incident");
    json_decref(o);
}

Test(claims, broken_turns_them_false)
{
    char out[FILE_PATH];
    int code = RUN(&tiny, "2", "--out", claims_path(out, "r.json"), "--broken");
    cr_assert(code == 0, "every claim is false without its cure: expected exit code 0, got %d", code);
    json_t *o = claims_result("r.json");
    cr_assert(!holds(o, "mean-half") && !holds(o, "two-is-one") && !holds(o, "at-least-one"), "one still holds");
    cr_assert(figure(o, "at-least-one", "tolerance") < 1e-6, "judged with the broken run's own tolerance, %g",
              figure(o, "at-least-one", "tolerance"));
    cr_assert(json_array_size(json_object_get(o, "plots")) == 0, "plots were measured");
    json_decref(o);
    struct claim same = all[0];
    same.measure = always_two;
    same.predict = NULL;
    same.predicted = 1;
    same.slack = 1;
    code = RUN((&(struct claim_suite){"99-tiny", &same, 1, NULL, 0}), "1", "--broken");
    cr_assert(code == 1, "a claim that cannot fail: expected exit code 1, got %d", code);
}

/* ---- what functions are told ---- */

static double what_it_is_told(const struct claim_run *run)
{
    return (strcmp(run->entry, "cure") == 0 ? 1000 : 2000) + 10 * run->x + run->n;
}

Test(claims, broken_is_told_the_other_subject_and_the_rest_of_the_first)
{
    char out[FILE_PATH];
    const struct claim about = {.id = "about",
                                .source = "counted",
                                .seeds = 1,
                                .of = {.entry = "cure", .x = 5, .n = 3},
                                .instead = {.entry = "failing"},
                                .predict = what_it_is_told,
                                .measure = what_it_is_told};
    const struct claim_suite suite = {"99-tiny", &about, 1, NULL, 0};
    RUN(&suite, "1", "--out", claims_path(out, "r.json"));
    json_t *o = claims_result("r.json");
    cr_assert(figure(o, "about", "predicted") == 1053 && figure(o, "about", "measured") == 1053, "measured %g",
              figure(o, "about", "measured"));
    json_decref(o);
    RUN(&suite, "1", "--broken", "--out", claims_path(out, "r.json"));
    o = claims_result("r.json");
    cr_assert(figure(o, "about", "predicted") == 1053 && figure(o, "about", "measured") == 2053, "broken: measured %g",
              figure(o, "about", "measured"));
    json_decref(o);
}

static struct claim_here told;

static void tells(const struct claim_run *run, struct claim_here *here)
{
    (void)run;
    *here = told;
}

Test(claims, about_this_machine_the_whole_interval_decides)
{
    static const struct {
        struct claim_here told;
        int verdict; /* 1 holds, 0 is false, -1 cannot be told */
        const char *why;
    } cases[] = {{{.value = 0.5, .low = 0.4, .high = 0.6}, 1, NULL},
                 {{.value = 2, .low = 1.5, .high = 2.5}, 0, NULL},
                 {{.value = 1, .low = 0.5, .high = 1.5}, -1, "reaches"},
                 {{.value = NAN, .why = "busy"}, -1, "busy"},
                 {{.value = NAN}, -1, "not measured"},
                 {{.value = 0.5, .low = -INFINITY, .high = INFINITY}, -1, "not known"},
                 {{.value = 0.5, .low = NAN, .high = 0.6}, -1, "not known"},
                 {{.value = INFINITY, .low = INFINITY, .high = INFINITY}, 0, NULL}};
    const struct claim at_most = {.id = "at-most-one",
                                  .statement = "At most one.",
                                  .formula = "1",
                                  .unit = "",
                                  .source = "measured",
                                  .broken = "the same",
                                  .relation = CLAIM_AT_MOST,
                                  .seeds = 1,
                                  .predicted = 1,
                                  .measure_here = tells};
    char out[FILE_PATH];
    for (size_t i = 0; i < COUNT(cases); i++) {
        told = cases[i].told;
        int code =
            RUN((&(struct claim_suite){"99-tiny", &at_most, 1, NULL, 0}), "1", "--out", claims_path(out, "h.json"));
        cr_assert_eq(code, cases[i].verdict == 0, "case %zu: exit code %d", i, code);
        json_t *o = claims_result("h.json");
        const json_t *verdict = json_object_get(claim(o, "at-most-one"), "holds");
        const char *why = json_string_value(json_object_get(claim(o, "at-most-one"), "reason"));
        cr_assert_eq(json_is_null(verdict) ? -1 : json_is_true(verdict), cases[i].verdict, "case %zu", i);
        cr_assert(!cases[i].why || (why && strstr(why, cases[i].why)), "case %zu: %s", i, why ? why : "no reason");
        json_decref(o);
    }
}

Test(claims, only_takes_some_and_changes_no_figure)
{
    char a[FILE_PATH], b[FILE_PATH];
    RUN(&tiny, "2", "--out", claims_path(a, "a.json"));
    int code = RUN(&tiny, "1", "--out", claims_path(b, "b.json"), "--only=at-least-one,mean-half");
    cr_assert(code == 0, "both hold: expected exit code 0, got %d", code);
    json_t *o = claims_result("a.json"), *p = claims_result("b.json");
    cr_assert(json_array_size(json_object_get(p, "claims")) == 2 && json_array_size(json_object_get(p, "plots")) == 0,
              "not two claims and no plot");
    cr_assert(json_equal(claim(o, "mean-half"), claim(p, "mean-half")),
              "a claim's figures depend on what else was measured");
    json_decref(o), json_decref(p);
    code = RUN(&tiny, "1", "--only", "mean-half", "--only", "at-least-one");
    cr_assert(code == 0, "--only twice: expected exit code 0, got %d", code);
}

Test(claims, threads_change_nothing_and_seeds_do)
{
    char a[FILE_PATH], b[FILE_PATH], c[FILE_PATH];
    RUN(&tiny, "1", "--out", claims_path(a, "a.json"));
    RUN(&tiny, "2", "--out", claims_path(b, "b.json"));
    RUN(&tiny, "2", "--out", claims_path(c, "c.json"), "--seed", "2");
    char *one_thread = timeless("a.json"), *two_threads = timeless("b.json"), *other_seed = timeless("c.json");
    cr_assert(strcmp(one_thread, two_threads) == 0, "one and two threads:\n%s\n%s", one_thread, two_threads);
    cr_assert(strcmp(one_thread, other_seed) != 0, "another seed gave the same figures");
    free(one_thread), free(two_threads), free(other_seed);
}

Test(claims, wrong_use_is_2_and_names_the_nearest)
{
    static const char *const cases[][3] = {{"--brokn", NULL, "--broken"},
                                           {"--only", "mean-hlf", "mean-half"},
                                           {"--seed", "x", "number"},
                                           {"--out", NULL, "needs a value"},
                                           {"word", NULL, "one word too many"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        int code = claims_run(&tiny, "1",
                              cases[i][1] ? (const char *const[]){cases[i][0], cases[i][1], NULL}
                                          : (const char *const[]){cases[i][0], NULL});
        char *said = claims_said();
        cr_assert(code == 2, "%s: expected exit code 2, got %d", cases[i][0], code);
        cr_assert(strstr(said, cases[i][2]), "%s: expected \"%s\" in: %s", cases[i][0], cases[i][2], said);
        free(said);
    }
    setenv("FAULTLINE_ROOT", "/nonexistent", 1);
    int code = RUN(&tiny, "1", "--only", "mean-half");
    cr_assert(code == 2, "no lab.json: expected exit code 2, got %d", code);
}

Test(claims, what_is_no_number_never_holds)
{
    struct claim odd = all[1];
    odd.measure = not_a_number;
    char out[FILE_PATH];
    const struct claim_suite suite = {"99-tiny", &odd, 1, NULL, 0};
    for (int relation = CLAIM_EQUALS; relation <= CLAIM_AT_MOST; relation++)
        for (int broken = 0; broken < 2; broken++) {
            odd.relation = (enum claim_relation)relation;
            int code = broken ? RUN(&suite, "1", "--out", claims_path(out, "r.json"), "--broken")
                              : RUN(&suite, "1", "--out", claims_path(out, "r.json"));
            cr_assert(code == !broken, "relation %d, broken %d: expected exit code %d, got %d", relation, broken,
                      !broken, code);
            json_t *o = claims_result("r.json");
            cr_assert(json_is_null(json_object_get(claim(o, "two-is-one"), "measured")), "measured is not null");
            json_decref(o);
        }
}

Test(claims, prints_a_table_without_out)
{
    int code = RUN(&tiny, "1", "--only", "mean-half");
    char *said = claims_said();
    cr_assert(code == 0 && strstr(said, "+ holds  mean-half") && strstr(said, "1 of 1 claim holds"), "code %d:\n%s",
              code, said);
    free(said);
}

/* Student's t, P(|T| > t) = 6.33e-5: 1 degree of freedom is 1/tan(pi p / 2), 2 are sqrt(2 (1-p)^2 / (1 - (1-p)^2)),
 * many are normal. */
Test(claims, quantile_is_students)
{
    double p = erfc(CLAIMS_ERRORS / M_SQRT2);
    const struct {
        uint32_t n;
        double expected;
    } cases[] = {{2, 1 / tan(M_PI_2 * p)}, {3, sqrt(2 * (1 - p) * (1 - p) / (1 - (1 - p) * (1 - p)))}, {1000001, 4}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        double got = measure_quantile(cases[i].n);
        cr_assert(fabs(got / cases[i].expected - 1) < 1e-4, "n %u: expected %.6g, got %.6g", cases[i].n,
                  cases[i].expected, got);
    }
}

/* The mean of n normal numbers lies within its error as often as promised, for few and for many. Here with the chance
 * of 6e-5 a million times would be needed; so the test scales the error down to where 5 % lie outside and compares with
 * Student's law at n = 3, for which that is 4.303. */
Test(claims, error_of_a_mean_is_the_standard_error)
{
    struct rng r;
    int outside = 0, trials = 20000;
    rng_seed(&r, 5, 0);
    for (int t = 0; t < trials; t++) {
        double value[3];
        for (int i = 0; i < 3; i++)
            value[i] = sqrt(-2 * log(rng_open(&r))) * cos(2 * M_PI * rng_double(&r));
        struct measure_mean m = measure_mean(value, 3);
        outside += fabs(m.mean) > m.error / measure_quantile(3) * 4.3027;
    }
    cr_assert(abs(outside - trials / 20) < 150, "expected about %d of %d outside, got %d", trials / 20, trials,
              outside);
}
