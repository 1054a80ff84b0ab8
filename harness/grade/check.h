/* check.h: what a lab's check.c is written with. Judge's side: no code of a submission is in this process.
 *
 *     #include "grade/check.h"
 *
 *     CHECK(smooth_weighted, published_sequence)      // task and test of lab.json, hyphens as underscores
 *     {
 *         struct host_outcome outcome;
 *         check_host("smooth-weighted", scenario, size, sizeof(uint32_t), 7, &outcome); // or the test fails
 *         check_that(picks[0] == 0, "the first pick must be backend 0, it was %u", picks[0]);
 *         host_outcome_free(&outcome);
 *     }
 *
 * Each test is a Criterion test, in a process of its own. Besides what Criterion counts, each leaves a record of how it
 * ended (passed, or a verdict and a sentence) in the folder that FAULTLINE_RESULTS names; the grader believes a pass
 * only when both agree.
 *
 * With FAULTLINE_DEBUG=1 the program runs its tests one after the other in its own process, plugin and all, and ends at
 * the first that fails: for a debugger. Its one argument is then "task/test".
 *
 * A test takes all that is random from check_seed(): students run it with the published seeds, a grading run adds
 * secret ones at a larger size. The sentence of a failure says what happened, with the numbers; how to run it again is
 * added below it.
 */
#ifndef GRADE_CHECK_H
#define GRADE_CHECK_H

#include "host/host.h"

#include <criterion/criterion.h>

#define CHECK(task, name)                                                                                              \
    static void check_##task##_##name(void);                                                                           \
    static const struct check_test check_test_##task##_##name = {#task, #name, check_##task##_##name};                 \
    __attribute__((used, section("check_tests"))) static const struct check_test *const check_list_##task##_##name =   \
        &check_test_##task##_##name;                                                                                   \
    Test(task, name, .timeout = 3600)                                                                                  \
    {                                                                                                                  \
        check_run(&check_test_##task##_##name);                                                                        \
    }                                                                                                                  \
    static void check_##task##_##name(void)

struct check_test {
    const char *task, *name;
    void (*function)(void);
};
void check_run(const struct check_test *test); /* runs it and leaves its record */

uint64_t check_seed(void); /* FAULTLINE_SEED, 1 without it */
bool check_large(void);    /* a grading run: larger scenarios */

/* Runs the entry in a host process with the lab's limits, and a limit of processor time for all runs of a test. Returns only when it finished; otherwise the test has failed
 * with the host's verdict. */
void check_host(const char *entry, const void *scenario, size_t size, uint32_t record_size, uint64_t records,
                struct host_outcome *outcome);
/* The same, but returns whatever the verdict is: for making a failing scenario smaller. */
void check_host_try(const char *entry, const void *scenario, size_t size, uint32_t record_size, uint64_t records,
                    struct host_outcome *outcome);
/* The same for a request with more in it: instructions to be counted, another plugin than the one under test. The
 * lab's limits are filled in, and the plugin where it is NULL. */
void check_host_request(struct host_request request, struct host_outcome *outcome);

/* Fails the test (verdict: wrong) with a sentence unless `good`. */
void check_that(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void check_fail(enum verdict verdict, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- ramped tests: lab.json gives the figure of full points and that of none, docs/adding-a-lab.md an example ---- */

/* The figure that the test is graded by, above 0, and a sentence about it that says what to try: shown unless the
 * points are full. Once, after everything else was found right; then the test function returns. */
void check_measured(double figure, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the run did, drawn in a few lines of text, at most 4 KiB: `check` shows it below the test, however that ends. */
void check_drawing(const char *text);
/* The figure at which this test has no points, or `otherwise` where nobody says: to stop a run that is beyond it. */
double check_no_points_at(double otherwise);
/* The lab's reference as a plugin, built with the same compiler. The test must say "needs": "reference" in lab.json,
 * which leaves it out where there is none. */
const char *check_reference(void);
/* FAULTLINE_DEBUG=1: nothing is counted, so a test of costs can only test what is right. */
bool check_debugging(void);

/* Makes a failing list smaller: leaves out runs of items as long as `fails` still says true, with at most `budget`
 * calls of it and a share of the test's processor time. The test has failed from the first call on. items: n of `size` bytes, changed in place. Returns how many are left. (Zeller & Hildebrandt 2002,
 * ddmin, with complements only.) */
uint32_t check_shrink(void *items, uint32_t n, size_t size, uint32_t budget,
                      bool (*fails)(const void *items, uint32_t n, void *context), void *context);

#endif
