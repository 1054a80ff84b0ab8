/* replay: an access log through every entry, on the fleet of the article.
 *
 *     replay LOG|- [--rate N] [--entries A,B] [--plugin FILE.so] [--seed N] [--json FILE] [--quiet]
 *
 * Every entry gets the same requests at the same moments, so differences between rows are the entries' alone. What the
 * table can't say: the log has the requests that one real server answered, not those that a fleet would have got had it
 * answered faster or slower (clients wait for answers before they ask for more), and its bytes stand for work.
 */
#include "adapter.h"
#include "trace.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/parallel.h"
#include "base/terminal.h"
#include "base/text.h"
#include "base/version.h"
#include "host/host.h"
#include "report/table.h"
#include "trace/spool.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_ENTRIES 128

struct settings {
    const char *trace, *entries, *plugin, *json;
    double rate;
    uint64_t seed;
    bool quiet;
};

struct row {
    char name[80];
    const struct lb_ops *ops, *inner;
    struct fleet_result result;
    struct error error;
    bool failed;
};

static struct {
    struct settings settings;
    const char *path; /* of the log, which is read many times */
    struct trace_facts facts;
    struct row row[MOST_ENTRIES];
    uint32_t rows;
    struct progress progress;
} run;

/* The article's ten servers. Weights say what the operator knows: a tenth of the speed. */
static const struct fleet_server servers[] = {{1500, 150, 0}, {1500, 150, 0}, {1500, 150, 0}, {1000, 100, 0},
                                              {1000, 100, 0}, {1000, 100, 0}, {1000, 100, 0}, {500, 50, 0},
                                              {500, 50, 0},   {500, 50, 0}};
enum { SERVERS = sizeof servers / sizeof *servers };
#define CAPACITY  10000.0
#define QUEUE_CAP 100

/* ---- what was asked for ---- */

static const char *value_of(int argc, char **argv, int *i)
{
    if (++*i >= argc)
        error_exit(EXIT_WRONG_USE, "replay: %s needs a value", argv[*i - 1]);
    return argv[*i];
}

static void parse(int argc, char **argv)
{
    struct settings *s = &run.settings;
    *s = (struct settings){.rate = 6000, .seed = 1};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--quiet") == 0) {
            s->quiet = true;
        } else if (strcmp(word, "--rate") == 0) {
            const char *text = value_of(argc, argv, &i);
            char *end;
            s->rate = strtod(text, &end);
            if (*end || !(s->rate > 0) || s->rate > 1e9)
                error_exit(EXIT_WRONG_USE, "replay: --rate takes requests a second, above 0 and up to 1e9, not \"%s\"",
                           text);
        } else if (strcmp(word, "--seed") == 0) {
            if (!text_number(value_of(argc, argv, &i), &s->seed))
                error_exit(EXIT_WRONG_USE, "replay: --seed takes a number, not \"%s\"", argv[i]);
        } else if (strcmp(word, "--entries") == 0) {
            s->entries = value_of(argc, argv, &i);
        } else if (strcmp(word, "--plugin") == 0) {
            s->plugin = value_of(argc, argv, &i);
        } else if (strcmp(word, "--json") == 0) {
            s->json = value_of(argc, argv, &i);
        } else if (s->trace || (word[0] == '-' && word[1])) {
            error_exit(EXIT_WRONG_USE, "replay: \"%s\" is not understood; see faultline replay 01 --help", word);
        } else {
            s->trace = word;
        }
    }
    if (!s->trace)
        error_exit(EXIT_WRONG_USE, "replay: which trace? For example: faultline replay 01 access.log");
}

/* ---- entries ---- */

static void add_row(const char *name, const char *origin, const struct lb_ops *ops, const struct lb_ops *inner)
{
    if (run.rows == MOST_ENTRIES)
        error_exit(EXIT_WRONG_USE, "replay: more than %d entries", MOST_ENTRIES);
    struct row *row = &run.row[run.rows++];
    snprintf(row->name, sizeof row->name, "%.60s%s", name, origin);
    row->ops = ops;
    row->inner = inner;
}

static void add_plugin(const char *path, const char *origin)
{
    struct error err;
    const struct plugin *plugin = host_load_trusted(path, &err);
    if (!plugin)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (strcmp(plugin->lab, "01") != 0)
        error_exit(EXIT_WRONG_USE, "%s: is a plugin of lab %s", path, plugin->lab);
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++) {
        const struct lb_ops *ops = (*e)->ops;
        if (!ops->wraps && text_listed(run.settings.entries, (*e)->name))
            add_row((*e)->name, origin, ops, NULL);
    }
    /* Wrappers: those that were named, or as an example the one that needs one most. */
    const char *list = run.settings.entries ? run.settings.entries : "outlier-ejection+least-connections";
    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',') {
        char name[64];
        const struct lb_ops *inner, *ops;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(p, ","), p);
        if (strchr(name, '+') && (ops = adapter_find(plugin, name, &inner)))
            add_row(name, origin, ops, inner);
    }
}

static void find_entries(void)
{
    char path[FILE_PATH];
    const char *build = getenv("FAULTLINE_BUILD");
    add_plugin(file_path(path, "%s/labs/01-load-balancing/reference.so", build && *build ? build : "build"), "");
    if (run.settings.plugin)
        add_plugin(run.settings.plugin, " (yours)");
    for (const char *p = run.settings.entries; p && *p; p += strcspn(p, ","), p += *p == ',') {
        bool found = false;
        size_t n = strcspn(p, ",");
        for (uint32_t i = 0; i < run.rows; i++)
            found = found ||
                    (strncmp(run.row[i].name, p, n) == 0 && (run.row[i].name[n] == '\0' || run.row[i].name[n] == ' '));
        if (!found)
            error_exit(EXIT_WRONG_USE, "replay: there is no entry %.*s (faultline list 01 shows all)", (int)n, p);
    }
}

/* ---- the log ---- */

static void read_trace(void)
{
    struct error err;
    run.path = spool_trace(run.settings.trace);
    if (trace_examine(run.path, &run.facts, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
}

/* ---- running
 * --------------------------------------------------------------------------------------------------------------------
 */

static void replay_row(uint32_t i, void *context)
{
    struct row *row = &run.row[i];
    (void)context;
    struct fleet_scenario scenario = {.seed = run.settings.seed,
                                      .servers = SERVERS,
                                      .balancers = 1,
                                      .work = dist_constant(1),
                                      .queue_cap = QUEUE_CAP,
                                      .report_every_ns = 1000000,
                                      .balancer = {.ewma_decay_ns = 1000000000,
                                                   .eject_after = 5,
                                                   .eject_max_percent = 50,
                                                   .eject_for_ns = 5000000000},
                                      .server = servers};
    struct trace *trace;
    row->failed = true;
    if (trace_open(run.path, &run.facts, run.settings.rate, &trace, &row->error) != 0)
        return;
    struct fleet_source source = trace_source(trace);
    row->failed = fleet_run_entry(&scenario, &source, row->ops, row->inner, &row->result, &row->error) != 0;
    if (!row->failed && trace_error(trace)) {
        row->failed = true;
        row->error = *trace_error(trace);
    }
    trace_close(trace);
}

static void show_progress(uint32_t finished, void *context)
{
    (void)context;
    progress_set(&run.progress, finished);
}

/* The busiest server's share of its time with work, over the mean of all: 1 is even. */
static double imbalance(const struct fleet_result *r)
{
    double most = 0, sum = 0;
    for (size_t i = 0; i < SERVERS; i++) {
        double busy = (double)r->server[i].busy_ns;
        most = busy > most ? busy : most;
        sum += busy;
    }
    return sum > 0 ? most * (double)SERVERS / sum : 1;
}

/* ---- telling
 * ----------------------------------------------------------------------------------------------------------------------
 */

static void print_facts(void)
{
    const struct trace_facts *f = &run.facts;
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER];
    printf("%s: %s requests in %s s (%.1f a second), %s each on average, the largest %s\n", run.settings.trace,
           text_count(a, f->requests), text_count(b, (uint64_t)(f->last - f->first + 1)), trace_rate(f),
           text_bytes(c, f->mean_bytes), text_bytes(d, (double)f->largest_bytes));
    printf("replayed at %.0f requests a second (--rate), %.0f %% of the capacity of the article's ten servers: 3 x "
           "1500, 4 x 1000, 3 x 500\n",
           run.settings.rate, 100 * run.settings.rate / CAPACITY);
    printf("work = (bytes + %.0f) / mean, FIFO, at most %d requests a server; servers report their load every 1 ms\n",
           TRACE_OVERHEAD, QUEUE_CAP);
    if (f->counts.malformed) {
        printf("%s of %s lines are malformed and left out; the first: line", text_count(a, f->counts.malformed),
               text_count(b, f->counts.lines));
        for (uint64_t i = 0; i < f->counts.malformed && i < ACCESS_LOG_SHOWN; i++)
            printf("%s %llu", i ? "," : "", (unsigned long long)f->counts.first_malformed[i]);
        putchar('\n');
    }
    if (f->backwards)
        printf("%s lines have an earlier time than one before them (servers log when they answer); they count as at "
               "that time\n",
               text_count(a, f->backwards));
    putchar('\n');
}

/* A percentile with too few samples beyond it is no figure: the cell says so. */
static void percentile_cell(struct table *t, const struct fleet_result *r, double p)
{
    uint64_t ns;
    if (hist_percentile(r->latency, p, &ns) != 0)
        table_cell(t, "too few");
    else
        table_cell(t, "%.2f", (double)ns / 1e6);
}

static void print_table(void)
{
    struct table *t = table_create();
    table_column(t, "entry", TABLE_LEFT);
    const char *const columns[] = {"lost %", "mean ms", "p50 ms", "p99 ms", "p99.9 ms", "imbalance"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        table_column(t, columns[i], TABLE_POINT);
    for (uint32_t i = 0; i < run.rows; i++) {
        const struct fleet_result *r = &run.row[i].result;
        table_cell(t, "%s", run.row[i].name);
        table_cell(t, "%.2f", 100 * fleet_loss(r));
        table_cell(t, "%.2f", r->mean_ns / 1e6);
        percentile_cell(t, r, 50);
        percentile_cell(t, r, 99);
        percentile_cell(t, r, 99.9);
        table_cell(t, "%.2f", imbalance(r));
    }
    table_print(stdout, t, 0);
    table_destroy(t);
    puts("\nSource of all figures: simulated, virtual time; one run, the same requests for every entry. imbalance: the "
         "busiest server's busy share over "
         "the mean.");
}

static void json_cell(json_t *rows, const char *entry, const char *metric, double value, const char *unit,
                      const char *reason)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "lab", "01", "entry", entry, "operation", "replay",
                            "metric", metric, "unit", unit, "source", "simulated");
    if (reason)
        json_object_set_new(row, "reason", json_string(reason));
    else
        json_object_set_new(row, "value", json_real(value));
    json_array_append_new(rows, row);
}

static json_t *rows_json(void)
{
    static const struct {
        const char *name;
        double p;
    } percentiles[] = {{"p50", 50}, {"p99", 99}, {"p99.9", 99.9}};
    json_t *rows = json_array();
    for (uint32_t i = 0; i < run.rows; i++) {
        const struct fleet_result *r = &run.row[i].result;
        const char *name = run.row[i].name;
        json_cell(rows, name, "lost", 100 * fleet_loss(r), "%", NULL);
        json_cell(rows, name, "mean", r->mean_ns / 1e6, "ms", NULL);
        for (size_t k = 0; k < sizeof percentiles / sizeof *percentiles; k++) {
            uint64_t ns;
            bool few = hist_percentile(r->latency, percentiles[k].p, &ns) != 0;
            json_cell(rows, name, percentiles[k].name, (double)ns / 1e6, "ms",
                      few ? "too few samples beyond it" : NULL);
        }
        json_cell(rows, name, "imbalance", imbalance(r), "1", NULL);
    }
    return rows;
}

static int write_json(void)
{
    const struct trace_facts *f = &run.facts;
    json_t *json = json_pack("{s:i, s:s, s:I, s:{s:I, s:I, s:I, s:I, s:f, s:f}, s:o}", "format", 1, "lab", "01", "seed",
                             (json_int_t)run.settings.seed, "trace", "requests", (json_int_t)f->requests, "lines",
                             (json_int_t)f->counts.lines, "malformed", (json_int_t)f->counts.malformed, "backwards",
                             (json_int_t)f->backwards, "mean_bytes", f->mean_bytes, "rate", run.settings.rate, "rows",
                             rows_json());
    struct error err;
    int code = json_file_write(run.settings.json, json, &err);
    json_decref(json);
    if (code)
        fprintf(stderr, "faultline: %s\n", err.text);
    return code;
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    find_entries();
    read_trace();
    progress_start(&run.progress, "replaying", run.rows, run.settings.quiet);
    parallel_for(run.rows, replay_row, NULL, show_progress);
    progress_end(&run.progress);
    for (uint32_t i = 0; i < run.rows; i++)
        if (run.row[i].failed)
            error_exit(EXIT_FAILED, "%s: %s", run.row[i].name, run.row[i].error.text);
    if (!run.settings.json || strcmp(run.settings.json, "-") != 0) {
        print_facts();
        print_table();
    }
    return run.settings.json && write_json() != 0 ? EXIT_WRONG_USE : EXIT_FINE;
}
