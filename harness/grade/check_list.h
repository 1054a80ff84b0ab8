/* check_list.h: tests that are a list of steps: run in a host, judged step by step, made smaller when one is wrong, and
 * shown as numbered lines.
 *
 * A lab says how a list is run and judged, and how a step is printed. The rest is the same for all: whose fault a run
 * is that did not finish, which lists are shown (none of a grading run), what is cut out of long ones.
 */
#ifndef GRADE_CHECK_LIST_H
#define GRADE_CHECK_LIST_H

#include "grade/check.h"

#include <stdio.h>

struct check_list {
    const char *about;  /* "lru, with a capacity of 10": what the steps are carried out on */
    const char *lesson; /* what else a failure should say, in a sentence; NULL: nothing */
    size_t size;        /* of a step */
    const void *context;

    /* Runs the n steps (check_host_try) and judges them: the index of the first that is wrong, with a sentence in `why`;
     * or n. What it returns of a run that did not finish makes no difference. */
    uint32_t (*wrong)(const void *context, const void *steps, uint32_t n, struct host_outcome *outcome, FILE *why);

    /* Prints the steps up to and with `last`, a line each, with what was answered to each in this outcome. `show` says which
     * lines to leave out. */
    void (*print)(const void *context, const void *steps, uint32_t last, const struct host_outcome *outcome, FILE *out);
};

/* Returns when every step is right; else the test has failed. The steps are changed in place. */
void check_list(const struct check_list *list, void *steps, uint32_t n);

/* Of many lines the first and the last are shown. Call it before each line, counted from 0; false: leave it out. A line
 * that says how many were left out is printed where the gap is. */
bool check_list_shows(FILE *out, uint32_t line, uint32_t lines);

#endif
