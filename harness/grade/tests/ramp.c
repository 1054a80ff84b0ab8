/* Tests with a ramp: what share of the points a figure gets, what is believed, and how each format tells of it. */
#include "tiny.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(ramp, .timeout = 60);

#define RAMP ", \"ramp\": {\"full\": 2, \"none\": 8}"

static struct lab *load_ramped(const char *more)
{
    char new[200], *text;
    snprintf(new, sizeof new, "\"hidden_points\": 0%s}", more);
    text = with("\"hidden_points\": 0}", new);
    struct lab *lab = load_text(text);
    free(text);
    return lab;
}

/* "first/two" leaves a figure; $M in it is the shell's. */
#define MEASURED(figure)                                                                                               \
    "#!/bin/sh\n" RECORD("one_test", "true", "finished")                                                               \
        RUNNER("true", "true") "M=" figure "\necho \"{\\\"task\\\": \\\"first\\\", \\\"test\\\": \\\"two\\\", "        \
                               "\\\"passed\\\": true, \\\"verdict\\\": \\\"finished\\\", \\\"measured\\\": $M, "       \
                               "\\\"message\\\": \\\"it <took> $M\\\"}\" > $FAULTLINE_RESULTS/first.two.json\n"

/* ---- arithmetic ---- */

Test(ramp, gives_all_some_or_none)
{
    const struct lab_ramp less = {2, 8}, more = {8, 2};
    const struct {
        double figure, less, more;
    } cases[] = {{0.001, 1, 0}, {1.99, 1, 0}, {2, 1, 0}, {4, 0.5, 0.5}, {8, 0, 1}, {8.01, 0, 1}, {1e9, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double a = lab_share(&less, cases[i].figure), b = lab_share(&more, cases[i].figure);
        cr_assert(a > cases[i].less - 1e-12 && a < cases[i].less + 1e-12, "less: %g gets %.17g", cases[i].figure, a);
        cr_assert(b > cases[i].more - 1e-12 && b < cases[i].more + 1e-12, "more: %g gets %.17g", cases[i].figure, b);
        cr_assert((a >= 1) == (cases[i].less >= 1) && (b >= 1) == (cases[i].more >= 1), "%g", cases[i].figure);
    }
    for (double x = 2; x < 8; x += 0.01)
        cr_assert(lab_share(&less, x) >= lab_share(&less, x + 0.01), "the share grows after %g", x);
}

Test(ramp, rounds_points_down)
{
    cr_assert(lab_share_points(1, 5) == 5 && lab_share_points(0, 5) == 0 && lab_share_points(0.5, 5) == 2 &&
                  lab_share_points(0.999, 5) == 4 && lab_share_points(0.6, 5) == 3 && lab_share_points(0.2, 5) == 1,
              "shares of 5 points");
    const struct lab_ramp r = {2, 8};
    cr_assert(lab_share_points(lab_share(&r, 4), 4) == 2, "half of 4 points");
}

/* ---- lab.json ---- */

Test(ramp, is_checked_when_it_is_read)
{
    static const char *const cases[][2] = {
        {", \"ramp\": {\"full\": 2}", "tasks[0].tests[1].ramp.none: is missing"},
        {", \"ramp\": {\"full\": 2, \"none\": 2}", "tasks[0].tests[1].ramp: full and none must differ"},
        {", \"ramp\": {\"full\": 0, \"none\": 2}", "tasks[0].tests[1].ramp.full: must be a number above 0"},
        {", \"ramp\": {\"full\": -1.5, \"none\": 2}", "tasks[0].tests[1].ramp.full: must be a number above 0"},
        {", \"ramp\": {\"full\": \"2\", \"none\": 8}", "tasks[0].tests[1].ramp.full: must be a number above 0"},
        {", \"ramp\": 2", "tasks[0].tests[1].ramp: must be an object"},
        {", \"ramp\": {\"ful\": 2, \"none\": 8}", "tasks[0].tests[1].ramp.ful: is no field of this object"},
        {", \"needs\": \"luck\"", "tasks[0].tests[1].needs: must be \"reference\""},
    };
    make_root();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char new[200], *text;
        struct lab *lab;
        struct error err = {""};
        snprintf(new, sizeof new, "\"hidden_points\": 0%s}", cases[i][0]);
        text = with("\"hidden_points\": 0}", new);
        write_text("labs/99-tiny/lab.json", text);
        cr_assert(lab_load(root, "99-tiny", &lab, &err) == -EINVAL && strstr(err.text, cases[i][1]),
                  "for %s expected \"%s\", got: %s", cases[i][0], cases[i][1], err.text);
        free(text);
    }
    struct lab *lab = load_ramped(RAMP);
    const struct lab_test *two = lab_find_test(lab, "two"), *one = lab_find_test(lab, "one-test");
    cr_assert(two->ramp.full == 2 && two->ramp.none == 8 && one->ramp.full == 0 && !two->needs, "the ramp as read");
}

/* ---- the result ---- */

Test(ramp, gives_points_by_the_figure)
{
    make_root();
    struct lab *lab = load_ramped(RAMP);
    static const struct {
        const char *script;
        uint32_t score;
        bool passed;
    } cases[] = {{MEASURED("1.5"), 4, true}, {MEASURED("2"), 4, true},  {MEASURED("2.01"), 3, false},
                 {MEASURED("4"), 2, false},  {MEASURED("8"), 0, false}, {MEASURED("900"), 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct grade_result *r = grade_with(lab, cases[i].script);
        const struct grade_test *t = &r->test[1];
        cr_assert(!r->fault && t->score == cases[i].score && r->score == 3 + cases[i].score &&
                      t->passed == cases[i].passed && t->verdict == (cases[i].passed ? VERDICT_FINISHED : VERDICT_COST),
                  "case %zu: %u points, %s: %s", i, t->score, verdict_name(t->verdict), t->message);
        cr_assert(cases[i].passed || strncmp(t->message, "it <took> ", 10) == 0, "%s", t->message);
        grade_result_destroy(r);
    }
}

Test(ramp, takes_the_worst_of_the_seeds)
{
    make_root();
    struct lab *lab = load_ramped(RAMP);
    struct grade_result *r = grade_seeds(lab, MEASURED("$((5 - FAULTLINE_SEED))"), 0, 0);
    const struct grade_test *t = &r->test[1];
    cr_assert(t->measured == 4 && t->score == 2 && t->seed == 1 && strstr(t->message, "it <took> 4") && t->runs == 2,
              "%g: %s", t->measured, t->message);
    grade_result_destroy(r);
    r = grade_seeds(lab, MEASURED("$((2 * FAULTLINE_SEED))"), 0, 0);
    t = &r->test[1];
    cr_assert(t->measured == 4 && t->score == 2 && t->seed == 2 && t->passed_runs == 1 && !t->passed, "%g: %s",
              t->measured, t->message);
    grade_result_destroy(r);
    /* One run that fails takes all points, in whichever order they come, and is what is told. */
    static const char *const failing[] = {"1", "2"};
    for (size_t i = 0; i < 2; i++) {
        char script[3000];
        snprintf(script, sizeof script, "%s[ $FAULTLINE_SEED = %s ] && { %s%s }\n", MEASURED("3"), failing[i],
                 RECORD("two", "false", "wrong"), RUNNER("true", "false"));
        r = grade_seeds(lab, script, 0, 0);
        t = &r->test[1];
        cr_assert(!r->fault && t->score == 0 && t->verdict == VERDICT_WRONG && t->message[0] == 'm', "%zu: %u, %s: %s",
                  i, t->score, verdict_name(t->verdict), t->message);
        grade_result_destroy(r);
    }
}

Test(ramp, and_figure_must_both_be_there)
{
    make_root();
    const char *plain =
        "#!/bin/sh\n" RECORD("one_test", "true", "finished") RECORD("two", "true", "finished") RUNNER("true", "true");
    struct lab *lab = load_ramped(RAMP);
    struct grade_result *r = grade_with(lab, plain);
    cr_assert(r->fault && r->score == 3 && r->test[1].verdict == VERDICT_GRADER_FAULT &&
                  strstr(r->test[1].message, "no figure"),
              "%u: %s", r->score, r->test[1].message);
    static const char *const odd[] = {MEASURED("0"), MEASURED("-3"), MEASURED("null"), MEASURED("true")};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        r = grade_with(lab, odd[i]);
        cr_assert(r->fault && r->score == 3, "figure %zu was taken: %u points", i, r->score);
    }
    r = grade_with(load_good(), MEASURED("2"));
    cr_assert(r->fault && strstr(r->test[1].message, "no ramp"), "%s", r->test[1].message);
}

Test(ramp, is_told_to_the_check_program)
{
    make_root();
    struct lab *lab = load_ramped(RAMP);
    struct grade_result *r =
        grade_with(lab, MEASURED("$([ \"$FAULTLINE_RAMPS\" = ' first/two=8' ] && [ -z \"$FAULTLINE_REFERENCE\" ] && "
                                 "echo 2 || echo 9)"));
    cr_assert(r->score == 7, "it was not told: %u", r->score);
}

/* ---- what needs the reference ---- */

Test(ramp, test_that_needs_the_reference_is_left_out_without)
{
    make_root();
    struct lab *lab = load_ramped(RAMP ", \"needs\": \"reference\"");
    struct grade_result *r = grade_with(lab, MEASURED("1"));
    cr_assert(!r->fault && r->tests == 1 && r->score == 3 && r->max == 3 && strstr(r->notes, "two is left out") &&
                  strstr(r->notes, "4 points"),
              "%u/%u: %s", r->score, r->max, r->notes);
    write_text("build/labs/99-tiny/reference.so", "x");
    r = grade_with(lab, MEASURED("$([ -e \"$FAULTLINE_REFERENCE\" ] && echo 1 || echo 9)"));
    cr_assert(r->tests == 2 && r->score == 7 && r->max == 7 && !*r->notes, "%u/%u: %s", r->score, r->max, r->notes);
}

Test(ramp, grading_refuses_without_the_reference)
{
    make_root();
    struct lab *lab = load_ramped(RAMP ", \"needs\": \"reference\"");
    char folder[FILE_PATH], build[FILE_PATH];
    struct error err;
    struct grade_result *r;
    write_text("sub/mine.c", "int y;");
    struct grade_options options = {
        .root = root, .build = file_path(build, "%s/build", root), .quiet = true, .allow_unsafe = true};
    int code = grade_submission(lab, file_path(folder, "%s/sub", root), &options, &r, &err);
    cr_assert(code == -ENOENT && strstr(err.text, "reference.so") && strstr(err.text, "no grade without it"), "%d: %s",
              code, err.text);
}

/* ---- formats ---- */

static struct grade_result *partly(void)
{
    make_root();
    return grade_with(load_ramped(RAMP), MEASURED("4"));
}

Test(ramp, in_junit_is_a_failure_that_says_its_points)
{
    char *xml = grade_format_junit(partly());
    cr_assert(
        strstr(xml, "tests=\"2\" failures=\"1\" errors=\"0\"") &&
            strstr(
                xml,
                "<failure type=\"too-costly\" message=\"too costly, 2 of 4 points\">it &lt;took&gt; 4&#10;rule sums:"),
        "%s", xml);
    free(xml);
}

Test(ramp, in_tap_is_not_ok_with_score_and_figure)
{
    char *tap = grade_format_tap(partly());
    cr_assert(strstr(tap, "not ok 2 - first/two (public)\n  ---\n  verdict: too-costly\n  score: 2\n  max: 4\n  "
                          "measured: 4\n") &&
                  strstr(tap, "# Score: 5/7"),
              "%s", tap);
    free(tap);
}

Test(ramp, in_gradescope_has_a_score_below_the_most)
{
    char *text = grade_format_gradescope(partly());
    json_t *json = json_loads(text, 0, NULL), *two = json_array_get(json_object_get(json, "tests"), 1);
    cr_assert(
        json_integer_value(json_object_get(json, "score")) == 5 &&
            json_integer_value(json_object_get(two, "score")) == 2 &&
            json_integer_value(json_object_get(two, "max_score")) == 4 &&
            strcmp(json_string_value(json_object_get(two, "status")), "failed") == 0 &&
            strstr(json_string_value(json_object_get(two, "output")), "full points at 2 or less, none at 8 or more"),
        "%s", text);
    free(text);
}

Test(ramp, in_json_has_figure_and_bounds_of_public_runs)
{
    struct grade_result *r = partly();
    json_t *json = grade_result_json(r, false), *two = json_array_get(json_object_get(json, "tests"), 1);
    cr_assert(json_number_value(json_object_get(two, "measured")) == 4 &&
                  json_number_value(json_object_get(two, "full_at")) == 2 &&
                  json_number_value(json_object_get(two, "none_at")) == 8 &&
                  json_integer_value(json_object_get(two, "score")) == 2 &&
                  json_is_false(json_object_get(two, "passed")) &&
                  !json_object_get(json_array_get(json_object_get(json, "tests"), 0), "measured"),
              "the figure in JSON");
    json_decref(json);
    r->test[1].hidden = true;
    json = grade_result_json(r, false);
    cr_assert(!json_object_get(json_array_get(json_object_get(json, "tests"), 1), "measured"), "a secret run is told");
    json_decref(json);
}
