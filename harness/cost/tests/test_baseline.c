/* What is said against a baseline, on made-up results. */
#include "base/memory.h"
#include "cost/internal.h"
#include "measure/machine.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(baseline, .timeout = 60);

/* A result with one time and one simulated count; `speed` is how many times faster the machine ran than usual. */
static json_t *result(const char *cpu, const char *compiler, double ns, double spread, double instructions,
                      double speed)
{
    json_t *machine = machine_describe();
    json_object_set_new(machine, "cpu", json_string(cpu));
    json_object_set_new(machine, "compiler", json_string(compiler));
    json_t *time = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:f, s:f, s:f}", "lab", "01", "entry", "e",
                             "operation", "pick", "size", 10, "threads", 1, "state", "steady", "metric", "time", "unit",
                             "ns", "source", "measured", "value", ns / speed, "low", ns * (1 - spread) / speed, "high",
                             ns * (1 + spread) / speed);
    json_t *count = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:f, s:f, s:f}", "lab", "01", "entry", "e",
                              "operation", "pick", "size", 10, "threads", 1, "state", "steady", "metric",
                              "instructions", "unit", "per operation", "source", "simulated", "value", instructions,
                              "low", instructions, "high", instructions);
    json_t *group = json_pack("{s:s, s:i, s:i, s:s, s:f}", "operation", "pick", "size", 10, "threads", 1, "state",
                              "steady", "yardstick_ns", 20 / speed);
    return json_pack("{s:i, s:s, s:o, s:s, s:[o, o], s:[o]}", "format", 1, "lab", "01", "machine", machine,
                     "simulated_caches", "caches", "rows", time, count, "groups", group);
}

static int compare(json_t *before, json_t *now, json_t **found)
{
    char path[] = "/tmp/faultline-baseline.XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0, "a temporary file");
    close(fd);
    cr_assert(json_dump_file(before, path, 0) == 0, "written");
    int code = cost_compare_baseline(path, now, found);
    unlink(path);
    json_decref(before);
    json_decref(now);
    return code;
}

static const char *verdict(const json_t *found, size_t i)
{
    return json_string_value(json_object_get(json_array_get(json_object_get(found, "rows"), i), "verdict"));
}

Test(baseline, the_same_is_fine)
{
    json_t *found;
    int code = compare(result("x", "gcc", 10, 0.02, 100, 1), result("x", "gcc", 10.3, 0.02, 101, 1), &found);
    cr_assert(code == EXIT_FINE, "exit code %d", code);
    cr_assert(strcmp(verdict(found, 0), "same") == 0 && strcmp(verdict(found, 1), "same") == 0, "%s, %s",
              verdict(found, 0), verdict(found, 1));
    json_decref(found);
}

Test(baseline, a_slower_day_is_no_regression)
{
    json_t *found;
    int code = compare(result("x", "gcc", 10, 0.02, 100, 1), result("x", "gcc", 10, 0.02, 100, 0.6), &found);
    cr_assert(code == EXIT_FINE, "the yardstick takes the clock speed out: exit code %d, %s", code, verdict(found, 0));
    json_decref(found);
}

Test(baseline, slower_code_is_a_regression)
{
    json_t *found;
    int code = compare(result("x", "gcc", 10, 0.02, 100, 1), result("x", "gcc", 12.5, 0.02, 100, 1), &found);
    cr_assert(code == EXIT_FAILED && strcmp(verdict(found, 0), "regressed") == 0, "exit code %d, %s", code,
              verdict(found, 0));
    json_decref(found);
    code = compare(result("x", "gcc", 10, 0.02, 100, 1), result("x", "gcc", 10, 0.02, 103, 1), &found);
    cr_assert(code == EXIT_FAILED && strcmp(verdict(found, 1), "regressed") == 0, "3 %% more instructions: %s",
              verdict(found, 1));
    json_decref(found);
    code = compare(result("x", "gcc", 10, 0.02, 100, 1), result("x", "gcc", 7, 0.02, 90, 1), &found);
    cr_assert(code == EXIT_FINE && strcmp(verdict(found, 0), "better") == 0 && strcmp(verdict(found, 1), "better") == 0,
              "faster is fine: %s, %s", verdict(found, 0), verdict(found, 1));
    json_decref(found);
}

/* Of a count with this metric; in the baseline there is a cell more unless the selection is the same. */
static const char *count_verdict(const char *metric, double before, double now, bool same)
{
    static char kept[40];
    json_t *a = result("x", "gcc", 10, 0.02, before, 1), *b = result("x", "gcc", 10, 0.02, now, 1), *found;
    json_t *rows[] = {json_object_get(a, "rows"), json_object_get(b, "rows")};
    if (!same) {
        json_t *other = json_deep_copy(json_array_get(rows[0], 1));
        json_object_set_new(other, "entry", json_string("another"));
        json_array_append_new(rows[0], other);
    }
    for (int i = 0; i < 2; i++)
        json_object_set_new(json_array_get(rows[i], 1), "metric", json_string(metric));
    compare(a, b, &found);
    snprintf(kept, sizeof kept, "%s", verdict(found, 1));
    json_decref(found);
    return kept;
}

Test(baseline, of_counts_small_differences_are_none)
{
    cr_assert_str_eq(count_verdict("bytes", 736, 752, true), "same");
    cr_assert_str_eq(count_verdict("bytes", 736, 1000, true), "regressed");
    cr_assert_str_eq(count_verdict("last-misses", 0, 0.004, true), "same");
    cr_assert_str_eq(count_verdict("last-misses", 0, 1, true), "regressed");
    cr_assert_str_eq(count_verdict("last-misses", 1, 0, true), "better");
    cr_assert_str_eq(count_verdict("instructions", 100, 103, true), "regressed");
}

Test(baseline, of_another_selection_tells_instructions_alone)
{
    cr_assert_str_eq(count_verdict("bytes", 736, 1000, false), "cannot tell");
    cr_assert_str_eq(count_verdict("bytes", 736, 736, false), "same");
    cr_assert_str_eq(count_verdict("last-misses", 0, 1, false), "cannot tell");
    cr_assert_str_eq(count_verdict("instructions", 100, 110, false), "regressed");
}

Test(baseline, too_wide_to_tell)
{
    json_t *found;
    int code = compare(result("x", "gcc", 10, 0.3, 100, 1), result("x", "gcc", 11, 0.3, 100, 1), &found);
    cr_assert(code == EXIT_CANNOT_TELL && strcmp(verdict(found, 0), "cannot tell") == 0, "exit code %d, %s", code,
              verdict(found, 0));
    json_decref(found);
}

Test(baseline, another_machine_is_refused_for_time)
{
    json_t *found;
    int code = compare(result("x", "gcc", 10, 0.02, 100, 1), result("y", "gcc", 30, 0.02, 100, 1), &found);
    cr_assert(code == EXIT_CANNOT_TELL, "exit code %d", code);
    cr_assert(json_is_false(json_object_get(found, "same_machine")), "it says so");
    cr_assert(strlen(json_string_value(json_object_get(found, "why"))) > 0, "and what differs");
    cr_assert(json_array_size(json_object_get(found, "rows")) == 1 && strcmp(verdict(found, 0), "same") == 0,
              "counts of the same compiler are still compared");
    json_decref(found);
    code = compare(result("x", "gcc", 10, 0.02, 100, 1), result("x", "clang", 10, 0.02, 300, 1), &found);
    cr_assert(json_array_size(json_object_get(found, "rows")) == 0 && code == EXIT_CANNOT_TELL,
              "those of another compiler are not");
    json_decref(found);
}

/* The reader leaves the program, so it reads in a child. */
static int exit_code_for(const char *text)
{
    char path[] = "/tmp/faultline-baseline.XXXXXX";
    int fd = mkstemp(path), status = 0;
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "written");
    close(fd);
    pid_t child = fork();
    if (child == 0) {
        json_decref(cost_read_baseline(path, "01-load-balancing"));
        _exit(EXIT_FINE);
    }
    waitpid(child, &status, 0);
    unlink(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(baseline, what_is_no_result_is_wrong_use)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"{\"format\": 1,", EXIT_WRONG_USE},
        {"{\"format\": 1, \"lab\": \"01\"}", EXIT_WRONG_USE},
        {"{\"format\": 2, \"lab\": \"01\", \"rows\": [], \"groups\": []}", EXIT_WRONG_USE},
        {"{\"format\": 1, \"lab\": \"02\", \"rows\": [], \"groups\": []}", EXIT_WRONG_USE},
        {"{\"format\": 1, \"lab\": \"01\", \"rows\": [], \"groups\": []}", EXIT_FINE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int code = exit_code_for(cases[i].text);
        cr_assert(code == cases[i].code, "%s: exit code %d", cases[i].text, code);
    }
}
