/* What a student or an instructor reads on the terminal. */
#include "base/terminal.h"
#include "grade/result.h"
#include "host/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some of the points, by a ramp. */
static bool partly(const struct grade_test *t)
{
    return !t->passed && t->score > 0;
}

/* Foreign text: no line of it begins where ours do. */
static void print_indented(const char *text, const char *indent)
{
    for (const char *p = text; *p; p++) {
        putchar(*p);
        if (*p == '\n')
            fputs(indent, stdout);
    }
}

static void print_message(const struct grade_result *r, const struct grade_test *t)
{
    const struct lab *lab = r->lab;
    char text[GRADE_RAMP_TEXT], *rules = grade_rules_text(r, t);
    printf("      %s%s%s: ", terminal_style(partly(t) ? STYLE_WARN : STYLE_BAD), verdict_name(t->verdict),
           terminal_style(STYLE_PLAIN));
    print_indented(t->message, "      ");
    if (t->verdict == VERDICT_COST && t->test->ramp.full > 0)
        printf("\n      measured: %.4g%s; %s", t->measured > 0 ? t->measured : t->test->ramp.none,
               t->measured > 0 ? "" : " or worse", grade_ramp_text(&t->test->ramp, text, sizeof text));
    if (*rules) {
        fputs("\n      ", stdout);
        print_indented(rules, "      ");
    }
    free(rules);
    printf("\n      %sagain: make check LAB=%s TEST=%s/%s SEED=%llu   a hint: make hint LAB=%s TEST=%s%s\n",
           terminal_style(STYLE_DIM), lab->id, t->test->task->id, t->test->id, (unsigned long long)t->seed, lab->id,
           t->test->task->id, terminal_style(STYLE_PLAIN));
}

static void print_test(const struct grade_result *r, const struct grade_test *t, bool verbose)
{
    const char *mark = t->passed ? "pass" : t->verdict == VERDICT_GRADER_FAULT ? "????" : partly(t) ? "part" : "FAIL";
    char measured[40] = "";
    if (t->passed && t->measured > 0 && !t->hidden)
        snprintf(measured, sizeof measured, " (%.4g)", t->measured);
    printf("  %s%s%s  %2u/%-2u  %-28s %s%s%s\n",
           terminal_style(t->passed   ? STYLE_GOOD
                          : partly(t) ? STYLE_WARN
                                      : STYLE_BAD),
           mark, terminal_style(STYLE_PLAIN), t->score, t->max, t->test->id, t->hidden ? "[secret seeds] " : "",
           t->test->what, measured);
    if (*t->drawing && verbose) {
        fputs("      ", stdout);
        print_indented(t->drawing, "      ");
        putchar('\n');
    }
    if (t->passed || !verbose)
        return;
    if (t->hidden)
        printf("      %s%s%s (%u of %u secret seeds passed)\n", terminal_style(partly(t) ? STYLE_WARN : STYLE_BAD),
               verdict_name(t->verdict), terminal_style(STYLE_PLAIN), t->passed_runs, t->runs);
    else
        print_message(r, t);
}

void grade_print_title(const struct lab *lab)
{
    printf("%slab %s: %s%s\n", terminal_style(STYLE_BOLD), lab->id, lab->title, terminal_style(STYLE_PLAIN));
    fflush(stdout);
}

void grade_print(const struct grade_result *r, bool verbose)
{
    if (*r->submission)
        printf("submission: %s\n", r->submission);
    if (*r->notes)
        printf("%s\n", r->notes);
    if (!r->built) {
        printf("\n%sit does not build%s, so no test was run:\n  ", terminal_style(STYLE_BAD),
               terminal_style(STYLE_PLAIN));
        print_indented(*r->build_output || r->tests == 0 ? r->build_output : r->test[0].message, "  ");
        putchar('\n');
    }
    for (uint32_t i = 0; r->built && i < r->tests; i++) {
        const struct grade_test *t = &r->test[i];
        if (i == 0 || t->test->task != r->test[i - 1].test->task || t->hidden != r->test[i - 1].hidden)
            printf("\n%s%s%s%s\n", terminal_style(STYLE_BOLD), t->test->task->title,
                   t->hidden ? ": secret seeds, larger sizes" : "", terminal_style(STYLE_PLAIN));
        print_test(r, t, verbose);
    }
    char layers[100];
    printf("\nsandbox: %s%s\n", sandbox_describe(r->layers, layers, sizeof layers),
           r->unsafe ? "  (UNSAFE: graded without layers that grading needs)" : "");
    if (r->fault)
        printf("%sthe grader itself failed%s: this score is no verdict about the submission\n",
               terminal_style(STYLE_WARN), terminal_style(STYLE_PLAIN));
    if (r->secret && r->built) {
        const uint64_t cpu = r->lab->limits.cpu_seconds, test = LAB_TEST_BUDGET * cpu;
        uint64_t runs = 0;
        for (uint32_t i = 0; i < r->tests; i++)
            runs += r->test[i].runs;
        printf("limits: %llu s of processor time a run, %llu s all runs of a test: no more than %llu min in all\n",
               (unsigned long long)cpu, (unsigned long long)test, (unsigned long long)((runs * test + 59) / 60));
    }
    if (r->secret)
        printf("public: %u/%u\n", r->public_score, r->public_max);
    printf("Score: %u/%u\n", r->score, r->max);
}
