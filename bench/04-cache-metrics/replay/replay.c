/* replay: a trace of your own through every cache: what it says of hits, of bytes, of the origin's work and of latency,
 * and where the ranking of caches changes with the metric.
 *
 *     replay TRACE|- [--sizes 1%,64MiB] [--unit bytes|objects] [--format NAME] [--hit-us N] [--miss-us N] [--warm-up P%]
 *            [--entries A,B] [--plugin FILE.so] [--json FILE] [--seed N] [--quiet]
 *
 * All entries get the same requests (traced_input.h says what becomes of a trace). Caches that see the future are told
 * it. The judge's list of what a cache holds goes along: an entry that breaks the contract has no figures, and the exit
 * code is 1.
 */
#include "traced_report.h"
#include "traced_run.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/terminal.h"
#include "base/text.h"
#include "host/trusted.h"
#include "trace/spool.h"

#include <stdlib.h>
#include <string.h>

#define LAB       "04-cache-metrics"
#define WINDOWS   100u /* so many, as long as each has a millisecond */
#define NS_PER_MS UINT64_C(1000000)

struct replay {
    struct traced_report report;
    struct traced_row found[TRACED_ENTRIES]; /* the entries, without figures */
    struct progress progress;
};

/* ---- entries ---- */

static void add_plugin(struct replay *r, const struct plugin *plugin, const char *origin, const char **names)
{
    while (*names)
        names++;
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++) {
        const struct cm_ops *ops = (*e)->ops;
        if (!ops->cache)
            continue;
        if (r->report.rows == TRACED_ENTRIES)
            error_exit(EXIT_WRONG_USE, "replay: more than %u entries", TRACED_ENTRIES);
        *names++ = (*e)->name;
        if (!text_listed(r->report.options.all.entries, (*e)->name))
            continue;
        struct traced_row *row = &r->found[r->report.rows++];
        snprintf(row->name, sizeof row->name, "%.60s%s", (*e)->name, origin);
        row->ops = ops->cache;
    }
}

static void find_entries(struct replay *r)
{
    const struct replay_options *o = &r->report.options.all;
    const char *names[2 * TRACED_ENTRIES + 1] = {NULL};
    add_plugin(r, trusted_reference(LAB, EXIT_WRONG_USE), "", names);
    if (o->plugin)
        add_plugin(r, trusted_plugin(o->plugin, LAB, EXIT_WRONG_USE), " (yours)", names);
    trusted_check_entries("replay", o->entries, LAB, names);
}

/* ---- running ---- */

static void read_input(struct traced_report *r)
{
    const struct traced_options *o = &r->options;
    const struct traced_params params = {
        .format = (enum request_format)o->format, .objects = o->unit == 1, .miss_us = (uint32_t)o->miss_us};
    struct error err;
    if (traced_input_read(spool_trace(o->all.trace), &params, &r->input, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    const uint64_t window = r->input.span_ns / WINDOWS;
    r->window_ns = window > NS_PER_MS ? window : NS_PER_MS;
    r->warm_up = (uint64_t)(o->warm_up * (double)r->input.count);
    for (uint32_t i = 0; i < o->sizes; i++)
        r->capacity[i] = traced_capacity(&o->size[i], r->input.size);
}

static void run_one(uint32_t i, void *context)
{
    struct replay *replay = context;
    struct traced_report *r = &replay->report;
    const struct traced_run_params params = {.capacity = r->capacity[i / r->rows],
                                             .seed = r->options.all.seed,
                                             .warm_up = r->warm_up,
                                             .hit_ns = 1000 * r->options.hit_us,
                                             .window_ns = r->window_ns};
    struct traced_row *row = &r->row[i];
    row->failed = traced_run(&r->input, row->ops, &params, &row->figures, &row->err) != 0;
}

static void show_progress(uint32_t finished, void *context)
{
    progress_set(&((struct replay *)context)->progress, finished);
}

static void run_all(struct replay *r)
{
    struct traced_report *report = &r->report;
    const uint32_t runs = report->options.sizes * report->rows;
    report->row = xcalloc(runs, sizeof *report->row);
    for (uint32_t i = 0; i < runs; i++)
        report->row[i] = r->found[i % report->rows];
    progress_start(&r->progress, "replaying", runs, report->options.all.quiet);
    parallel_for(runs, run_one, r, show_progress);
    progress_end(&r->progress);
}

int main(int argc, char **argv)
{
    struct replay *r = xcalloc(1, sizeof *r);
    struct traced_report *report = &r->report;
    report->options = traced_options_parse(argc, argv);
    const struct replay_options *o = &report->options.all;
    find_entries(r);
    read_input(report);
    run_all(r);
    if (!o->json || strcmp(o->json, "-") != 0)
        traced_report_print(report);
    int code = o->json ? replay_write_json(o, traced_report_json(report)) : EXIT_FINE;
    for (uint32_t i = 0; i < report->options.sizes * report->rows && code == EXIT_FINE; i++)
        code = report->row[i].failed ? EXIT_FAILED : EXIT_FINE;
    traced_input_free(&report->input);
    free(report->row);
    free(r);
    return code;
}
