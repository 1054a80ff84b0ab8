/* replay: your own keys through every map: which move when nodes join or leave, and how evenly they lie.
 *
 *     replay KEYS|LOG|- [--nodes N] [--then M] [--of paths|clients] [--entries A,B] [--plugin FILE.so] [--json FILE]
 *            [--seed N] [--quiet]
 *
 * As many random 64-bit keys go the same way: what differs beyond chance is the hash's fault, not the map's. Nodes are
 * numbered 0 … N-1; those that leave are the last ones, which every map can do.
 */
#include "keys.h"
#include "owners.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/parallel.h"
#include "base/terminal.h"
#include "base/text.h"
#include "host/host.h"
#include "report/table.h"
#include "sim/rng.h"
#include "trace/spool.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ENTRIES 64
#define MOST_NODES   10000u

/* What became of one set of keys. */
struct result {
    struct movement movement;
    struct balance before, after; /* of different keys */
    struct balance requests;      /* before, each key as often as it was asked for */
};

struct row {
    char name[80];
    const struct ch_ops *ops;
    int failed; /* -errno */
    struct result trace, random;
    size_t bytes;
};

static struct {
    const char *trace, *entries, *plugin, *json;
    uint64_t nodes, then, seed;
    bool clients, quiet;
    struct keys keys;
    uint64_t *random; /* [keys.count] */
    struct row row[MOST_ENTRIES];
    uint32_t rows;
    struct progress progress;
} run = {.nodes = 10, .seed = 1};

/* ---- what was asked for ---- */

static const char *value_of(int argc, char **argv, int *i)
{
    if (++*i >= argc)
        error_exit(EXIT_WRONG_USE, "replay: %s needs a value", argv[*i - 1]);
    return argv[*i];
}

static uint64_t number_of(int argc, char **argv, int *i, uint64_t most)
{
    const char *name = argv[*i], *text = value_of(argc, argv, i);
    uint64_t number;
    if (!text_number(text, &number) || number < 1 || number > most)
        error_exit(EXIT_WRONG_USE, "replay: %s takes a number from 1 to %llu, not \"%s\"", name,
                   (unsigned long long)most, text);
    return number;
}

static void parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--quiet") == 0) {
            run.quiet = true;
        } else if (strcmp(word, "--nodes") == 0) {
            run.nodes = number_of(argc, argv, &i, MOST_NODES);
        } else if (strcmp(word, "--then") == 0) {
            run.then = number_of(argc, argv, &i, MOST_NODES);
        } else if (strcmp(word, "--of") == 0) {
            const char *what = value_of(argc, argv, &i);
            run.clients = strcmp(what, "clients") == 0;
            if (!run.clients && strcmp(what, "paths") != 0)
                error_exit(EXIT_WRONG_USE, "replay: --of takes paths or clients, not \"%s\"", what);
        } else if (strcmp(word, "--entries") == 0) {
            run.entries = value_of(argc, argv, &i);
        } else if (strcmp(word, "--plugin") == 0) {
            run.plugin = value_of(argc, argv, &i);
        } else if (strcmp(word, "--json") == 0) {
            run.json = value_of(argc, argv, &i);
        } else if (strcmp(word, "--seed") == 0) {
            if (!text_number(value_of(argc, argv, &i), &run.seed))
                error_exit(EXIT_WRONG_USE, "replay: --seed takes a number, not \"%s\"", argv[i]);
        } else if (run.trace || (word[0] == '-' && word[1])) {
            error_exit(EXIT_WRONG_USE, "replay: \"%s\" is not understood; see faultline replay 03 --help", word);
        } else {
            run.trace = word;
        }
    }
    if (!run.trace)
        error_exit(EXIT_WRONG_USE,
                   "replay: which keys? For example: faultline replay 03 keys.txt --nodes 10 --then 11");
    run.then = run.then ? run.then : run.nodes + 1;
    if (run.then == run.nodes)
        error_exit(EXIT_WRONG_USE, "replay: --nodes and --then are both %llu: nothing changes",
                   (unsigned long long)run.nodes);
}

/* ---- entries ---- */

static void add_plugin(const char *path, const char *origin)
{
    struct error err;
    const struct plugin *plugin = host_load_trusted(path, &err);
    if (!plugin)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (strcmp(plugin->lab, "03") != 0)
        error_exit(EXIT_WRONG_USE, "%s: is a plugin of lab %s", path, plugin->lab);
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++) {
        if (!text_listed(run.entries, (*e)->name) || run.rows == MOST_ENTRIES)
            continue;
        struct row *row = &run.row[run.rows++];
        snprintf(row->name, sizeof row->name, "%.60s%s", (*e)->name, origin);
        row->ops = (*e)->ops;
    }
}

static void find_entries(void)
{
    char path[FILE_PATH];
    const char *build = getenv("FAULTLINE_BUILD");
    add_plugin(file_path(path, "%s/labs/03-consistent-hashing/reference.so", build && *build ? build : "build"), "");
    if (run.plugin)
        add_plugin(run.plugin, " (yours)");
    for (const char *p = run.entries; p && *p; p += strcspn(p, ","), p += *p == ',') {
        bool found = false;
        const char *names[MOST_ENTRIES + 1] = {NULL};
        char word[80];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","), p);
        for (uint32_t i = 0; i < run.rows; i++) {
            found = found || strncmp(run.row[i].name, word, strlen(word)) == 0;
            names[i] = run.row[i].name;
        }
        const char *meant = text_nearest(word, names);
        if (!found)
            error_exit(EXIT_WRONG_USE, "replay: there is no entry %s; %s%s%s", word,
                       meant ? "was " : "faultline list 03 shows all", meant ? meant : "", meant ? " meant?" : "");
    }
}

/* ---- running ---- */

static void *memory(size_t count, size_t size)
{
    void *all = calloc(count ? count : 1, size);
    if (!all)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return all;
}

static int make(struct row *row, void **map)
{
    struct ch_config config = CH_USUAL;
    struct ch_node *node = memory(run.nodes, sizeof *node);
    config.capacity = 2 * MOST_NODES;
    for (uint32_t i = 0; i < run.nodes; i++)
        node[i] = (struct ch_node){i, 1};
    int code = row->ops->create(&config, map);
    if (code == 0) {
        code = row->ops->add(*map, node, (uint32_t)run.nodes);
        if (code)
            row->ops->destroy(*map);
    }
    free(node);
    return code;
}

static int change(struct row *row, void *map)
{
    int code = 0;
    for (uint64_t i = run.nodes; i < run.then && code == 0; i++)
        code = row->ops->add(map, &(struct ch_node){(uint32_t)i, 1}, 1);
    for (uint64_t i = run.nodes; i > run.then && code == 0; i--)
        code = row->ops->remove(map, (uint32_t)i - 1);
    return code;
}

static void owners(const struct row *row, const void *map, const uint64_t *key, uint32_t *owner)
{
    for (size_t i = 0; i < run.keys.count; i++)
        owner[i] = row->ops->lookup(map, key[i]);
}

static struct balance balance(const uint32_t *owner, const uint32_t *times, uint64_t nodes)
{
    uint64_t *load = memory(nodes, sizeof *load);
    for (size_t i = 0; i < run.keys.count; i++) {
        if (owner[i] < nodes)
            load[owner[i]] += times ? times[i] : 1;
    }
    const struct balance b = balance_of(load, NULL, (uint32_t)nodes);
    free(load);
    return b;
}

/* What counts its loads is asked to place every request; nothing is ever gone. */
static int place_requests(struct row *row)
{
    void *map;
    uint64_t *load = memory(run.nodes, sizeof *load);
    int code = make(row, &map);
    for (size_t i = 0; i < run.keys.requests && code == 0; i++)
        load[row->ops->place(map, run.keys.request[i])]++;
    if (code == 0) {
        row->trace.requests = balance_of(load, NULL, (uint32_t)run.nodes);
        row->ops->destroy(map);
    }
    free(load);
    return code;
}

static void replay_row(uint32_t index, void *context)
{
    struct row *row = &run.row[index];
    const uint64_t *const key[2] = {run.keys.distinct, run.random};
    struct result *const result[2] = {&row->trace, &row->random};
    const uint64_t less = run.nodes < run.then ? run.nodes : run.then;
    uint32_t *before[2];
    uint32_t *after = memory(run.keys.count, sizeof *after);
    bool *stays = memory(less, sizeof *stays);
    void *map;
    (void)context;
    memset(stays, true, less);
    for (int i = 0; i < 2; i++)
        before[i] = memory(run.keys.count, sizeof *after);
    row->failed = make(row, &map);
    if (row->failed == 0) {
        for (int i = 0; i < 2; i++)
            owners(row, map, key[i], before[i]);
        row->bytes = row->ops->bytes(map);
        row->failed = change(row, map);
        for (int i = 0; i < 2 && row->failed == 0; i++) {
            owners(row, map, key[i], after);
            result[i]->movement = movement_of(before[i], after, run.keys.count, stays, (uint32_t)less);
            result[i]->before = balance(before[i], NULL, run.nodes);
            result[i]->after = balance(after, NULL, run.then);
            result[i]->requests = balance(before[i], run.keys.times, run.nodes);
        }
        row->ops->destroy(map);
    }
    if (row->failed == 0 && row->ops->place)
        row->failed = place_requests(row);
    free(before[0]);
    free(before[1]);
    free(stays);
    free(after);
}

static void show_progress(uint32_t finished, void *context)
{
    (void)context;
    progress_set(&run.progress, finished);
}

/* ---- telling ---- */

static double percent(uint64_t part, uint64_t all)
{
    return 100.0 * (double)part / (double)all;
}

static void print_facts(void)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    const double more = (double)(run.nodes > run.then ? run.nodes : run.then),
                 less = (double)(run.nodes > run.then ? run.then : run.nodes);
    printf("%s: %s different keys in %s %s", run.trace, text_count(a, run.keys.count), text_count(b, run.keys.requests),
           !run.keys.log ? "lines"
           : run.clients ? "requests (clients)"
                         : "requests (paths)");
    if (run.keys.malformed)
        printf("; %s lines left out", text_count(a, run.keys.malformed));
    printf("\n%llu nodes, then %llu: %.2f %% of all keys have to move\n\n", (unsigned long long)run.nodes,
           (unsigned long long)run.then, 100 * (more - less) / more);
}

static void print_table(void)
{
    static const char *const columns[] = {"moved %", "extra %",     "random moved %", "fullest",
                                          "CV %",    "random CV %", "by requests",    "KiB"};
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
        table_cell(t, "%.2f", percent(r->trace.movement.moved, run.keys.count));
        table_cell(t, "%.2f", percent(r->trace.movement.extra, run.keys.count));
        table_cell(t, "%.2f", percent(r->random.movement.moved, run.keys.count));
        table_cell(t, "%.3f", r->trace.before.max_to_mean);
        table_cell(t, "%.1f", 100 * r->trace.before.cv);
        table_cell(t, "%.1f", 100 * r->random.before.cv);
        table_cell(t, "%.3f", r->trace.requests.max_to_mean);
        table_cell(t, "%.1f", (double)r->bytes / 1024);
    }
    table_print(stdout, t, 0);
    table_destroy(t);
    puts(
        "\nSource of all figures: counted. extra: keys that moved between two nodes which were there before and after. "
        "fullest: what the fullest node has,\nover the mean, and CV: standard deviation over mean, of keys a node, "
        "before "
        "the change. by requests: the fullest when each key counts as often\nas it was asked for: a hot key's node is "
        "full "
        "whatever the map, but where loads are bounded. random: as many random keys, which should do\nalike. KiB: of "
        "state.");
    for (uint32_t i = 0; i < run.rows; i++) {
        if (run.row[i].failed)
            printf("%s n/a: %s\n", run.row[i].name, strerror(-run.row[i].failed));
    }
}

static void json_cell(json_t *rows, const struct row *r, const char *metric, double value, const char *unit)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "lab", "03", "entry", r->name, "operation", "replay",
                            "metric", metric, "unit", unit, "source", r->failed ? "n/a" : "counted");
    if (r->failed)
        json_object_set_new(row, "reason", json_string(strerror(-r->failed)));
    else
        json_object_set_new(row, "value", json_real(value));
    json_array_append_new(rows, row);
}

static json_t *rows_json(void)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < run.rows; i++) {
        const struct row *r = &run.row[i];
        json_cell(rows, r, "moved", percent(r->trace.movement.moved, run.keys.count), "%");
        json_cell(rows, r, "necessary", percent(r->trace.movement.necessary, run.keys.count), "%");
        json_cell(rows, r, "extra", percent(r->trace.movement.extra, run.keys.count), "%");
        json_cell(rows, r, "moved-random", percent(r->random.movement.moved, run.keys.count), "%");
        json_cell(rows, r, "fullest", r->trace.before.max_to_mean, "x mean");
        json_cell(rows, r, "cv", 100 * r->trace.before.cv, "%");
        json_cell(rows, r, "cv-random", 100 * r->random.before.cv, "%");
        json_cell(rows, r, "fullest-after", r->trace.after.max_to_mean, "x mean");
        json_cell(rows, r, "fullest-by-requests", r->trace.requests.max_to_mean, "x mean");
        json_cell(rows, r, "bytes", (double)r->bytes, "B");
    }
    return rows;
}

static int write_json(void)
{
    struct error err;
    json_t *json =
        json_pack("{s:i, s:s, s:I, s:{s:I, s:I, s:I, s:s}, s:{s:I, s:I}, s:o}", "format", 1, "lab", "03", "seed",
                  (json_int_t)run.seed, "trace", "requests", (json_int_t)run.keys.requests, "keys",
                  (json_int_t)run.keys.count, "left-out", (json_int_t)run.keys.malformed, "of",
                  !run.keys.log ? "lines"
                  : run.clients ? "clients"
                                : "paths",
                  "nodes", "before", (json_int_t)run.nodes, "after", (json_int_t)run.then, "rows", rows_json());
    int code = json_file_write(run.json, json, &err);
    json_decref(json);
    if (code)
        fprintf(stderr, "faultline: %s\n", err.text);
    return code;
}

int main(int argc, char **argv)
{
    struct error err;
    struct rng random;
    parse(argc, argv);
    find_entries();
    if (keys_read(spool_trace(run.trace), run.clients, &run.keys, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (run.keys.count > UINT32_MAX)
        error_exit(EXIT_WRONG_USE, "%s: more than 4 billion keys", run.trace);
    run.random = memory(run.keys.count, sizeof *run.random);
    rng_seed(&random, run.seed, 0);
    for (size_t i = 0; i < run.keys.count; i++)
        run.random[i] = rng_next(&random);
    progress_start(&run.progress, "replay", run.rows, run.quiet);
    parallel_for(run.rows, replay_row, NULL, show_progress);
    progress_end(&run.progress);
    if (!run.json || strcmp(run.json, "-") != 0) {
        print_facts();
        print_table();
    }
    int code = run.json && write_json() != 0 ? EXIT_WRONG_USE : EXIT_FINE;
    keys_free(&run.keys);
    free(run.random);
    return code;
}
