#include "grade/check.h"

#include "base/file.h"
#include "base/text.h"

#include <criterion/hooks.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *task, *name;
    unsigned runs;
} now; /* of this process, which runs one test */

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    uint64_t value;
    return text_number(getenv(variable), &value) ? value : otherwise;
}

uint64_t check_seed(void)
{
    return number_from("FAULTLINE_SEED", 1);
}

bool check_large(void)
{
    const char *size = getenv("FAULTLINE_SIZE");
    return size && strcmp(size, "large") == 0;
}

/* ---- the record that a test leaves
 * ---------------------------------------------------------------------------------------- */

static int write_json(const char *file, json_t *json)
{
    const char *folder = getenv("FAULTLINE_RESULTS");
    char path[FILE_PATH];
    int code = 0;
    if (folder) {
        char *text = json_dumps(json, JSON_INDENT(1) | JSON_SORT_KEYS);
        code = text ? file_write(file_path(path, "%s/%s", folder, file), text, strlen(text), NULL) : -ENOMEM;
        free(text);
    }
    json_decref(json);
    return code;
}

static void record(bool passed, enum verdict verdict, const char *message)
{
    char file[200];
    snprintf(file, sizeof file, "%s.%s.json", now.task, now.name);
    json_t *json = json_pack("{s:s, s:s, s:b, s:s, s:s}", "task", now.task, "test", now.name, "passed", passed,
                             "verdict", verdict_id(verdict), "message", message);
    if (!json || write_json(file, json) != 0)
        cr_assert_fail("the record of the test could not be written");
}

void check_begin(const char *task, const char *name)
{
    now.task = task;
    now.name = name;
}

void check_end(void)
{
    record(true, VERDICT_FINISHED, "");
    cr_assert(true, "passed");
}

#define MESSAGE 8192

static _Noreturn void fail(enum verdict verdict, const char *raw)
{
    char clean[MESSAGE];
    text_clean(clean, sizeof clean, raw, strlen(raw));
    record(false, verdict, clean);
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
    fail(VERDICT_WRONG, raw);
}

/* ---- running an entry
 * ------------------------------------------------------------------------------------------------------- */

void check_host_try(const char *entry, const void *scenario, size_t size, uint32_t record_size, uint64_t records,
                    struct host_outcome *outcome)
{
    const char *plugin = getenv("FAULTLINE_PLUGIN");
    struct host_request request = {
        .plugin = plugin ? plugin : "",
        .entry = entry,
        .scenario = scenario,
        .scenario_size = size,
        .record_size = record_size,
        .records = records,
        .limits = {number_from("FAULTLINE_CPU_SECONDS", 20), number_from("FAULTLINE_WALL_MS", 60000),
                   number_from("FAULTLINE_MEMORY", 1u << 30)},
    };
    host_run(&request, outcome);
}

/* The scenario goes into a file where a debugger can start from: `make check DEBUG=1` prints how. */
void check_host(const char *entry, const void *scenario, size_t size, uint32_t record_size, uint64_t records,
                struct host_outcome *outcome)
{
    check_host_try(entry, scenario, size, record_size, records, outcome);
    if (outcome->verdict == VERDICT_FINISHED)
        return;
    const char *said = outcome->output;
    check_fail(outcome->verdict, "%s: %s%s%.600s", entry, outcome->sentence, *said ? "\nIt printed: " : "", said);
}

uint32_t check_shrink(void *items, uint32_t n, size_t size, uint32_t budget,
                      bool (*fails)(const void *, uint32_t, void *), void *context)
{
    char *all = items, *trial = malloc(n * size + 1);
    for (uint32_t chunk = n / 2; trial && chunk >= 1; chunk /= 2)
        for (uint32_t at = 0; at < n && budget > 0;) {
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

/* ---- what Criterion's runner saw, in a process that the tests can't reach
 * ------------------------------------------------------ */

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
