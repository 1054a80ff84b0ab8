/* check.c: what a lab's check.c is written with. */
#include "grade/check.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/one_way.h"
#include "base/text.h"
#include "grade/lab.h"

#include <criterion/hooks.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *task, *name;
    double figure; /* 0: none was measured */
    char about[1024];
    char drawing[4096];
} now; /* of this process, which runs one test */

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    uint64_t value;
    return text_number(getenv(variable), &value) ? value : otherwise;
}

/* A submission can work out what its run was drawn from, and give it away by how long it takes. In a grading run that is
 * no seed that anybody could draw the same run from again. */
uint64_t check_seed(void)
{
    static uint64_t large;
    const uint64_t seed = number_from("FAULTLINE_SEED", 1);
    if (check_large() && !large)
        large = one_way("large", seed, 0);
    return check_large() ? large : seed;
}

bool check_large(void)
{
    const char *size = getenv("FAULTLINE_SIZE");
    return size && strcmp(size, "large") == 0;
}

bool check_debugging(void)
{
    const char *debug = getenv("FAULTLINE_DEBUG");
    return debug && strcmp(debug, "1") == 0;
}

/* ---- the record that a test leaves ---- */

static int write_json(const char *file, json_t *json)
{
    const char *folder = getenv("FAULTLINE_RESULTS");
    char path[FILE_PATH];
    int code = 0;
    if (folder)
        code = json_file_write(file_path(path, "%s/%s", folder, file), json, NULL);
    json_decref(json);
    return code;
}

static void record(bool passed, enum verdict verdict, const char *message)
{
    char file[200];
    snprintf(file, sizeof file, "%s.%s.json", now.task, now.name);
    json_t *json = json_pack("{s:s, s:s, s:b, s:s, s:s}", "task", now.task, "test", now.name, "passed", passed,
                             "verdict", verdict_id(verdict), "message", message);
    if (json && passed && now.figure > 0)
        json_object_set_new(json, "measured", json_real(now.figure));
    if (json && *now.drawing)
        json_object_set_new(json, "drawing", json_string(now.drawing));
    if (!json || write_json(file, json) != 0)
        cr_assert_fail("the record of the test could not be written");
}

void check_run(const struct check_test *test)
{
    now.task = test->task;
    now.name = test->name;
    now.figure = 0;
    now.about[0] = now.drawing[0] = '\0';
    test->function();
    record(true, VERDICT_FINISHED, now.about);
    if (!check_debugging())
        cr_assert(true, "passed");
}

#define MESSAGE 8192
#define S       UINT64_C(1000000000)
static char printed[1024]; /* by the entry, in the last run that finished */

static _Noreturn void fail(enum verdict verdict, const char *raw)
{
    char clean[MESSAGE];
    text_clean(clean, sizeof clean, raw, strlen(raw));
    record(false, verdict, clean);
    if (check_debugging()) {
        printf("FAIL %s/%s: %s: %s\n", now.task, now.name, verdict_name(verdict), clean);
        exit(EXIT_FAILED);
    }
    cr_assert_fail("%s: %s", verdict_name(verdict), clean);
    abort(); /* not reached */
}

void check_fail(enum verdict verdict, const char *format, ...)
{
    char raw[MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    fail(verdict, raw);
}

void check_that(bool good, const char *format, ...)
{
    if (good)
        return;
    char raw[MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    if (*printed) {
        size_t used = strlen(raw);
        snprintf(raw + used, sizeof raw - used, "\nIt printed: %s", printed);
    }
    fail(VERDICT_WRONG, raw);
}

/* ---- figures ---- */

void check_measured(double figure, const char *format, ...)
{
    char raw[sizeof now.about];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    text_clean(now.about, sizeof now.about, raw, strlen(raw));
    now.figure = figure;
    if (!(figure > 0) || figure > 1e15)
        check_fail(VERDICT_GRADER_FAULT, "a figure that is none: %s", now.about);
}

void check_drawing(const char *text)
{
    text_clean(now.drawing, sizeof now.drawing, text, strlen(text));
}

double check_no_points_at(double otherwise)
{
    const char *list = getenv("FAULTLINE_RAMPS");
    char name[200];
    snprintf(name, sizeof name, " %.90s/%.90s=", now.task, now.name);
    const char *at = list ? strstr(list, name) : NULL;
    double figure = at ? strtod(at + strlen(name), NULL) : 0;
    return figure > 0 ? figure : otherwise;
}

const char *check_reference(void)
{
    const char *path = getenv("FAULTLINE_REFERENCE");
    if (!path || !*path)
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: the reference is not built here");
    return path;
}

/* ---- running an entry ---- */

/* What all runs of the submission in one test may use together, in times of what one may; and what of it making a run
 * smaller may. Processor time, so that a verdict does not depend on what else the machine does. */
#define SHRINK_BUDGET 1u
static uint64_t used_ns; /* so far */

void check_host_request(struct host_request request, struct host_outcome *outcome)
{
    const char *plugin = getenv("FAULTLINE_PLUGIN");
    const bool trusted = request.plugin;
    const uint64_t cpu = number_from("FAULTLINE_CPU_SECONDS", 20), budget = LAB_TEST_BUDGET * cpu;
    if (!trusted)
        request.plugin = plugin ? plugin : "";
    request.world = getenv("FAULTLINE_WORLD");
    request.limits =
        (struct host_limits){cpu, number_from("FAULTLINE_WALL_MS", 60000), number_from("FAULTLINE_MEMORY", 1u << 30)};
    const uint64_t left = used_ns < budget * S ? (budget * S - used_ns) / S + 1 : 1;
    if (!trusted && left < cpu)
        request.limits.cpu_seconds = left;
    host_run(&request, outcome);
    if (trusted && outcome->verdict != VERDICT_FINISHED && outcome->verdict != VERDICT_GRADER_FAULT)
        check_fail(VERDICT_GRADER_FAULT, "cannot tell: what is ours to compare with did not finish: %s: %s",
                   verdict_name(outcome->verdict), outcome->sentence);
    if (trusted)
        return;
    used_ns += outcome->cpu_ns;
    if (used_ns > budget * S && outcome->verdict != VERDICT_GRADER_FAULT)
        check_fail(VERDICT_CPU_TIME,
                   "its runs in this test used %.1f s of processor time together; %llu s are allowed.",
                   (double)used_ns / S, (unsigned long long)budget);
}

void check_host_try(const char *entry, const void *scenario, size_t size, uint32_t record_size, uint64_t records,
                    struct host_outcome *outcome)
{
    check_host_request((struct host_request){.entry = entry,
                                             .scenario = scenario,
                                             .scenario_size = size,
                                             .record_size = record_size,
                                             .records = records},
                       outcome);
}

void check_host(const char *entry, const void *scenario, size_t size, uint32_t record_size, uint64_t records,
                struct host_outcome *outcome)
{
    check_host_try(entry, scenario, size, record_size, records, outcome);
    snprintf(printed, sizeof printed, "%.1000s", outcome->output);
    if (outcome->verdict == VERDICT_FINISHED)
        return;
    const char *said = outcome->output;
    check_fail(outcome->verdict, "%s: %s%s%.600s", entry, outcome->sentence, *said ? "\nIt printed: " : "", said);
}

uint32_t check_shrink(void *items, uint32_t n, size_t size, uint32_t budget,
                      bool (*fails)(const void *, uint32_t, void *), void *context)
{
    const char *shrink = getenv("FAULTLINE_SHRINK");
    if (shrink && strcmp(shrink, "no") == 0)
        return n;
    /* If what follows does not end well, this is the verdict. */
    record(false, VERDICT_WRONG, "an answer was wrong; the run was being made smaller when the test was stopped.");
    const uint64_t until = used_ns + SHRINK_BUDGET * S * number_from("FAULTLINE_CPU_SECONDS", 20);
    char *all = items, *trial = malloc(n * size + 1);
    for (uint32_t chunk = n / 2; trial && chunk >= 1; chunk /= 2)
        for (uint32_t at = 0; at < n && budget > 0 && used_ns < until;) {
            uint32_t out = at + chunk <= n ? chunk : n - at;
            memcpy(trial, all, at * size);
            memcpy(trial + at * size, all + (at + out) * size, (n - at - out) * size);
            budget--;
            if (n - out > 0 && fails(trial, n - out, context)) {
                n -= out;
                memcpy(all, trial, n * size);
            } else {
                at += out;
            }
        }
    free(trial);
    return n;
}

/* ---- what Criterion's runner saw, in a process that the tests can't reach ---- */

static json_t *seen;

ReportHook(POST_TEST)(struct criterion_test_stats *stats)
{
    if (!seen)
        seen = json_array();
    bool passed =
        stats->test_status == CR_STATUS_PASSED && stats->passed_asserts > 0 && !stats->crashed && !stats->timed_out;
    json_array_append_new(seen, json_pack("{s:s, s:s, s:b, s:f}", "task", stats->test->category, "test",
                                          stats->test->name, "passed", passed, "seconds", (double)stats->elapsed_time));
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    write_json("run.json", json_pack("{s:o}", "tests", seen ? seen : json_array()));
}

/* ---- the program ---- */

extern const struct check_test *const __start_check_tests[] __attribute__((visibility("hidden"), weak));
extern const struct check_test *const __stop_check_tests[] __attribute__((visibility("hidden"), weak));

static int run_in_this_process(const char *only)
{
    unsigned run = 0;
    for (const struct check_test *const *t = __start_check_tests; t != __stop_check_tests; t++) {
        char name[200];
        snprintf(name, sizeof name, "%.90s/%.90s", (*t)->task, (*t)->name);
        for (char *p = name; *p; p++)
            *p = *p == '_' ? '-' : *p;
        if (only && strcmp(only, name) != 0)
            continue;
        check_run(*t);
        printf("pass %s\n", name);
        run++;
    }
    return run ? EXIT_FINE : EXIT_WRONG_USE;
}

/* Seen from outside, since Criterion looks it up by its name to start its workers. */
__attribute__((visibility("default"))) int main(int argc, char **argv)
{
    if (check_debugging())
        return run_in_this_process(argc > 1 ? argv[1] : NULL);
    struct criterion_test_set *tests = criterion_initialize();
    int code = criterion_handle_args(argc, argv, true) && !criterion_run_all_tests(tests) ? EXIT_FAILED : EXIT_FINE;
    criterion_finalize(tests);
    return code;
}
