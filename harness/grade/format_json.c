/* Formats that are JSON: Gradescope's results.json, and the result that a GitHub Classroom grader hands to its
 * reporter.
 *
 * Both services show hidden tests in their own way. Gradescope withholds the total while any test is hidden, so the
 * public subtotal stands in the text. Classroom's table counts passed tests and its notice adds points; a test with
 * some of its points is one that failed in the table, and adds what it has. Sources:
 * gradescope-autograders.readthedocs.io; github.com/classroom-resources/autograding-grading-reporter. */
#include "base/version.h"
#include "grade/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A failure's text; with the ramp, where some of the points were had by one, and the rules of a public test. To free. */
static char *told(const struct grade_result *r, const struct grade_test *t)
{
    char ramp[GRADE_RAMP_TEXT], *text = NULL, *rules = grade_rules_text(r, t);
    bool measured = t->measured > 0 && t->verdict == VERDICT_COST && !t->hidden;
    if (asprintf(&text, "%s%s%s%s%s", t->hidden ? verdict_name(t->verdict) : t->message, measured ? "\n" : "",
                 measured ? grade_ramp_text(&t->test->ramp, ramp, sizeof ramp) : "", *rules ? "\n" : "", rules) < 0)
        text = NULL;
    free(rules);
    return text;
}

static json_t *gradescope_test(const struct grade_result *r, const struct grade_test *t, uint32_t number)
{
    char name[200], place[20];
    snprintf(name, sizeof name, "%.80s: %.80s%s", t->test->task->id, t->test->id, t->hidden ? " (secret seeds)" : "");
    snprintf(place, sizeof place, "%u", number);
    char *failure = t->passed ? NULL : told(r, t);
    const char *text = t->passed ? t->test->what : failure ? failure : "";
    json_t *json =
        json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s}", "number", place, "name", name, "score", (int)t->score,
                  "max_score", (int)t->max, "status", t->passed ? "passed" : "failed", "output", text, "output_format",
                  "text", "visibility", t->hidden ? "after_published" : "visible");
    free(failure);
    return json;
}

char *grade_format_gradescope(const struct grade_result *r)
{
    json_t *tests = json_array();
    for (uint32_t i = 0; i < r->tests; i++)
        json_array_append_new(tests, gradescope_test(r, &r->test[i], i + 1));
    char *output = NULL;
    if (asprintf(&output, "Public tests: %u of %u points.%s%s%s%s%s", r->public_score, r->public_max,
                 *r->notes ? "\n" : "", r->notes, r->built ? "" : "\n", r->built ? "" : r->build_output,
                 r->unsafe ? "\nUNSAFE: graded without the whole sandbox, as the instructor allowed." : "") < 0)
        output = NULL;
    if (r->fault) {
        free(output);
        output =
            strdup("The grader itself failed: this is no verdict about the submission. Please tell the instructor.");
    }
    json_t *json = json_pack("{s:i, s:f, s:s, s:s, s:s, s:o, s:o}", "score", r->fault ? 0 : (int)r->score,
                             "execution_time", r->seconds, "output", output ? output : "", "output_format", "text",
                             "visibility", "visible", "tests", tests, "extra_data",
                             json_pack("{s:s, s:s, s:b, s:b}", "faultline", version_text, "lab", r->lab->id,
                                       "grader_fault", r->fault, "unsafe", r->unsafe));
    free(output);
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    json_decref(json);
    return text;
}

static char *base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(text), used = 0;
    char *out = malloc(4 * ((n + 2) / 3) + 1);
    for (size_t i = 0; out && i < n; i += 3) {
        unsigned b[3] = {(unsigned char)text[i], i + 1 < n ? (unsigned char)text[i + 1] : 0,
                         i + 2 < n ? (unsigned char)text[i + 2] : 0};
        out[used++] = digits[b[0] >> 2];
        out[used++] = digits[(b[0] & 3) << 4 | b[1] >> 4];
        out[used++] = i + 1 < n ? digits[(b[1] & 15) << 2 | b[2] >> 6] : '=';
        out[used++] = i + 2 < n ? digits[b[2] & 63] : '=';
    }
    if (out)
        out[used] = '\0';
    return out;
}

char *grade_format_classroom(const struct grade_result *r)
{
    json_t *tests = json_array();
    for (uint32_t i = 0; i < r->tests; i++) {
        const struct grade_test *t = &r->test[i];
        char name[200], *failure = t->passed ? NULL : told(r, t);
        snprintf(name, sizeof name, "%.80s/%.80s%s", t->test->task->id, t->test->id,
                 t->hidden ? " (secret seeds)" : "");
        json_array_append_new(tests, json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:i, s:f}", "name", name, "status",
                                               t->passed                            ? "pass"
                                               : t->verdict == VERDICT_GRADER_FAULT ? "error"
                                                                                    : "fail",
                                               "score", (int)t->score, "message", failure ? failure : "", "test_code",
                                               t->test->what, "filename", "", "line_no", 0, "duration",
                                               grade_seconds(t) * 1000));
        free(failure);
    }
    const char *status = r->fault ? "error" : r->score == r->max ? "pass" : "fail";
    json_t *json =
        json_pack("{s:i, s:s, s:i, s:o}", "version", 1, "status", status, "max_score", (int)r->max, "tests", tests);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, *out = text ? base64(text) : NULL;
    free(text);
    json_decref(json);
    return out;
}
