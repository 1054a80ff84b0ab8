/* replay.c: the main program of every lab's replay: options, entries, all of them over the same input, table, result. */
#include "replay/replay.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/terminal.h"
#include "base/text.h"
#include "host/trusted.h"
#include "report/table.h"
#include "trace/spool.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ENTRIES 128

struct run {
    const struct replay_suite *suite;
    struct replay_options options;
    struct replay_row row[MOST_ENTRIES];
    uint32_t rows;
    struct progress progress;
};

/* ---- options ---- */

static int lab_number(const char *lab_folder)
{
    return (int)strcspn(lab_folder, "-");
}

void replay_read_options(struct replay_options *o, const char *lab_folder, const char *example,
                         const struct option_row *own, uint32_t n, int argc, char **argv)
{
    struct option_row row[OPTIONS_MOST] = {
        option_text("entries", "A,B", &o->entries, NULL), option_text("plugin", "FILE.so", &o->plugin, NULL),
        option_text("json", "FILE", &o->json, NULL), option_number("seed", &o->seed, NULL, NULL),
        option_flag("quiet", &o->quiet, NULL)};
    char see[80];
    struct option_table table = {
        .program = "replay", .see = see, .row = row, .rows = 5 + n, .word = &o->trace, .most_words = 1};
    *o = (struct replay_options){.seed = 1};
    snprintf(see, sizeof see, "faultline replay %.*s --help", lab_number(lab_folder), lab_folder);
    for (uint32_t i = 0; i < n; i++)
        row[5 + i] = own[i];
    options_read_or_leave(&table, argc, argv);
    if (!o->trace)
        error_exit(EXIT_WRONG_USE, "replay: %s", example);
}

/* ---- entries ---- */

static struct replay_row *add_row(struct run *run, const char *name, const char *origin)
{
    if (run->rows == MOST_ENTRIES)
        error_exit(EXIT_WRONG_USE, "replay: more than %d entries", MOST_ENTRIES);
    struct replay_row *row = &run->row[run->rows++];
    snprintf(row->name, sizeof row->name, "%.60s%s", name, origin);
    return row;
}

/* names: of all that could have been asked for. */
static void add_plugin(struct run *run, const struct plugin *plugin, const char *origin, const char **names)
{
    const struct replay_suite *s = run->suite;
    const char *list = run->options.entries;
    if (plugin->last - plugin->first > MOST_ENTRIES)
        error_exit(EXIT_WRONG_USE, "replay: a plugin has more than %d entries", MOST_ENTRIES);
    while (*names)
        names++;
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++) {
        if (s->takes && !s->takes(*e))
            continue;
        *names++ = (*e)->name;
        if (text_listed(list, (*e)->name))
            add_row(run, (*e)->name, origin)->ops = (*e)->ops;
    }
    for (const char *p = list ? list : s->usual_compound; s->compound && p && *p;
         p += strcspn(p, ","), p += *p == ',') {
        struct replay_row found = {.ops = NULL};
        char *name = strndup(p, strcspn(p, ",")); /* kept among the names */
        if (!name || !strchr(name, '+') || !s->compound(plugin, name, &found)) {
            free(name);
            continue;
        }
        *names++ = name;
        struct replay_row *row = add_row(run, name, origin);
        row->ops = found.ops;
        row->inner = found.inner;
    }
}

static void find_entries(struct run *run)
{
    const char *folder = run->suite->lab_folder, **names = xcalloc(4 * MOST_ENTRIES, sizeof *names);
    add_plugin(run, trusted_reference(folder, EXIT_WRONG_USE), "", names);
    if (run->options.plugin)
        add_plugin(run, trusted_plugin(run->options.plugin, folder, EXIT_WRONG_USE), " (yours)", names);
    trusted_check_entries("replay", run->options.entries, folder, names);
    free(names);
}

/* ---- running ---- */

static void run_row(uint32_t i, void *context)
{
    struct run *run = context;
    struct replay_row *row = &run->row[i];
    row->failed = run->suite->run(row, &run->options) != 0;
}

static void show_progress(uint32_t finished, void *context)
{
    progress_set(&((struct run *)context)->progress, finished);
}

/* ---- telling ---- */

void replay_print_lines(const struct access_log_counts *counts, uint64_t backwards)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    if (counts->malformed) {
        printf("%s of %s lines are malformed and left out; the first: line", text_count(a, counts->malformed),
               text_count(b, counts->lines));
        for (uint64_t i = 0; i < counts->malformed && i < ACCESS_LOG_SHOWN; i++)
            printf("%s %llu", i ? "," : "", (unsigned long long)counts->first_malformed[i]);
        putchar('\n');
    }
    if (backwards)
        printf("%s lines have an earlier time than one before them (servers log when they answer); they count as at "
               "that time\n",
               text_count(a, backwards));
}

static void print_table(const struct run *run)
{
    const struct replay_suite *s = run->suite;
    struct table *t = table_create();
    table_column(t, "entry", TABLE_LEFT);
    for (uint32_t k = 0; k < s->figures; k++)
        if (s->figure[k].column)
            table_column(t, s->figure[k].column, TABLE_POINT);
    for (uint32_t i = 0; i < run->rows; i++) {
        const struct replay_row *row = &run->row[i];
        bool first = true;
        table_cell(t, "%s", row->name);
        for (uint32_t k = 0; k < s->figures; k++) {
            if (!s->figure[k].column)
                continue;
            if (row->failed)
                table_cell(t, "%s", first ? "n/a" : "");
            else if (isnan(row->figure[k]))
                table_cell(t, "too few");
            else
                table_cell(t, "%.*f", s->figure[k].digits, row->figure[k]);
            first = false;
        }
    }
    table_print(stdout, t, 0);
    table_destroy(t);
    printf("\nSource of all figures: %s%s\n", s->source, s->note);
    for (uint32_t i = 0; i < run->rows; i++)
        if (run->row[i].failed)
            printf("%s n/a: %s\n", run->row[i].name, run->row[i].err.text);
}

static json_t *rows_json(const struct run *run, const char *lab)
{
    const struct replay_suite *s = run->suite;
    json_t *rows = json_array();
    for (uint32_t i = 0; i < run->rows; i++)
        for (uint32_t k = 0; k < s->figures; k++) {
            const struct replay_row *row = &run->row[i];
            const struct replay_figure *f = &s->figure[k];
            const char *why = row->failed ? row->err.text : isnan(row->figure[k]) ? f->none : NULL;
            if (!f->metric)
                continue;
            json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "lab", lab, "entry", row->name, "operation",
                                  "replay", "metric", f->metric, "unit", f->unit, "source", why ? "n/a" : s->source);
            json_object_set_new(o, why ? "reason" : "value", why ? json_string(why) : json_real(row->figure[k]));
            json_array_append_new(rows, o);
        }
    return rows;
}

int replay_write_json(const struct replay_options *options, json_t *result)
{
    struct error err;
    const int code = json_file_write(options->json, result, &err);
    json_decref(result);
    if (code)
        fprintf(stderr, "faultline: %s\n", err.text);
    return code ? EXIT_WRONG_USE : EXIT_FINE;
}

static json_t *result(const struct run *run)
{
    char lab[8];
    snprintf(lab, sizeof lab, "%.*s", lab_number(run->suite->lab_folder), run->suite->lab_folder);
    json_t *o = json_pack("{s:i, s:s, s:I}", "format", 1, "lab", lab, "seed", (json_int_t)run->options.seed);
    if (run->suite->json)
        run->suite->json(o);
    json_object_set_new(o, "rows", rows_json(run, lab));
    return o;
}

int replay_main(int argc, char **argv, const struct replay_suite *suite)
{
    struct run *run = xcalloc(1, sizeof *run);
    struct error err;
    run->suite = suite;
    replay_read_options(&run->options, suite->lab_folder, suite->example, suite->option, suite->options, argc, argv);
    if (suite->settle)
        suite->settle();
    find_entries(run);
    if (suite->read(spool_trace(run->options.trace), &run->options, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    progress_start(&run->progress, "replaying", run->rows, run->options.quiet);
    parallel_for(run->rows, run_row, run, show_progress);
    progress_end(&run->progress);
    for (uint32_t i = 0; i < run->rows && suite->none_may_fail; i++)
        if (run->row[i].failed)
            error_exit(EXIT_FAILED, "%s: %s", run->row[i].name, run->row[i].err.text);
    if (!run->options.json || strcmp(run->options.json, "-") != 0) {
        if (suite->print)
            suite->print(&run->options);
        putchar('\n');
        print_table(run);
    }
    const int code = run->options.json ? replay_write_json(&run->options, result(run)) : EXIT_FINE;
    free(run);
    return code;
}
