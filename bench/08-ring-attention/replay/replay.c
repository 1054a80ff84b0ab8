/* replay: a text of your own, and what attention recalls of it: what came after some words, and whether it finds a
 * sentence wherever it stands, which a window does not.
 *
 *     replay TEXT|- [--tokens N] [--question "words"] [--words K] [--context M] [--window W,W] [--needles N]
 *            [--ranks P] [--entries A,B] [--plugin FILE.so] [--plot FILE.svg] [--json FILE] [--seed N] [--quiet]
 *
 * N and W may end in K, M or G: powers of 1,024. How it works: recall_code.h. Without --entries the fastest one that
 * runs here does it, and again as a ring. All entries must say the same: else the exit code is 1.
 */
#include "recall_options.h"
#include "recall_report.h"
#include "runs.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "host/trusted.h"
#include "measure/clock.h"
#include "report/plot.h"
#include "report/report.h"
#include "trace/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LAB        "08-ring-attention"
#define MOST_VIEWS 24u
#define MOST_NAMES 100u

static struct {
    struct recall_options options;
    const char *best; /* the fastest entry here */
    struct recall_text text;
    struct recall_code code;
    struct recall_report report;
    struct recall_view view[MOST_VIEWS];
    uint32_t views;
    struct recall_asking asking;
} run;

/* ---- entries ---- */

static struct recall_view *add_view(const char *entry, const char *origin, const struct recall_way *way)
{
    if (run.views == MOST_VIEWS)
        error_exit(EXIT_WRONG_USE, "replay: at most %u entries and windows", MOST_VIEWS);
    struct recall_view *v = &run.view[run.views++];
    *v = (struct recall_view){.way = *way, .all = true};
    snprintf(v->entry, sizeof v->entry, "%.50s%s", entry, origin);
    return v;
}

static bool here(const struct at_ops *ops)
{
    return !ops->here || ops->here();
}

/* The fastest that runs here, as "best": the first of all, with which the others are compared. Its own name is not in
 * the figures, so that they are the same on every machine. */
static void add_fastest(void)
{
    runs_load();
    const struct plugin_entry *e = runs_fastest(AT_BF16);
    add_view("best", "", &(struct recall_way){.blocks = e->ops});
    run.best = e->name;
}

/* Those of a plugin that are asked for: some attend, some send keys round for the fastest to attend. */
static void add_entries(const struct plugin *plugin, const char *names, const char *origin)
{
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++) {
        const struct at_ops *ops = (*e)->ops;
        struct recall_way way = {.blocks = ops};
        if (!text_listed(names, (*e)->name) || (!ops->forward && !ops->ring_forward))
            continue;
        if (!ops->forward)
            way = (struct recall_way){run.view[0].way.blocks, ops, (uint32_t)run.options.ranks};
        add_view((*e)->name, origin, &way)->failed = here(ops) ? 0 : -ENOTSUP;
    }
}

/* Names that no plugin has. */
static void check_names(const struct plugin *const *plugin, uint32_t plugins)
{
    const char *names[2 * MOST_NAMES + 1] = {NULL};
    uint32_t n = 0;
    for (uint32_t i = 0; i < plugins; i++)
        for (const struct plugin_entry *const *e = plugin[i]->first; e != plugin[i]->last && n < 2 * MOST_NAMES; e++)
            names[n++] = (*e)->name;
    trusted_check_entries("replay", run.options.all.entries, LAB, names);
}

static void find_entries(void)
{
    const struct plugin *plugin[2] = {trusted_reference(LAB, EXIT_WRONG_USE)};
    uint32_t plugins = 1;
    if (run.options.all.plugin)
        plugin[plugins++] = trusted_plugin(run.options.all.plugin, LAB, EXIT_WRONG_USE);
    check_names(plugin, plugins);
    add_fastest();
    add_entries(plugin[0], run.options.all.entries ? run.options.all.entries : "ring", "");
    if (plugins == 2)
        add_entries(plugin[1], run.options.all.entries, " (yours)");
}

/* After the text is read: whoever looks at a window is the first entry again. */
static void find_windows(void)
{
    const struct recall_options *o = &run.options;
    const uint64_t usual[] = {run.text.tokens / 4, run.text.tokens / 16};
    for (uint32_t i = 0; i < (o->windows ? o->windows : 2); i++) {
        const uint64_t keys = o->windows ? o->window[i] : usual[i];
        if (keys > run.text.tokens)
            error_exit(EXIT_WRONG_USE,
                       "replay: a window of %llu tokens (--window) is larger than the text, which has %zu",
                       (unsigned long long)keys, run.text.tokens);
        if (keys == 0)
            continue;
        struct recall_view *v = add_view(run.view[0].entry, "", &run.view[0].way);
        v->all = false;
        v->keys = keys;
    }
}

/* ---- questions ---- */

static void answer_question(void)
{
    struct error err;
    struct recall_report *r = &run.report;
    struct recall_asking *a = &run.asking;
    if (recall_text_find(&run.text, r->question, a->line, RECALL_MOST_QUESTION, &a->question, &err) != 0)
        error_exit(EXIT_WRONG_USE, "replay: --question: %s: %s", run.options.all.trace, err.text);
    if (a->question < run.options.context)
        error_exit(EXIT_WRONG_USE,
                   "replay: --question has %zu words, and %u are needed to find a place (fewer with --context)",
                   a->question, run.code.context);
    const uint32_t *const after = a->line + a->question;
    r->places = recall_where(&run.text, after - run.options.context, run.code.context);
    if (r->places.count == 0)
        r->nearest = recall_nearest(&run.text, after, run.code.context, &r->nearest_at);
    progress_start(&a->progress, "question", run.options.words * RECALL_STRIPES,
                   run.options.all.quiet); /* windows are small */
    for (uint32_t i = 0; i < run.views; i++) {
        struct recall_view *v = &run.view[i];
        const struct recall_answer *first = &run.view[0].answer;
        if (v->failed)
            continue;
        if (i > 0 && v->all)
            recall_check(a, v, first->words);
        else
            recall_write_on(a, v, (uint32_t)run.options.words);
        if (i == 0)
            memcpy(a->line + a->question, first->word, first->words * sizeof *first->word);
    }
    progress_end(&a->progress);
}

static void find_needles(void)
{
    const struct recall_needles *n = &run.report.needles;
    uint64_t steps = 0;
    for (uint32_t i = 0; i < run.views; i++) {
        const struct recall_pass pass = recall_view_pass(&run.asking, &run.view[i], n->after, n->questions);
        steps += run.view[i].failed ? 0 : recall_steps(&pass);
    }
    run.asking.steps = 0;
    progress_start(&run.asking.progress, "sentences", steps, run.options.all.quiet);
    for (uint32_t i = 0; i < run.views; i++)
        if (!run.view[i].failed)
            recall_find(&run.asking, &run.view[i], n, i == 0);
    progress_end(&run.asking.progress);
}

static void plant_needles(void)
{
    struct error err;
    uint32_t each = (uint32_t)run.options.needles;
    while (each > 0 && recall_needles_room(run.code.context, each) > run.text.tokens)
        each--;
    if (each == 0)
        error_exit(EXIT_WRONG_USE,
                   "%s: has %zu tokens, and sentences can be planted into %zu or more. A longer text, or --needles 0",
                   run.options.all.trace, run.text.tokens, recall_needles_room(run.code.context, 1));
    if (recall_plant(&run.text, run.code.context, each, run.options.all.seed, &run.report.needles, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s: %s (--needles 0 leaves them out)", run.options.all.trace, err.text);
}

/* ---- all of it ---- */

static void read_text(void)
{
    struct error err;
    const char *path = spool_trace(run.options.all.trace);
    if (recall_text_read(path, run.options.tokens ? run.options.tokens : RECALL_MOST_TOKENS, &run.text, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    const uint32_t longest = recall_longest((double)run.text.tokens, RECALL_OTHERS);
    if (run.options.context > longest)
        error_exit(EXIT_WRONG_USE,
                   "replay: --context %llu: keys of %u signs tell %zu places apart by %u words at most: a word needs "
                   "more signs than that many places have digits, in binary",
                   (unsigned long long)run.options.context, RECALL_D, run.text.tokens, longest);
    run.options.context = run.options.context ? run.options.context : longest < 4 ? longest : 4;
    if (run.text.tokens <= run.options.context)
        error_exit(EXIT_WRONG_USE, "%s: has %zu tokens: a key takes %llu words, and what follows",
                   run.options.all.trace, run.text.tokens, (unsigned long long)run.options.context);
    run.asking.code = &run.code;
    int code = recall_code_create(&run.text, (uint32_t)run.options.context, (double)run.text.tokens,
                                  run.options.all.seed, &run.code);
    if (code)
        error_exit(EXIT_CANNOT_TELL, "%s: %s", run.options.all.trace, strerror(-code));
    for (uint32_t i = 0; i < run.views; i++)
        run.view[i].keys = run.text.tokens - run.options.context;
}

/* Without gnuplot there is none on the terminal; in a file that was asked for its absence is an error. */
static int draw(bool told)
{
    struct error err;
    char *svg = NULL;
    int code = 0;
    json_t *plot = run.report.needles.each ? recall_report_plot(&run.report) : NULL;
    if (plot && told && !run.options.all.quiet) {
        putchar('\n');
        (void)report_print_plot(stdout, plot, &err);
    }
    if (run.options.plot && !plot)
        code = error_set(&err, -EINVAL, "replay: --plot shows what becomes of planted sentences, and there are none");
    else if (run.options.plot && (code = plot_svg(plot, "recall", &svg, &err)) == 0)
        code = file_write(run.options.plot, svg, strlen(svg), &err);
    if (code)
        fprintf(stderr, "faultline: %s\n", err.text);
    free(svg);
    json_decref(plot);
    return code;
}

static void print_cost(double ns)
{
    struct rusage used;
    char memory_text[TEXT_NUMBER], time_text[TEXT_NUMBER];
    getrusage(RUSAGE_SELF, &used);
    printf("best here: %s. All of it took %s with %u threads, and %s of memory at most: keys and values are made block "
           "by block\n",
           run.best, text_duration(time_text, ns), parallel_threads(),
           text_bytes(memory_text, (double)used.ru_maxrss * 1024));
}

int main(int argc, char **argv)
{
    const uint64_t began = clock_now_ns();
    run.options = recall_options_parse(argc, argv);
    find_entries();
    read_text();
    find_windows();
    run.report = (struct recall_report){.trace = run.options.all.trace,
                                        .question = run.options.question,
                                        .text = &run.text,
                                        .code = &run.code,
                                        .tokens = run.options.tokens,
                                        .seed = run.options.all.seed,
                                        .views = run.views,
                                        .view = run.view};
    if (run.report.question)
        answer_question();
    if (run.options.needles) { /* the question comes first: planting changes the text */
        plant_needles();
        find_needles();
    }
    const bool told = !run.options.all.json || strcmp(run.options.all.json, "-") != 0;
    if (told)
        recall_report_print(&run.report);
    if (told)
        print_cost((double)(clock_now_ns() - began));
    int code = draw(told) ? EXIT_WRONG_USE : EXIT_FINE;
    if (run.options.all.json && replay_write_json(&run.options.all, recall_report_json(&run.report)) != EXIT_FINE)
        code = EXIT_WRONG_USE;
    for (uint32_t i = 1; i < run.views && code == EXIT_FINE; i++)
        if (!run.view[i].failed && run.view[i].same < run.view[i].asked)
            code = EXIT_FAILED;
    if (run.view[0].failed)
        code = EXIT_CANNOT_TELL;
    recall_code_free(&run.code);
    recall_text_free(&run.text);
    return code;
}
