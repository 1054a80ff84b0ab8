/* Runs a lab's check program, once a seed, and adds up what it leaves behind.
 *
 * The check program is ours: no code of a submission is in it. Even so its exit code and what it prints decide nothing.
 * For each test there must be a record by the test itself and a line of the runner in run.json, and they must agree;
 * anything else is the grader's fault and gives no points.
 */
#include "grade/grade.h"

#include "base/memory.h"
#include "base/one_way.h"
#include "base/process.h"
#include "base/terminal.h"
#include "base/text.h"
#include "host/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every text that enters a result does so here, whoever it is from. */
static char *copy(const char *s)
{
    const size_t n = s ? strlen(s) : 0;
    char *out = xcalloc(n + 1, 1);
    text_clean(out, n + 1, s ? s : "", n);
    return out;
}

static char *copy_line(const char *s)
{
    char *out = copy(s);
    text_clean_line(out, strlen(out) + 1, out);
    return out;
}

static void underscores(char *out, size_t size, const char *id)
{
    snprintf(out, size, "%s", id);
    for (char *p = out; *p; p++)
        if (*p == '-')
            *p = '_';
}

/* ---- one run of the program ---- */

struct seed_run {
    const struct lab *lab;
    const char *plugin;
    const struct grade_options *options;
    uint64_t seed;
    bool large;
    char folder[FILE_PATH]; /* where its records go */
};

#define VARIABLES 16
#define VARIABLE  (FILE_PATH + 40)

__attribute__((format(printf, 3, 4))) static void variable(char (*list)[VARIABLE], int *n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(list[(*n)++], VARIABLE, format, args);
    va_end(args);
}

/* Where the lab's reference is, for tests that compare with it, or NULL where none is built. */
static const char *find_reference(const struct lab *lab, const struct grade_options *options, char *out)
{
    return file_exists(file_path(out, "%s/%s/reference.so", options->build, lab->folder)) ? out : NULL;
}

/* " task/test=figure" for each test with a ramp: where it has no points any more. */
static void write_ramps(const struct lab *lab, char *out, size_t size)
{
    char task[80], name[80];
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < lab->tasks; i++)
        for (uint32_t j = 0; j < lab->task[i].tests; j++) {
            const struct lab_test *test = &lab->task[i].test[j];
            if (!(test->ramp.none > 0) || used >= size)
                continue;
            underscores(task, sizeof task, test->task->id);
            underscores(name, sizeof name, test->id);
            int n = snprintf(out + used, size - used, " %s/%s=%.17g", task, name, test->ramp.none);
            used += n > 0 ? (size_t)n : 0;
        }
}

/* What a submission takes is limited in each test, so this is for a machine that has no time for us, and for faults of
 * ours: the whole then ends without a verdict. */
#define PROGRAM_MS (2 * 3600 * 1000u)

static int run_program(const struct seed_run *run, struct error *err)
{
    const struct lab *lab = run->lab;
    char program[FILE_PATH], world[FILE_PATH], reference[FILE_PATH], ramps[VARIABLE - 40],
        filter[200] = "--filter=", task[80], name[80];
    char list[VARIABLES][VARIABLE];
    const char *environment[VARIABLES + 1] = {NULL};
    int n = 0;
    file_path(program, "%s/%s/check", run->options->build, lab->folder);
    variable(list, &n, "PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    variable(list, &n, "LC_ALL=C.UTF-8");
    variable(list, &n, "TMPDIR=%s", run->folder);
    variable(list, &n, "FAULTLINE_BUILD=%s", run->options->build);
    variable(list, &n, "FAULTLINE_PLUGIN=%s", run->plugin);
    variable(list, &n, "FAULTLINE_WORLD=%s", lab_world(lab, run->options->build, world));
    variable(list, &n, "FAULTLINE_SEED=%llu", (unsigned long long)run->seed);
    variable(list, &n, "FAULTLINE_SIZE=%s", run->large ? "large" : "small");
    variable(list, &n, "FAULTLINE_RESULTS=%s", run->folder);
    variable(list, &n, "FAULTLINE_CPU_SECONDS=%llu", (unsigned long long)lab->limits.cpu_seconds);
    variable(list, &n, "FAULTLINE_WALL_MS=%llu", (unsigned long long)lab->limits.wall_ms);
    variable(list, &n, "FAULTLINE_MEMORY=%llu", (unsigned long long)lab->limits.memory_bytes);
    variable(list, &n, "FAULTLINE_SANDBOX=%s", getenv("FAULTLINE_SANDBOX") ? getenv("FAULTLINE_SANDBOX") : "");
    if (find_reference(lab, run->options, reference))
        variable(list, &n, "FAULTLINE_REFERENCE=%s", reference);
    write_ramps(lab, ramps, sizeof ramps);
    variable(list, &n, "FAULTLINE_RAMPS=%s", ramps);
    variable(list, &n, "FAULTLINE_SHRINK=%s", run->options->as_found ? "no" : "yes");
    for (int i = 0; i < n; i++)
        environment[i] = list[i];
    char jobs[32];
    const char *argv[5] = {program, "--quiet"};
    uint32_t words = 2;
    if (run->options->jobs) {
        snprintf(jobs, sizeof jobs, "--jobs=%u", run->options->jobs);
        argv[words++] = jobs;
    }
    if (run->options->only) {
        const struct lab_test *test = lab_find_test(lab, run->options->only);
        underscores(task, sizeof task, test->task->id);
        underscores(name, sizeof name, test->id);
        snprintf(filter, sizeof filter, "--filter=%s/%s", task, name);
        argv[words++] = filter;
    }
    const unsigned most_ms = run->options->program_ms ? run->options->program_ms : PROGRAM_MS;
    struct process p = {.argv = argv, .environment = environment, .wall_ms = most_ms, .output_limit = 65536};
    struct process_result r;
    int code = process_run(&p, &r, err);
    if (code == 0 && r.timed_out)
        code = error_set(err, -ETIMEDOUT, "the tests did not end in %u minutes: is the machine too busy?",
                         most_ms / 60000);
    process_result_free(&r);
    return code;
}

/* ---- reading what it left ---- */

static json_t *load(const char *folder, const char *file)
{
    char path[FILE_PATH], *data;
    size_t size;
    if (file_read(file_path(path, "%s/%s", folder, file), 16 << 20, &data, &size, NULL) != 0)
        return NULL;
    json_t *json = json_loadb(data, size, 0, NULL);
    free(data);
    return json;
}

static const json_t *runner_line(const json_t *run, const char *task, const char *name)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(run, "tests"), i, line)
    {
        const char *t = json_string_value(json_object_get(line, "task")),
                   *n = json_string_value(json_object_get(line, "test"));
        if (t && n && strcmp(t, task) == 0 && strcmp(n, name) == 0)
            return line;
    }
    return NULL;
}

static void failed(struct grade_result *result, struct grade_test *t, enum verdict verdict, uint64_t seed,
                   const char *message)
{
    if (verdict == VERDICT_GRADER_FAULT)
        result->fault = true;
    bool first = t->verdict == VERDICT_FINISHED || t->share > 0; /* or only some points were lost so far */
    t->share = 0;
    if (!first && verdict != VERDICT_GRADER_FAULT)
        return; /* the first failure is the one that is told */
    free(t->message);
    t->message = copy(message);
    t->verdict = verdict;
    t->seed = seed;
}

/* A run in which everything was right, and a figure is graded. The worst one counts. */
static void weigh(struct grade_test *t, double figure, uint64_t seed, const char *message)
{
    double share = lab_share(&t->test->ramp, figure);
    t->passed_runs += share >= 1;
    if (t->measured == 0 || share < lab_share(&t->test->ramp, t->measured))
        t->measured = figure;
    if (share >= t->share)
        return;
    bool told = t->verdict == VERDICT_FINISHED || t->verdict == VERDICT_COST;
    t->share = share;
    if (!told)
        return;
    free(t->message);
    t->message = copy(message);
    t->verdict = VERDICT_COST;
    t->seed = seed;
}

static void add_up(struct grade_result *result, struct grade_test *t, const json_t *run, const struct seed_run *how)
{
    char task[80], name[80], file[200];
    underscores(task, sizeof task, t->test->task->id);
    underscores(name, sizeof name, t->test->id);
    snprintf(file, sizeof file, "%s.%s.json", task, name);
    json_t *record = load(how->folder, file);
    const json_t *line = runner_line(run, task, name), *said = json_object_get(record, "passed"),
                 *seen = json_object_get(line, "passed"), *figure = json_object_get(record, "measured");
    const char *message = json_string_value(json_object_get(record, "message"));
    const char *drawing = json_string_value(json_object_get(record, "drawing"));
    enum verdict verdict;
    if (drawing && !t->hidden && !*t->drawing) {
        free(t->drawing);
        t->drawing = copy(drawing);
    }
    t->runs++;
    t->seconds += json_number_value(json_object_get(line, "seconds"));
    if (!record || !line || !json_is_boolean(said) || json_is_true(said) != json_is_true(seen) ||
        verdict_from_id(json_string_value(json_object_get(record, "verdict")), &verdict) != 0)
        failed(result, t, VERDICT_GRADER_FAULT, how->seed, "the test left no result that can be believed");
    else if (!json_is_true(said))
        failed(result, t, verdict, how->seed, message);
    else if ((t->test->ramp.full > 0) != (json_number_value(figure) > 0))
        failed(result, t, VERDICT_GRADER_FAULT, how->seed,
               t->test->ramp.full > 0 ? "the test left no figure for its ramp"
                                      : "the test measured, but lab.json has no ramp for it");
    else if (figure)
        weigh(t, json_number_value(figure), how->seed, message);
    else
        t->passed_runs++;
    json_decref(record);
}

static int run_seed(struct grade_result *result, struct seed_run *run, bool hidden, struct error *err)
{
    int code = file_temp_dir(run->folder, "faultline-check", err);
    if (code)
        return code;
    code = run_program(run, err);
    if (code == 0) {
        json_t *seen = load(run->folder, "run.json");
        for (uint32_t i = 0; i < result->tests; i++)
            if (result->test[i].hidden == hidden)
                add_up(result, &result->test[i], seen, run);
        json_decref(seen);
    }
    file_remove_tree(run->folder);
    return code;
}

/* ---- the result ---- */

static void note_left_out(struct grade_result *result, const struct lab_test *test)
{
    char *notes = NULL;
    if (asprintf(&notes, "%s%s%s is left out, with its %u points: it compares with the reference, which is not here",
                 result->notes, *result->notes ? "\n" : "", test->id, test->points) < 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    free(result->notes);
    result->notes = notes;
}

static struct grade_result *empty_result(const struct lab *lab, const struct grade_options *options)
{
    char reference[FILE_PATH];
    bool have_reference = find_reference(lab, options, reference);
    struct grade_result *result = xcalloc(1, sizeof *result);
    uint32_t n = 0;
    for (uint32_t i = 0; i < lab->tasks; i++)
        n += lab->task[i].tests;
    result->test = xcalloc(2 * n + 1, sizeof *result->test);
    result->lab = lab;
    result->submission = copy("");
    result->notes = copy("");
    result->build_output = copy("");
    result->built = true;
    result->layers = sandbox_layers(NULL);
    result->secret = options->secret;
    const struct lab_test *only = options->only ? lab_find_test(lab, options->only) : NULL;
    for (int hidden = 0; hidden < (options->secret ? 2 : 1); hidden++)
        for (uint32_t i = 0; i < lab->tasks; i++)
            for (uint32_t j = 0; j < lab->task[i].tests; j++) {
                const struct lab_test *test = &lab->task[i].test[j];
                uint32_t max = hidden ? test->hidden_points : test->points;
                if ((only && only != test) || (hidden && max == 0))
                    continue;
                if (test->needs && !have_reference) {
                    if (!hidden)
                        note_left_out(result, test);
                    continue;
                }
                struct grade_test *t = &result->test[result->tests++];
                *t = (struct grade_test){
                    .test = test, .hidden = hidden, .max = max, .share = 1, .message = copy(""), .drawing = copy("")};
            }
    return result;
}

static void count_points(struct grade_result *result)
{
    for (uint32_t i = 0; i < result->tests; i++) {
        struct grade_test *t = &result->test[i];
        t->passed = t->runs > 0 && t->passed_runs == t->runs && t->verdict == VERDICT_FINISHED;
        t->score = t->runs > 0 ? lab_share_points(t->share, t->max) : 0;
        result->score += t->score;
        result->max += t->max;
        result->public_score += t->hidden ? 0 : t->score;
        result->public_max += t->hidden ? 0 : t->max;
    }
}

int grade_plugin(const struct lab *lab, const char *plugin, const struct grade_options *options,
                 struct grade_result **out, struct error *err)
{
    char absolute[PATH_MAX];
    if (!realpath(plugin, absolute))
        return error_set(err, -errno, "%s: %s", plugin, strerror(errno));
    struct grade_result *result = empty_result(lab, options);
    if (result->tests == 0) {
        error_set(err, -ENOENT, "%s", result->notes);
        grade_result_destroy(result);
        return -ENOENT;
    }
    uint64_t start = process_clock_ns();
    uint32_t publics = options->seed ? 1 : lab->public_seeds, hiddens = options->secret ? lab->hidden_seeds : 0;
    struct progress progress;
    progress_start(&progress, "testing", publics + hiddens, options->quiet);
    int code = 0;
    for (uint32_t i = 0; i < publics + hiddens && code == 0; i++) {
        bool hidden = i >= publics;
        struct seed_run run = {.lab = lab, .plugin = absolute, .options = options, .large = hidden};
        run.seed = hidden          ? one_way("hidden seed", options->secret, i - publics)
                   : options->seed ? options->seed
                                   : lab->public_seed[i];
        code = run_seed(result, &run, hidden, err);
        progress_set(&progress, i + 1);
    }
    progress_end(&progress);
    count_points(result);
    result->seconds = grade_time(result, (double)(process_clock_ns() - start) * 1e-9);
    if (code) {
        grade_result_destroy(result);
        return code;
    }
    *out = result;
    return 0;
}

/* A result in which every test failed for the same reason, without having been run. */
static struct grade_result *unbuilt(const struct lab *lab, const struct grade_options *options, enum verdict verdict,
                                    const char *message)
{
    struct grade_result *result = empty_result(lab, options);
    result->built = verdict != VERDICT_NO_BUILD;
    for (uint32_t i = 0; i < result->tests; i++)
        failed(result, &result->test[i], verdict, 0, message);
    count_points(result);
    return result;
}

int grade_submission(const struct lab *lab, const char *folder, const struct grade_options *options,
                     struct grade_result **out, struct error *err)
{
    struct error why;
    unsigned layers = sandbox_layers(&why);
    bool unsafe = (layers & SANDBOX_NEEDED) != SANDBOX_NEEDED;
    if (unsafe && !options->allow_unsafe) {
        char have[100];
        return error_set(
            err, -EPERM,
            "grading needs the sandbox layers namespaces and seccomp; here work: %s (%.300s). Install bubblewrap, or "
            "allow user "
            "namespaces, or say --allow-unsafe to run the submission all the same (the report then says so)",
            sandbox_describe(layers, have, sizeof have), why.text);
    }
    char work[FILE_PATH], plugin[FILE_PATH], *notes = NULL, *output = NULL;
    for (uint32_t i = 0; i < lab->tasks; i++)
        for (uint32_t j = 0; j < lab->task[i].tests; j++)
            if (lab->task[i].test[j].needs && !find_reference(lab, options, work))
                return error_set(err, -ENOENT, "%s: is missing, and %s compares with it: no grade without it", work,
                                 lab->task[i].test[j].id);
    uint64_t start = process_clock_ns();
    int code = file_temp_dir(work, "faultline-grade", err);
    if (code)
        return code;
    code = submission_take(lab, folder, work, &notes, err);
    if (code == 0) {
        code = submission_build(lab, options, work, plugin, &output, err);
        if (code == 0)
            code = grade_plugin(lab, plugin, options, out, err);
        else if (code == -ENOEXEC) {
            *out = unbuilt(lab, options, VERDICT_NO_BUILD, err->text);
            code = 0;
        }
    } else if (code == -ENOENT || code == -EINVAL) {
        *out = unbuilt(lab, options, VERDICT_NO_BUILD, err->text);
        code = file_is_dir(folder) ? 0 : code;
    }
    if (code == 0) {
        char name[PATH_MAX];
        free((*out)->submission), free((*out)->notes), free((*out)->build_output);
        (*out)->submission = copy_line(realpath(folder, name) ? strrchr(name, '/') + 1 : folder);
        (*out)->notes = copy(notes);
        (*out)->build_output = copy(output);
        (*out)->unsafe = unsafe;
        (*out)->seconds = grade_time(*out, (double)(process_clock_ns() - start) * 1e-9);
    }
    free(notes);
    free(output);
    file_remove_tree(work);
    return code;
}
