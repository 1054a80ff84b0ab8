/* The cost program as an engineer and a student run it: what comes out, not how fast anything is. */
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

TestSuite(cost, .timeout = 300);

static char folder[FILE_PATH];

static void clean(void)
{
    file_remove_tree(folder);
}

/* Runs the cost program; what it said goes into said. Returns its exit code. */
static int run_cost(const char *const *arguments, char *said, size_t size)
{
    char program[FILE_PATH];
    const char *argv[32] = {file_build_path(program, "labs/01-load-balancing/cost"), "--quiet"};
    size_t n = 2;
    while (*arguments && n < 31)
        argv[n++] = *arguments++;
    struct process p = {.argv = argv, .wall_ms = 200000, .output_limit = 20000};
    struct process_result r;
    struct error err;
    cr_assert(process_run(&p, &r, &err) == 0, "%s", err.text);
    snprintf(said, size, "%s", r.output);
    int code = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : -1;
    process_result_free(&r);
    return code;
}

static const char *file(char *out, const char *name)
{
    struct error err;
    if (!*folder) {
        cr_assert(file_temp_dir(folder, "cost-test", &err) == 0, "%s", err.text);
        atexit(clean);
    }
    return file_path(out, "%s/%s", folder, name);
}

static json_t *small_run(const char *name, const char *csv)
{
    char out[FILE_PATH], table[FILE_PATH], said[20000];
    const char *arguments[] = {"--entries",
                               "round-robin,weighted-least-connections",
                               "--operations",
                               "pick",
                               "--sizes",
                               "4,16,64,256",
                               "--threads",
                               "1",
                               "--rounds",
                               "8",
                               "--out",
                               file(out, name),
                               "--csv",
                               file(table, csv),
                               NULL};
    int code = run_cost(arguments, said, sizeof said);
    cr_assert(code == 0, "exit code %d: %s", code, said);
    json_t *json = json_load_file(out, 0, NULL);
    cr_assert(json != NULL, "it left a result");
    return json;
}

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "";
}

Test(cost, every_cell_has_a_value_or_a_reason)
{
    static const char *const fields[] = {"lab", "entry", "operation", "state", "metric", "unit", "source"};
    json_t *json = small_run("a.json", "a.csv"), *row;
    size_t i, times = 0, lines = 0;
    json_array_foreach(json_object_get(json, "rows"), i, row)
    {
        for (size_t f = 0; f < COUNT(fields); f++)
            cr_assert(*text(row, fields[f]), "row %zu has no %s", i, fields[f]);
        const json_t *value = json_object_get(row, "value");
        cr_assert(value || *text(row, "reason"), "row %zu (%s) has neither a value nor a reason", i,
                  text(row, "metric"));
        cr_assert(!value == (strcmp(text(row, "source"), "n/a") == 0),
                  "row %zu: n/a is for what has no value, and only that", i);
        cr_assert(json_integer_value(json_object_get(row, "threads")) == 1, "one thread");
        times += strcmp(text(row, "metric"), "time") == 0 && json_number_value(value) > 0;
    }
    cr_assert(times == 2 * 4 * 2, "2 entries, 4 sizes, 2 states: %zu times", times);
    char path[FILE_PATH], *data;
    size_t size;
    struct error err;
    cr_assert(file_read(file(path, "a.csv"), 10 << 20, &data, &size, &err) == 0, "%s", err.text);
    for (const char *p = data; (p = strchr(p, '\n')); p++)
        lines++;
    cr_assert(lines == 1 + json_array_size(json_object_get(json, "rows")), "a line a row, and the header: %zu", lines);
    free(data);
    json_decref(json);
}

static double counted(const json_t *json, const char *entry, int n, const char *metric)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(json, "rows"), i, row)
    {
        if (strcmp(text(row, "entry"), entry) == 0 && strcmp(text(row, "metric"), metric) == 0 &&
            strcmp(text(row, "source"), "simulated") == 0 && json_integer_value(json_object_get(row, "size")) == n)
            return json_number_value(json_object_get(row, "value"));
    }
    return NAN;
}

/* Where valgrind can run; a build with a sanitizer, say, has no counts, and then the rows say why. */
Test(cost, simulated_counts_are_the_same_on_every_run)
{
    json_t *a = small_run("a.json", "a.csv"), *b = small_run("b.json", "b.csv"), *growth;
    size_t i;
    if (*text(a, "callgrind")) {
        cr_assert(*text(b, "callgrind"), "no callgrind twice: %s", text(a, "callgrind"));
        return;
    }
    for (int n = 4; n <= 256; n *= 4) {
        double x = counted(a, "weighted-least-connections", n, "instructions"),
               y = counted(b, "weighted-least-connections", n, "instructions");
        cr_assert(x == y && x > n, "%d backends: %g instructions, then %g", n, x, y);
        x = counted(a, "weighted-least-connections", n, "data-reads");
        cr_assert(x > n, "a scan reads at least a word of each backend: %g", x);
    }
    json_array_foreach(json_object_get(a, "growth"), i, growth)
    {
        bool scan = strcmp(text(growth, "entry"), "weighted-least-connections") == 0;
        cr_assert(strcmp(text(growth, "model"), scan ? "n" : "constant") == 0, "%s grows like %s",
                  text(growth, "entry"), text(growth, "model"));
    }
    cr_assert(i == 2, "two entries, two laws");
    json_decref(a);
    json_decref(b);
}

Test(cost, wrong_use_is_said)
{
    static const struct {
        const char *arguments[4], *says;
    } cases[] = {
        {{"--entries", "two-choises", NULL}, "was two-choices meant"},
        {{"--sizes", "10,x", NULL}, "numbers above 0"},
        {{"--sizes", "0", NULL}, "numbers above 0"},
        {{"--counters", "many", NULL}, "auto, hardware, software, simulated or all"},
        {{"--baseline", "/nowhere/at-all.json", NULL}, "/nowhere/at-all.json"},
        {{"--operations", "nap", NULL}, "nothing to measure"},
        {{"--rounds", "1", NULL}, "from 8 to"},
        {{"--seed", NULL}, "needs a value"},
        {{"--plugin", "/nowhere/mine.so", NULL}, "/nowhere/mine.so"},
        {{"--frobnicate", NULL}, "there is no option --frobnicate"},
        {{"--round", "8", NULL}, "was --rounds meant?"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char said[20000];
        int code = run_cost(cases[i].arguments, said, sizeof said);
        cr_assert(code == 2 && strstr(said, cases[i].says), "%s: exit code %d, said: %s", cases[i].arguments[0], code,
                  said);
    }
}

Test(cost, what_is_refused_is_not_timed)
{
    char out[FILE_PATH], said[20000];
    const char *arguments[] = {"--entries",
                               "random,round-robin",
                               "--operations",
                               "pick",
                               "--sizes",
                               "10",
                               "--threads",
                               "1",
                               "--counters",
                               "software",
                               "--rounds",
                               "8",
                               "--refuse",
                               "random:it fails a test",
                               "--out",
                               file(out, "refused.json"),
                               NULL};
    int code = run_cost(arguments, said, sizeof said);
    cr_assert(code == 1 && strstr(said, "it fails a test"), "exit code %d: %s", code, said);
    json_t *json = json_load_file(out, 0, NULL), *row;
    size_t i;
    json_array_foreach(json_object_get(json, "rows"), i, row)
    {
        if (strcmp(text(row, "entry"), "random") == 0)
            cr_assert(!json_object_get(row, "value") && strstr(text(row, "reason"), "it fails a test"), "%s",
                      text(row, "metric"));
    }
    json_decref(json);
}

/* An entry that breaks the contract is noticed before it is timed. */
Test(cost, a_wrong_entry_is_refused)
{
    char plugin[FILE_PATH], said[20000];
    file_build_path(plugin, "labs/01-load-balancing/mistakes/removed_spends_its_savings.so");
    const char *arguments[] = {
        "--plugin",  plugin, "--entries",  "smooth-weighted", "--operations", "pick", "--sizes", "10",
        "--threads", "1",    "--counters", "software",        "--rounds",     "8",    NULL};
    int code = run_cost(arguments, said, sizeof said);
    cr_assert(code == 1 && strstr(said, "smooth-weighted (yours)") && strstr(said, "left or has weight 0"),
              "exit code %d: %s", code, said);
}
