/* Formats that are plain text: TAP 14 and JUnit XML. Messages may quote a submission's words: the judge has cleaned
 * them of control characters, here they are escaped for the format. Source:
 * testanything.org/tap-version-14-specification; for JUnit, the part that Jenkins and GitLab agree on.
 *
 * Neither format knows points. A test with some of its points is "not ok" in the one and a failure in the other, as is
 * a test with none, and the text says how many it has: whoever reads only pass or fail reads "not all". */
#include "base/version.h"
#include "grade/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *runs(const struct grade_test *t)
{
    return t->hidden ? "hidden" : "public";
}

/* What may be told of a failure: everything of a public run, the verdict alone of a hidden one. */
static const char *told(const struct grade_test *t)
{
    return t->hidden ? "a run with a secret seed; the public tests show the same properties" : t->message;
}

/* ---- TAP
 * --------------------------------------------------------------------------------------------------------------------
 */

static void tap_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    fputc('"', out);
}

char *grade_format_tap(const struct grade_result *r)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out, "TAP version 14\n1..%u\n", r->tests);
    for (uint32_t i = 0; i < r->tests; i++) {
        const struct grade_test *t = &r->test[i];
        fprintf(out, "%sok %u - %s/%s (%s)\n", t->passed ? "" : "not ", i + 1, t->test->task->id, t->test->id, runs(t));
        fprintf(out, "  ---\n  verdict: %s\n  score: %u\n  max: %u\n", verdict_id(t->verdict), t->score, t->max);
        if (t->measured > 0 && !t->hidden)
            fprintf(out, "  measured: %.6g\n", t->measured);
        if (!t->passed) {
            fputs("  message: ", out);
            tap_quoted(out, told(t));
            fputc('\n', out);
            char *rules = grade_rules_text(r, t);
            if (*rules) {
                fputs("  rules: ", out);
                tap_quoted(out, rules);
                fputc('\n', out);
            }
            free(rules);
        }
        fputs("  ...\n", out);
    }
    if (r->unsafe)
        fputs("# UNSAFE: graded without layers of the sandbox that grading needs\n", out);
    fprintf(out, "# Score: %u/%u\n", r->score, r->max);
    fclose(out);
    return text;
}

/* ---- JUnit
 * --------------------------------------------------------------------------------------------------------------------
 */

static void xml(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\n':
            fputs("&#10;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

/* A wrong or a costly answer is a failure; a crash, a limit or the grader's own fault an error. */
static bool is_error(const struct grade_test *t)
{
    return !t->passed && t->verdict != VERDICT_WRONG && t->verdict != VERDICT_COST && t->verdict != VERDICT_SHORT_LOG &&
           t->verdict != VERDICT_TOO_MANY;
}

char *grade_format_junit(const struct grade_result *r)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    unsigned failures = 0, errors = 0;
    for (uint32_t i = 0; i < r->tests; i++) {
        errors += is_error(&r->test[i]);
        failures += !r->test[i].passed && !is_error(&r->test[i]);
    }
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
    fprintf(out, "<testsuites tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"0\" time=\"%.3f\">\n", r->tests,
            failures, errors, r->seconds);
    fprintf(out,
            "  <testsuite name=\"lab %s %s\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"0\" time=\"%.3f\">\n",
            r->lab->id, r->lab->name, r->tests, failures, errors, r->seconds);
    fputs("    <properties><property name=\"submission\" value=\"", out);
    xml(out, r->submission);
    fprintf(out,
            "\"/><property name=\"score\" value=\"%u/%u\"/><property name=\"faultline\" value=\"%s\"/><property "
            "name=\"unsafe\" value=\"%s\"/></properties>\n",
            r->score, r->max, version_text, r->unsafe ? "true" : "false");
    for (uint32_t i = 0; i < r->tests; i++) {
        const struct grade_test *t = &r->test[i];
        fprintf(out, "    <testcase classname=\"lab-%s.%s\" name=\"%s (%s)\" time=\"%.3f\"", r->lab->id,
                t->test->task->id, t->test->id, runs(t), grade_seconds(t));
        if (t->passed) {
            fputs("/>\n", out);
            continue;
        }
        fprintf(out, ">\n      <%s type=\"%s\" message=\"", is_error(t) ? "error" : "failure", verdict_id(t->verdict));
        xml(out, verdict_name(t->verdict));
        if (t->score > 0)
            fprintf(out, ", %u of %u points", t->score, t->max);
        fputs("\">", out);
        xml(out, told(t));
        char *rules = grade_rules_text(r, t);
        xml(out, *rules ? "\n" : "");
        xml(out, rules);
        free(rules);
        fprintf(out, "</%s>\n    </testcase>\n", is_error(t) ? "error" : "failure");
    }
    fputs("  </testsuite>\n</testsuites>\n", out);
    fclose(out);
    return text;
}
