/* replay: an access log through every limiter, a key for each client.
 *
 *     replay LOG|- [--limit N/T] [--burst B] [--entries A,B] [--plugin FILE.so] [--json FILE] [--quiet]
 *
 * Every entry is asked the same at the same moments. What the table can't say: a client that is refused would have come
 * back, or gone away; the log has what one server saw, and nobody was refused then.
 */
#include "arrivals.h"
#include "rate_limiting.h"
#include "window.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/parallel.h"
#include "base/terminal.h"
#include "base/text.h"
#include "host/host.h"
#include "report/table.h"
#include "sim/histogram.h"
#include "trace/spool.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ENTRIES 64

struct row {
    char name[80];
    const struct rl_ops *ops;
    int failed; /* -errno of create */
    uint64_t refused, delayed, longest_delay_ns;
    size_t clients_refused;
    struct window worst; /* of all clients */
    uint64_t retry_p50, retry_p99;
    bool few_retries;
    size_t bytes;
};

static struct {
    const char *trace, *entries, *plugin, *json;
    struct rl_config config;
    uint64_t burst;
    bool quiet;
    struct arrivals arrivals;
    uint32_t *by_client; /* places in arrivals.list, client by client, by time in each */
    struct row row[MOST_ENTRIES];
    uint32_t rows;
    struct progress progress;
} run;

/* ---- what was asked for ---- */

static const char *value_of(int argc, char **argv, int *i)
{
    if (++*i >= argc)
        error_exit(EXIT_WRONG_USE, "replay: %s needs a value", argv[*i - 1]);
    return argv[*i];
}

/* "100/60s": N, and T in s, ms, m or h. */
static void parse_limit(const char *text)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    char *end = NULL;
    double n = strtod(text, &end), window = *end == '/' ? strtod(end + 1, &end) : 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0)
            window *= units[i].ns;
    if (!(n >= 1) || n != floor(n) || n > 1e9 || !(window >= 1e6) || window > 1e15 || !*end)
        error_exit(EXIT_WRONG_USE,
                   "replay: --limit takes requests and a time, such as 100/60s, 10/500ms or 1000/1h, not "
                   "\"%s\"",
                   text);
    run.config.limit = (uint64_t)n;
    run.config.window_ns = (uint64_t)window;
}

static void parse(int argc, char **argv)
{
    run.config =
        (struct rl_config){.limit = 100, .window_ns = 60000000000u, .threads = 1, .nodes = 1, .sync_ns = 1000000000u};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--quiet") == 0)
            run.quiet = true;
        else if (strcmp(word, "--limit") == 0)
            parse_limit(value_of(argc, argv, &i));
        else if (strcmp(word, "--burst") == 0) {
            if (!text_number(value_of(argc, argv, &i), &run.burst) || run.burst < 1 || run.burst > 1000000000)
                error_exit(EXIT_WRONG_USE, "replay: --burst takes a number from 1 to 1e9, not \"%s\"", argv[i]);
        } else if (strcmp(word, "--entries") == 0)
            run.entries = value_of(argc, argv, &i);
        else if (strcmp(word, "--plugin") == 0)
            run.plugin = value_of(argc, argv, &i);
        else if (strcmp(word, "--json") == 0)
            run.json = value_of(argc, argv, &i);
        else if (strcmp(word, "--seed") == 0)
            (void)value_of(argc, argv, &i); /* nothing here is random */
        else if (run.trace || (word[0] == '-' && word[1]))
            error_exit(EXIT_WRONG_USE, "replay: \"%s\" is not understood; see faultline replay 02 --help", word);
        else
            run.trace = word;
    }
    if (!run.trace)
        error_exit(EXIT_WRONG_USE, "replay: which trace? For example: faultline replay 02 access.log --limit 100/60s");
    run.config.burst = run.burst ? run.burst : run.config.limit;
}

/* ---- entries ---- */

static void add_plugin(const char *path, const char *origin)
{
    struct error err;
    const struct plugin *plugin = host_load_trusted(path, &err);
    if (!plugin)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (strcmp(plugin->lab, "02") != 0)
        error_exit(EXIT_WRONG_USE, "%s: is a plugin of lab %s", path, plugin->lab);
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++) {
        const struct rl_ops *ops = (*e)->ops;
        /* A log does not say when requests ended, so limits on those under way have nothing to go by. */
        if (ops->done || !text_listed(run.entries, (*e)->name) || run.rows == MOST_ENTRIES)
            continue;
        struct row *row = &run.row[run.rows++];
        snprintf(row->name, sizeof row->name, "%.60s%s", (*e)->name, origin);
        row->ops = ops;
    }
}

static void find_entries(void)
{
    char path[FILE_PATH];
    const char *build = getenv("FAULTLINE_BUILD");
    add_plugin(file_path(path, "%s/labs/02-rate-limiting/reference.so", build && *build ? build : "build"), "");
    if (run.plugin)
        add_plugin(run.plugin, " (yours)");
    for (const char *p = run.entries; p && *p; p += strcspn(p, ","), p += *p == ',') {
        bool found = false;
        const char *names[MOST_ENTRIES + 1] = {NULL};
        char word[80];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","), p);
        for (uint32_t i = 0; i < run.rows; i++)
            found = found || strncmp(run.row[i].name, word, strlen(word)) == 0;
        for (uint32_t i = 0; i < run.rows; i++)
            names[i] = run.row[i].name;
        const char *meant = text_nearest(word, names);
        if (!found)
            error_exit(EXIT_WRONG_USE, "replay: there is no entry %s for a log; %s%s%s", word,
                       meant ? "was " : "faultline list 02 shows all", meant ? meant : "", meant ? " meant?" : "");
    }
}

/* ---- running ---- */

static int by_client_then_time(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint64_t left = run.arrivals.list[x].key, right = run.arrivals.list[y].key;
    return left != right ? (left > right) - (left < right) : (x > y) - (x < y);
}

static void sort_by_client(void)
{
    run.by_client = malloc(run.arrivals.count * sizeof *run.by_client);
    if (!run.by_client)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    for (size_t i = 0; i < run.arrivals.count; i++)
        run.by_client[i] = (uint32_t)i;
    qsort(run.by_client, run.arrivals.count, sizeof *run.by_client, by_client_then_time);
}

/* The exact judge, client by client, over what was admitted. A request that was made to wait counts when it goes on. */
static void judge(struct row *row, const uint64_t *goes_at)
{
    struct admitted *list = malloc(run.arrivals.count * sizeof *list);
    if (!list)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    for (size_t i = 0, end; i < run.arrivals.count; i = end) {
        size_t n = 0;
        bool refused = false;
        uint64_t key = run.arrivals.list[run.by_client[i]].key;
        for (end = i; end < run.arrivals.count && run.arrivals.list[run.by_client[end]].key == key; end++)
            if (goes_at[run.by_client[end]] == RL_NEVER)
                refused = true;
            else
                list[n++] = (struct admitted){goes_at[run.by_client[end]], 1};
        row->clients_refused += refused;
        struct window w = window_worst(list, n, run.config.window_ns);
        if (w.total > row->worst.total)
            row->worst = w;
    }
    free(list);
}

static void replay_row(uint32_t index, void *context)
{
    struct row *row = &run.row[index];
    const struct arrivals *a = &run.arrivals;
    struct histogram *retry;
    uint64_t *goes_at = malloc(a->count * sizeof *goes_at);
    void *limiter;
    (void)context;
    if (hist_create(&retry) != 0 || !goes_at)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    row->failed = row->ops->create(&run.config, &limiter);
    for (size_t i = 0; i < a->count && row->failed == 0; i++) {
        struct rl_answer answer = row->ops->allow(limiter, a->list[i].key, a->list[i].at, 1, 0);
        goes_at[i] = answer.allowed ? a->list[i].at + answer.delay_ns : RL_NEVER;
        row->refused += !answer.allowed;
        row->delayed += answer.allowed && answer.delay_ns > 0;
        row->longest_delay_ns =
            answer.allowed && answer.delay_ns > row->longest_delay_ns ? answer.delay_ns : row->longest_delay_ns;
        if (!answer.allowed && answer.retry_ns != RL_NEVER)
            hist_record(retry, answer.retry_ns);
    }
    if (row->failed == 0) {
        row->few_retries =
            hist_percentile(retry, 50, &row->retry_p50) != 0 || hist_percentile(retry, 99, &row->retry_p99) != 0;
        row->bytes = row->ops->bytes(limiter);
        row->ops->destroy(limiter);
        judge(row, goes_at);
    }
    hist_destroy(retry);
    free(goes_at);
}

static void show_progress(uint32_t finished, void *context)
{
    (void)context;
    progress_set(&run.progress, finished);
}

/* ---- telling ---- */

static void print_facts(void)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];
    const struct arrivals *r = &run.arrivals;
    printf("%s: %s requests of %s clients in %s\n", run.trace, text_count(a, r->count), text_count(b, r->clients),
           text_duration(c, (double)(r->list[r->count - 1].at + 1)));
    printf("limit: %llu in %s for each client (--limit); buckets hold %llu (--burst)\n",
           (unsigned long long)run.config.limit, text_duration(a, (double)run.config.window_ns),
           (unsigned long long)run.config.burst);
    if (r->lines.malformed)
        printf("%s of %s lines are malformed and left out; the first: line %llu\n", text_count(a, r->lines.malformed),
               text_count(b, r->lines.lines), (unsigned long long)r->lines.first_malformed[0]);
    if (r->backwards)
        printf(
            "%s lines have an earlier time than one before them (servers log when they answer); they count as at that "
            "time\n",
            text_count(a, r->backwards));
    putchar('\n');
}

static void seconds_cell(struct table *t, bool none, uint64_t ns)
{
    if (none)
        table_cell(t, "too few");
    else
        table_cell(t, "%.2f", (double)ns / 1e9);
}

static void print_table(void)
{
    static const char *const columns[] = {"refused %",   "clients refused", "worst window",    "over limit",
                                          "retry p50 s", "retry p99 s",     "longest delay s", "KiB of state"};
    struct table *t = table_create();
    table_column(t, "entry", TABLE_LEFT);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        table_column(t, columns[i], TABLE_POINT);
    for (uint32_t i = 0; i < run.rows; i++) {
        const struct row *r = &run.row[i];
        table_cell(t, "%s", r->name);
        if (r->failed) {
            for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
                table_cell(t, "%s", k ? "" : "n/a");
            continue;
        }
        table_cell(t, "%.2f", 100.0 * (double)r->refused / (double)run.arrivals.count);
        table_cell(t, "%zu", r->clients_refused);
        table_cell(t, "%llu", (unsigned long long)r->worst.total);
        table_cell(t, "%lld",
                   (long long)r->worst.total - (long long)run.config.limit > 0
                       ? (long long)r->worst.total - (long long)run.config.limit
                       : 0LL);
        seconds_cell(t, r->few_retries, r->retry_p50);
        seconds_cell(t, r->few_retries, r->retry_p99);
        table_cell(t, "%.2f", (double)r->longest_delay_ns / 1e9);
        table_cell(t, "%.0f", (double)r->bytes / 1024);
    }
    table_print(stdout, t, 0);
    table_destroy(t);
    puts("\nSource of all figures: counted; the same requests at the same moments for every entry. worst window: the "
         "most "
         "that one client got through in\nany true window of the limit's length, found by the exact judge. retry: what "
         "refused requests were told to wait.");
}

static void json_cell(json_t *rows, const struct row *r, const char *metric, double value, const char *unit,
                      const char *reason)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "lab", "02", "entry", r->name, "operation", "replay",
                            "metric", metric, "unit", unit, "source", reason ? "n/a" : "counted");
    if (reason)
        json_object_set_new(row, "reason", json_string(reason));
    else
        json_object_set_new(row, "value", json_real(value));
    json_array_append_new(rows, row);
}

static json_t *rows_json(void)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < run.rows; i++) {
        const struct row *r = &run.row[i];
        const char *failed = r->failed ? strerror(-r->failed) : NULL,
                   *few = r->few_retries ? "too few were refused" : failed;
        json_cell(rows, r, "refused", 100.0 * (double)r->refused / (double)run.arrivals.count, "%", failed);
        json_cell(rows, r, "clients-refused", (double)r->clients_refused, "clients", failed);
        json_cell(rows, r, "worst-window", (double)r->worst.total, "requests", failed);
        json_cell(rows, r, "retry-p50", (double)r->retry_p50 / 1e9, "s", few);
        json_cell(rows, r, "retry-p99", (double)r->retry_p99 / 1e9, "s", few);
        json_cell(rows, r, "longest-delay", (double)r->longest_delay_ns / 1e9, "s", failed);
    }
    return rows;
}

static int write_json(void)
{
    struct error err;
    json_t *json = json_pack(
        "{s:i, s:s, s:{s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I}, s:o}", "format", 1, "lab", "02", "trace",
        "requests", (json_int_t)run.arrivals.count, "clients", (json_int_t)run.arrivals.clients, "lines",
        (json_int_t)run.arrivals.lines.lines, "malformed", (json_int_t)run.arrivals.lines.malformed, "backwards",
        (json_int_t)run.arrivals.backwards, "limit", "requests", (json_int_t)run.config.limit, "window_ns",
        (json_int_t)run.config.window_ns, "burst", (json_int_t)run.config.burst, "rows", rows_json());
    int code = json_file_write(run.json, json, &err);
    json_decref(json);
    if (code)
        fprintf(stderr, "faultline: %s\n", err.text);
    return code;
}

int main(int argc, char **argv)
{
    struct error err;
    parse(argc, argv);
    find_entries();
    if (arrivals_read(spool_trace(run.trace), &run.arrivals, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (run.arrivals.count > UINT32_MAX)
        error_exit(EXIT_WRONG_USE, "%s: more than 4 billion requests", run.trace);
    sort_by_client();
    progress_start(&run.progress, "replay", run.rows, run.quiet);
    parallel_for(run.rows, replay_row, NULL, show_progress);
    progress_end(&run.progress);
    if (!run.json || strcmp(run.json, "-") != 0) {
        print_facts();
        print_table();
    }
    int code = run.json && write_json() != 0 ? EXIT_WRONG_USE : EXIT_FINE;
    arrivals_free(&run.arrivals);
    free(run.by_client);
    return code;
}
