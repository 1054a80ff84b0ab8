/* bench: what operations cost, by a lab's cost program; then the report with what it left. */
#include "cli/command.h"

#include "base/memory.h"
#include "base/process.h"
#include "grade/grade.h"
#include "host/plugin.h"
#include "report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_REFUSED 32

struct refused {
    char argument[MOST_REFUSED][300]; /* "entry (yours):why" */
    unsigned n;
};

/* The first test of a task that is not passed, or NULL. Points that a test gives for speed are no reason to refuse: what
 * is slow may be measured, what is wrong may not. */
static const struct grade_test *first_wrong(const struct grade_result *result, const struct lab_task *task)
{
    for (uint32_t i = 0; i < result->tests; i++) {
        const struct grade_test *t = &result->test[i];
        if (t->test->task == task && !t->passed && t->verdict != VERDICT_FINISHED && t->verdict != VERDICT_COST)
            return t;
    }
    return NULL;
}

/* A plugin of somebody's own goes through the lab's tests first, in the sandbox. */
static void check_plugin(const struct session *s, struct refused *refused)
{
    struct error err;
    struct grade_options options = {.root = s->root, .build = s->build, .quiet = s->options.quiet};
    struct grade_result *result;
    if (grade_plugin(s->lab, s->options.plugin, &options, &result, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (result->fault)
        error_exit(EXIT_CANNOT_TELL, "the tests of lab %s could not be run on %s, so nothing is timed", s->lab->id,
                   s->options.plugin);
    const struct plugin *plugin = host_load_trusted(s->options.plugin, &err);
    if (!plugin)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    for (uint32_t i = 0; i < s->lab->tasks && refused->n < MOST_REFUSED; i++) {
        const struct lab_task *task = &s->lab->task[i];
        const struct grade_test *wrong = first_wrong(result, task);
        if (wrong && plugin_find(plugin, task->entry))
            snprintf(refused->argument[refused->n++], sizeof refused->argument[0],
                     "%.60s (yours):it fails %.60s/%.60s; faultline check %s --plugin shows how", task->entry, task->id,
                     wrong->test->id, s->lab->id);
    }
    grade_result_destroy(result);
}

static enum exit_code run_cost(const struct session *s, const char *program, const char *out, const char *csv,
                               const struct refused *refused)
{
    const struct options *o = &s->options;
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)(o->have_seed ? o->seed : 1));
    const struct {
        const char *name, *value;
    } pass[] = {{"--out", out},
                {"--csv", csv},
                {"--seed", seed},
                {"--entries", o->entries},
                {"--sizes", o->sizes},
                {"--threads", o->threads},
                {"--operations", o->operations},
                {"--counters", o->counters},
                {"--plugin", o->plugin},
                {"--baseline", o->baseline},
                {"--rounds", o->rounds}};
    const char *argv[32 + 2 * MOST_REFUSED] = {program};
    size_t n = 1;
    for (size_t i = 0; i < COUNT(pass); i++)
        if (pass[i].value) {
            argv[n++] = pass[i].name;
            argv[n++] = pass[i].value;
        }
    for (unsigned i = 0; i < refused->n; i++) {
        argv[n++] = "--refuse";
        argv[n++] = refused->argument[i];
    }
    if (o->quiet)
        argv[n++] = "--quiet";
    struct process p = {.argv = argv};
    struct process_result r;
    struct error err;
    if (process_run(&p, &r, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    if (!WIFEXITED(r.status)) {
        char how[100];
        error_exit(EXIT_CANNOT_TELL, "the cost program of lab %s ended by %s", s->lab->id,
                   process_status_text(r.status, how, sizeof how));
    }
    return (enum exit_code)WEXITSTATUS(r.status);
}

enum exit_code command_bench(struct session *s)
{
    char program[FILE_PATH], out[FILE_PATH], csv[FILE_PATH];
    struct refused *refused = xcalloc(1, sizeof *refused);
    session_file(s, s->lab, "cost", program);
    session_need_build(s, s->lab);
    if (s->options.plugin)
        check_plugin(s, refused);
    file_path(out, "%s/report/costs-%s.json", s->build, s->lab->id);
    file_path(csv, "%s/report/costs-%s.csv", s->build, s->lab->id);
    enum exit_code code = run_cost(s, program, out, csv, refused);
    free(refused);
    if (code == EXIT_WRONG_USE)
        return code;
    json_error_t where;
    json_t *costs = json_load_file(out, 0, &where);
    if (!costs)
        error_exit(EXIT_CANNOT_TELL, "the cost program of lab %s left no result", s->lab->id);
    if (s->options.json && session_write_json(s->options.json, json_incref(costs)) != EXIT_FINE)
        code = EXIT_WRONG_USE;
    json_decref(costs);
    return session_report(s) == EXIT_FINE ? code : EXIT_CANNOT_TELL;
}
