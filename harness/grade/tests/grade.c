/* grade.c: lab.json, submissions, results and their formats. */
#include "tiny.h"

#include "base/process.h"
#include "grade/schema.h"
#include "host/sandbox.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(lab, .timeout = 60);
TestSuite(submission, .timeout = 60);
TestSuite(result, .timeout = 60);
TestSuite(format, .timeout = 60);

/* ---- lab.json ---- */

Test(lab, is_read_as_written)
{
    make_root();
    struct lab *lab = load_good();
    cr_assert(lab_points(lab) == 9 && lab_public_points(lab) == 7, "%u points, %u public", lab_points(lab),
              lab_public_points(lab));
    cr_assert(lab->public_seeds == 2 && lab->public_seed[1] == 2 && lab->hidden_seeds == 1, "seeds");
    cr_assert(lab->replays == 2 && strcmp(lab->replay[0].argument, "N/T") == 0 &&
                  strcmp(lab->replay[1].name, "burst") == 0 && strcmp(lab->replay[1].what, "most") == 0,
              "options of its replay");
    cr_assert(lab->limits.memory_bytes == 64u << 20 && lab->limits.wall_ms == 2000, "limits");
    cr_assert(lab_find_test(lab, "two") && lab_find_test(lab, "first/one-test") && !lab_find_test(lab, "other/two") &&
                  !lab_find_test(lab, "three"),
              "tests");
    lab_destroy(lab);
    struct error err;
    struct lab **all = lab_list(root, &err);
    cr_assert(all && all[0] && !all[1], "one lab is listed");
    lab_list_destroy(all);
}

Test(lab, errors_name_the_field)
{
    static const char *const cases[][3] = {
        {"\"points\": 3", "\"points\": -3", "tasks[0].tests[0].points: must be an integer from 0 to 1000"},
        {"\"points\": 3", "\"points\": \"3\"", "tasks[0].tests[0].points"},
        {"\"points\": 3", "\"ponits\": 3",
         "tasks[0].tests[0].ponits: is no field of this object; was \"points\" meant?"},
        {"\"points\": 3, ", "", "tasks[0].tests[0].points: is missing"},
        {"\"id\": \"first\"", "\"id\": \"First Task\"", "tasks[0].id"},
        {"[\"1\", \"2\", \"3\"]", "[\"1\"]", "tasks[0].hints: must be a list of 3"},
        {"[\"mine.c\"]", "[\"../mine.c\"]", "hand_in[0]"},
        {"[\"a\", \"b\", \"c\"]", "[\"a\", \"b\", 3]", "incident[2]"},
        {"\"memory_mib\": 64", "\"memory_mib\": 1", "limits.memory_mib"},
        {"\"caught_by\": \"first/two\"", "\"caught_by\": \"first/three\"",
         "mistakes[0].caught_by: there is no test first/three"},
        {"\"id\": \"two\"", "\"id\": \"one-test\"", "tasks[0].tests[1].id: one-test stands there twice"},
        {"\"name\": \"tiny\"", "\"name\": \"huge\"", "id, name"},
        {"\"argument\": \"N/T\", ", "", "replay[0].argument: is missing"},
        {"\"argument\": \"N/T\"", "\"argument\": \"\"", "replay[0].argument: must be a text"},
        {"\"argument\": \"N/T\"", "\"arguments\": \"N/T\"",
         "replay[0].arguments: is no field of this object; was \"argument\" meant?"},
        {"\"name\": \"limit\"", "\"name\": \"--limit\"", "replay[0].name: \"--limit\" is no name"},
        {"\"name\": \"limit\"", "\"name\": \"entries\"", "replay[0].name: every replay has --entries already"},
        {"\"name\": \"limit\"", "\"name\": \"burst\"", "replay[1].name: burst stands there twice"},
        {"[\"sums\", \"signs\"]", "[\"sums\", \"sign\"]",
         "tasks[0].tests[1].rules[1]: there is no rule sign; was signs meant?"},
        {"[\"sums\", \"signs\"]", "[\"sums\", \"sums\"]", "tasks[0].tests[1].rules[1]: sums stands there twice"},
        {"[\"sums\", \"signs\"]", "\"sums\"", "tasks[0].tests[1].rules: must be a list of 1 to 30"},
        {"{\"id\": \"signs\"", "{\"id\": \"sums\"", "rules[1].id: sums stands there twice"},
        {"{\"id\": \"signs\"", "{\"id\": \"Signs\"", "rules[1].id: \"Signs\" is no name"},
        {"\"text\": \"no signs\"", "\"txet\": \"no signs\"", "rules[1].txet: is no field of this object"},
        {"\"title\": \"T <1>\",", "\"title\": \"T\" ", "lab.json:1:"},
        {"\"id\": \"99\"", "\"id\": \"99\", \"id\": \"98\"", "lab.json:1:"},
    };
    make_root();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = with(cases[i][0], cases[i][1]);
        struct lab *lab;
        struct error err = {""};
        write_text("labs/99-tiny/lab.json", text);
        cr_assert(lab_load(root, "99-tiny", &lab, &err) < 0, "taken: %s", cases[i][1]);
        cr_assert(strstr(err.text, cases[i][2]) && strstr(err.text, "lab.json"), "for %s expected \"%s\", got: %s",
                  cases[i][1], cases[i][2], err.text);
        free(text);
    }
}

Test(lab, knows_the_rules_of_its_tests)
{
    make_root();
    struct lab *lab = load_good();
    char **rules = lab_find_test(lab, "two")->rules;
    cr_assert(strcmp(rules[0], "sums") == 0 && strcmp(rules[1], "signs") == 0 && !rules[2], "of the second test");
    cr_assert(!lab_find_test(lab, "one-test")->rules[0], "the first has some");
    cr_assert(lab->rules == 2 && lab_find_rule(lab, "signs") == &lab->rule[1] && !lab_find_rule(lab, "sign"), "by id");
    lab_destroy(lab);
}

/* ---- taking files ---- */

Test(submission, takes_only_regular_files_that_are_listed)
{
    make_root();
    struct lab *lab = load_good();
    char folder[FILE_PATH], into[FILE_PATH], taken[FILE_PATH], link[FILE_PATH], *notes;
    struct error err;
    file_path(folder, "%s/sub", root);
    file_path(into, "%s/work", root);
    cr_assert(submission_take(lab, folder, into, &notes, &err) == -ENOENT, "a missing folder was taken");
    write_text("sub/other.c", "int x;");
    cr_assert(submission_take(lab, folder, into, &notes, &err) == -ENOENT && strstr(err.text, "mine.c"), "%s",
              err.text);
    write_text("sub/mine.c", "int y;");
    write_text("sub/Makefile", "all: ; rm -rf /");
    cr_assert(submission_take(lab, folder, into, &notes, &err) == 0, "%s", err.text);
    cr_assert(strstr(notes, "Makefile") && strstr(notes, "other.c"), "notes: %s", notes);
    free(notes);
    cr_assert(file_exists(file_path(taken, "%s/src/labs/99-tiny/mine.c", into)), "mine.c is not there");
    cr_assert(!file_exists(file_path(taken, "%s/src/labs/99-tiny/Makefile", into)), "the Makefile was taken");
    file_path(link, "%s/mine.c", folder);
    cr_assert(unlink(link) == 0 && symlink("/etc/hostname", link) == 0, "cannot prepare");
    cr_assert(submission_take(lab, folder, into, &notes, &err) == -EINVAL && strstr(err.text, "symbolic link"), "%s",
              err.text);
    cr_assert(unlink(link) == 0 && mkfifo(link, 0600) == 0, "cannot prepare");
    cr_assert(submission_take(lab, folder, into, &notes, &err) == -EINVAL, "a named pipe was taken");
    lab_destroy(lab);
}

/* ---- what is believed ---- */

Test(result, is_taken_from_records_that_agree)
{
    make_root();
    struct lab *lab = load_good();
    struct grade_result *r = grade_with(lab, "#!/bin/sh\n" RECORD("one_test", "true", "finished")
                                                 RECORD("two", "false", "crashed") RUNNER("true", "false"));
    cr_assert(!r->fault && r->score == 3 && r->max == 7, "score %u/%u, fault %d", r->score, r->max, r->fault);
    cr_assert(r->test[1].verdict == VERDICT_CRASHED && strcmp(r->test[1].message, "m <&> \"q\"") == 0, "%s: %s",
              verdict_name(r->test[1].verdict), r->test[1].message);
    grade_result_destroy(r);
}

Test(result, is_never_taken_from_print_or_exit_code_or_one_side_alone)
{
    static const char *const scripts[] = {
        "#!/bin/sh\necho '[====] Synthesis: Tested: 2 | Passing: 2 | Failing: 0 | Crashing: 0'; echo 'Score: 7/7'; "
        "exit 0\n",
        "#!/bin/sh\n" RECORD("one_test", "true", "finished") RECORD("two", "true", "finished"),
        "#!/bin/sh\n" RUNNER("true", "true"),
        "#!/bin/sh\n" RECORD("one_test", "true", "finished") RECORD("two", "true", "finished") RUNNER("false", "false"),
        "#!/bin/sh\n" RECORD("one_test", "false", "wrong") RECORD("two", "false", "wrong") RUNNER("true", "true"),
        "#!/bin/sh\n" RECORD("one_test", "true", "splendid") RECORD("two", "1", "finished") RUNNER("true", "true"),
        "#!/bin/sh\necho nonsense > $FAULTLINE_RESULTS/run.json; kill -9 $$\n",
    };
    make_root();
    struct lab *lab = load_good();
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct grade_result *r = grade_with(lab, scripts[i]);
        cr_assert(r->score == 0 && r->fault, "script %zu: score %u/%u, fault %d", i, r->score, r->max, r->fault);
        grade_result_destroy(r);
    }
}

/* A drawing is shown, however the test ends, but none of a run with a secret seed. */
Test(result, keeps_a_drawing_of_public_runs)
{
    static const char script[] = "#!/bin/sh\n" RECORD("one_test", "true", "finished") RECORD("two", "true", "finished")
        RUNNER("true", "true") "sed -i \"s/}/, \\\"drawing\\\": \\\"seed $FAULTLINE_SEED\\\"}/\" "
                               "$FAULTLINE_RESULTS/first.*.json\n";
    make_root();
    struct lab *lab = load_good();
    struct grade_result *r = grade_seeds(lab, script, 5, 77);
    cr_assert(!r->fault && r->tests == 3, "%u tests, fault %d", r->tests, r->fault);
    for (uint32_t i = 0; i < r->tests; i++)
        cr_assert_str_eq(r->test[i].drawing, r->test[i].hidden ? "" : "seed 5");
    grade_result_destroy(r);
}

Test(result, grading_refuses_without_the_sandbox_unless_told)
{
    make_root();
    struct lab *lab = load_good();
    setenv("FAULTLINE_SANDBOX", "no-namespaces", 1);
    write_text("sub/mine.c", "int y;");
    char folder[FILE_PATH];
    struct error err;
    struct grade_result *r;
    struct grade_options options = {.root = root, .build = root, .quiet = true};
    int code = grade_submission(lab, file_path(folder, "%s/sub", root), &options, &r, &err);
    cr_assert(code == -EPERM && strstr(err.text, "namespaces"), "%d: %s", code, err.text);
    lab_destroy(lab);
}

/* ---- formats
 * ----------------------------------------------------------------------------------------------------------------------
 */

static struct grade_result *mixed(struct lab *lab)
{
    return grade_with(lab, "#!/bin/sh\n" RECORD("one_test", "true", "finished") RECORD("two", "false", "wrong")
                               RUNNER("true", "false"));
}

/* Tags balance, and what stands between them has no raw < or &. */
static bool well_formed(const char *xml)
{
    int depth = 0;
    for (const char *p = xml; *p; p++) {
        static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#10;"};
        bool known = *p != '&';
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            known = known || strncmp(p, entities[i], strlen(entities[i])) == 0;
        if (!known)
            return false;
        if (*p != '<')
            continue;
        const char *end = strchr(p, '>');
        if (!end)
            return false;
        if (p[1] == '/')
            depth--;
        else if (p[1] != '?' && end[-1] != '/')
            depth++;
        p = end;
    }
    return depth == 0;
}

Test(format, junit_is_well_formed_and_counts)
{
    make_root();
    struct grade_result *r = mixed(load_good());
    char *xml = grade_format_junit(r);
    cr_assert(xml && well_formed(xml), "%s", xml);
    cr_assert(strstr(xml, "tests=\"2\" failures=\"1\" errors=\"0\"") && strstr(xml, "classname=\"lab-99.first\"") &&
                  strstr(xml, "m &lt;&amp;&gt; &quot;q&quot;&#10;rule sums: a + b &lt;= c&#10;rule signs: no signs<"),
              "%s", xml);
    free(xml);
}

Test(format, tap_has_a_plan_and_numbers)
{
    make_root();
    struct grade_result *r = mixed(load_good());
    char *tap = grade_format_tap(r);
    cr_assert(tap && strncmp(tap, "TAP version 14\n1..2\nok 1 - first/one-test", 41) == 0 &&
                  strstr(tap, "\nnot ok 2 - first/two") && strstr(tap, "\\\"q\\\"") &&
                  strstr(tap, "\n  rules: \"rule sums: a + b <= c\\nrule signs: no signs\"\n"),
              "%s", tap);
    free(tap);
}

Test(format, gradescope_has_what_it_needs_and_no_more_than_the_score)
{
    make_root();
    struct grade_result *r = mixed(load_good());
    char *text = grade_format_gradescope(r);
    json_t *json = json_loads(text, 0, NULL);
    json_t *tests = json_object_get(json, "tests"), *second = json_array_get(tests, 1);
    cr_assert(json_integer_value(json_object_get(json, "score")) == 3 && json_array_size(tests) == 2, "%s", text);
    cr_assert(json_integer_value(json_object_get(second, "max_score")) == 4 &&
                  strcmp(json_string_value(json_object_get(second, "status")), "failed") == 0 &&
                  strcmp(json_string_value(json_object_get(second, "visibility")), "visible") == 0,
              "%s", text);
    cr_assert(strstr(json_string_value(json_object_get(json, "output")), "3 of 7"), "%s", text);
    cr_assert(strstr(json_string_value(json_object_get(second, "output")), "q\"\nrule sums: a + b <= c\nrule signs"),
              "%s", text);
    free(text);
    r->fault = true;
    text = grade_format_gradescope(r);
    cr_assert(strstr(text, "\"score\": 0,") && strstr(text, "grader itself failed"), "%s", text);
    free(text);
}

Test(format, classroom_is_base64_of_its_json)
{
    make_root();
    struct grade_result *r = mixed(load_good());
    char *text = grade_format_classroom(r), path[FILE_PATH];
    write_text("result", text);
    const char *argv[] = {"base64", "-d", file_path(path, "%s/result", root), NULL};
    struct process p = {.argv = argv, .output_limit = 10000, .output_first = true};
    struct process_result out;
    cr_assert(process_run(&p, &out, NULL) == 0 && out.status == 0, "no base64: %s", text);
    json_t *json = json_loads(out.output, 0, NULL);
    json_int_t sum = 0;
    for (size_t i = 0; i < json_array_size(json_object_get(json, "tests")); i++)
        sum += json_integer_value(json_object_get(json_array_get(json_object_get(json, "tests"), i), "score"));
    cr_assert(json && sum == 3 && json_integer_value(json_object_get(json, "max_score")) == 7 &&
                  json_integer_value(json_object_get(json, "version")) == 1,
              "%s", out.output);
    free(text);
}

Test(format, json_hides_secret_runs_and_leaves_times_out_when_asked)
{
    make_root();
    struct grade_result *r = mixed(load_good());
    r->test[1].hidden = true;
    json_t *json = grade_result_json(r, false), *second = json_array_get(json_object_get(json, "tests"), 1);
    cr_assert(*grade_rules_text(r, &r->test[0]) == '\0' && *grade_rules_text(r, &r->test[1]) == '\0',
              "rules of a test that passed, or of a secret run, are told");
    cr_assert(json_array_size(json_object_get(second, "rules")) == 2, "which rules a test holds is no secret");
    cr_assert(!json_object_get(second, "message") && !json_object_get(second, "seed"), "a secret run is told");
    cr_assert(!json_object_get(json, "seconds") && !json_object_get(second, "seconds") &&
                  !json_object_get(json, "machine"),
              "times are there");
    json_decref(json);
    json = grade_result_json(r, true);
    cr_assert(json_object_get(json, "seconds") && json_object_get(json, "machine"), "times are not there");
    json_decref(json);
}
