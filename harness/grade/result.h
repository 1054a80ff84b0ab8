/* result.h: the one internal result of a check or a grade, from which every format is written.
 *
 * A pass is counted only when it was seen: by the test's own record and by the runner. Whatever is missing, unreadable
 * or contradictory counts as the grader's fault and gives no points.
 */
#ifndef GRADE_RESULT_H
#define GRADE_RESULT_H

#include "grade/lab.h"

#include <jansson.h>

struct grade_test {
    const struct lab_test *test;
    bool hidden;          /* of secret seeds */
    bool passed;          /* all points */
    enum verdict verdict; /* of the first run that failed, or else of the one with the worst figure, else finished */
    uint64_t seed;        /* of that run */
    char *message;        /* of that run; "" when passed */
    char *drawing;        /* of the first run that left one, and not of a hidden one; "": none */
    uint32_t runs, passed_runs;
    double measured; /* of a test with a ramp: the worst figure of its runs; 0: none */
    double share;    /* of the points, of the worst run: between 0 and 1 for a test with a ramp alone */
    uint32_t score, max;
    double seconds;
};

struct grade_result {
    const struct lab *lab;
    char *submission; /* its name: the folder's last part */
    char *notes;      /* what was ignored or refused among the files, what was left out of the tests; "" */
    bool built;
    char *build_output; /* the compiler's words when it did not build; "" */
    unsigned layers;    /* of the sandbox that were active */
    bool unsafe;        /* graded without the layers that grading needs, as it was told to */
    bool fault;         /* the grader's own: the score says nothing */
    uint64_t secret;    /* hidden seeds are drawn from it; 0: none were run */
    struct grade_test *test;
    uint32_t tests;
    uint32_t score, max, public_score, public_max;
    double seconds;
};

void grade_result_destroy(struct grade_result *result);

/* "full points at 2.5 or less, none at 8 or more"; returns out. */
const char *grade_ramp_text(const struct lab_ramp *ramp, char *out, size_t size);
#define GRADE_RAMP_TEXT 100

/* "rule ID: text", a line each, of those that a failing test holds, to free; "" for one that passed, or whose runs are
 * secret. */
char *grade_rules_text(const struct grade_result *result, const struct grade_test *t);

/* How long it took, as a student may see it: of a hidden test whole seconds, since it is the submission that decides how
 * long it takes, and it knows what it was given. */
double grade_seconds(const struct grade_test *t);
double grade_time(const struct grade_result *result, double seconds); /* the same of the whole */

/* The result as JSON, without the fields of time unless `times`. `for_student`: hidden tests carry no seed and no
 * message. New reference. */
json_t *grade_result_json(const struct grade_result *result, bool times);

/* Writers of formats: text for `path` (format_*.c). Each returns a string to free, NULL when out of memory. */
char *grade_format_junit(const struct grade_result *result);
char *grade_format_tap(const struct grade_result *result);
char *grade_format_gradescope(const struct grade_result *result); /* results.json */
char *grade_format_classroom(const struct grade_result *result);  /* the base64 of GitHub Classroom's grader result */

/* The terminal's form: the title before the tests run, then the rest; last line "Score: N/M". verbose: with what failed. */
void grade_print_title(const struct lab *lab);
void grade_print(const struct grade_result *result, bool verbose);

#endif
