/* replay: a text of your own, and what attention recalls of it: what came after some words, and whether it finds a
 * sentence wherever it stands, which a window does not.
 *
 *     replay TEXT|- [--tokens N] [--question "words"] [--words K] [--context M] [--window W,W] [--needles N]
 *            [--ranks P] [--entries A,B] [--plugin FILE.so] [--plot FILE.svg] [--json FILE] [--seed N] [--quiet]
 *
 * N and W may end in K, M or G: powers of 1,024. How it works: recall_code.h. Without --entries the fastest one that
 * runs here does it, and again as a ring. All entries must say the same: else the exit code is 1.
 */
#include "recall_report.h"

#include "loop.h"

#include "base/file.h"
#include "base/parallel.h"
#include "base/terminal.h"
#include "base/text.h"
#include "host/host.h"
#include "report/plot.h"
#include "report/report.h"
#include "trace/spool.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MOST_VIEWS   24u
#define MOST_WINDOWS 4u
#define MOST_TOKENS  ((uint64_t)1 << 40)
#define QUESTION     1024u /* words */

static struct {
    const char *trace, *entries, *plugin, *json, *plot, *windows, *best;
    uint64_t tokens, words, context, needles, ranks, seed;
    bool quiet;
    struct recall_text text;
    struct recall_code code;
    struct recall_report report;
    struct recall_view view[MOST_VIEWS];
    uint32_t views;
    uint32_t asked[QUESTION + RECALL_MOST_WORDS]; /* the question, and behind it the first view's answer */
    size_t question;
    struct progress progress;
    uint64_t steps; /* of passes that have ended */
} run = {.words = 16, .needles = 8, .ranks = 4, .seed = 1};

/* ---- what was asked for ---- */

static const char *value_of(int argc, char **argv, int *i)
{
    if (++*i >= argc)
        error_exit(EXIT_WRONG_USE, "replay: %s needs a value", argv[*i - 1]);
    return argv[*i];
}

/* A number at the beginning of a text, "64" or "64K", and how many letters it has; 0: none. */
static size_t scaled(const char *text, uint64_t *number)
{
    static const char units[] = "kmg";
    const size_t n = strspn(text, "0123456789");
    char digits[20] = "";
    const char *unit = text[n] ? strchr(units, text[n] | 0x20) : NULL;
    if (n == 0 || n >= sizeof digits)
        return 0;
    memcpy(digits, text, n);
    const uint32_t shift = unit ? 10 * (uint32_t)(unit - units + 1) : 0;
    if (!text_number(digits, number) || *number > MOST_TOKENS >> shift)
        return 0;
    *number <<= shift;
    return n + (unit != NULL);
}

static uint64_t number_of(int argc, char **argv, int *i, uint64_t least, uint64_t most)
{
    const char *name = argv[*i], *text = value_of(argc, argv, i);
    uint64_t number;
    const size_t n = scaled(text, &number);
    if (n == 0 || text[n] || number < least || number > most)
        error_exit(EXIT_WRONG_USE, "replay: %s takes a number from %llu to %llu, not \"%s\"", name,
                   (unsigned long long)least, (unsigned long long)most, text);
    return number;
}

static bool parse_text(int argc, char **argv, int *i)
{
    static const struct {
        const char *name;
        const char **value;
    } texts[] = {{"--question", &run.report.question}, {"--window", &run.windows}, {"--entries", &run.entries},
                 {"--plugin", &run.plugin},            {"--plot", &run.plot},      {"--json", &run.json}};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        if (strcmp(argv[*i], texts[k].name) == 0) {
            *texts[k].value = value_of(argc, argv, i);
            return true;
        }
    return false;
}

static bool parse_number(int argc, char **argv, int *i)
{
    static const struct {
        const char *name;
        uint64_t *value, least, most;
    } numbers[] = {{"--tokens", &run.tokens, 1, MOST_TOKENS},
                   {"--words", &run.words, 1, RECALL_MOST_WORDS},
                   {"--context", &run.context, 1, RECALL_MOST_CONTEXT},
                   {"--needles", &run.needles, 0, RECALL_EACH},
                   {"--ranks", &run.ranks, 1, LOOP_MAX_RANKS}};
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (strcmp(argv[*i], numbers[k].name) == 0) {
            *numbers[k].value = number_of(argc, argv, i, numbers[k].least, numbers[k].most);
            return true;
        }
    return false;
}

static void parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (parse_text(argc, argv, &i) || parse_number(argc, argv, &i))
            continue;
        if (strcmp(word, "--quiet") == 0) {
            run.quiet = true;
        } else if (strcmp(word, "--seed") == 0) {
            if (!text_number(value_of(argc, argv, &i), &run.seed))
                error_exit(EXIT_WRONG_USE, "replay: --seed takes a number, not \"%s\"", argv[i]);
        } else if (run.trace || (word[0] == '-' && word[1])) {
            error_exit(EXIT_WRONG_USE, "replay: \"%s\" is not understood; see faultline replay 08 --help", word);
        } else {
            run.trace = word;
        }
    }
    if (!run.trace)
        error_exit(EXIT_WRONG_USE,
                   "replay: which text? For example: faultline replay 08 book.txt --question \"what came after this\"");
}

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
static void add_fastest(const struct plugin *reference)
{
    static const char *const names[] = {"blockwise-amx", "blockwise-avx512", "blockwise-avx2", "blockwise-neon",
                                        "blockwise"};
    for (size_t i = 0; i < sizeof names / sizeof *names && run.views == 0; i++) {
        const struct at_ops *ops = plugin_find(reference, names[i]);
        if (ops && here(ops)) {
            add_view("best", "", &(struct recall_way){.blocks = ops});
            run.best = names[i];
        }
    }
    if (run.views == 0)
        error_exit(EXIT_CANNOT_TELL, "replay: no entry of the reference that attends runs here");
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
            way = (struct recall_way){run.view[0].way.blocks, ops, (uint32_t)run.ranks};
        add_view((*e)->name, origin, &way)->failed = here(ops) ? 0 : -ENOTSUP;
    }
}

static const struct plugin *load(const char *path)
{
    struct error err;
    const struct plugin *plugin = host_load_trusted(path, &err);
    if (!plugin)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (strcmp(plugin->lab, "08") != 0)
        error_exit(EXIT_WRONG_USE, "%s: is a plugin of lab %s", path, plugin->lab);
    return plugin;
}

static void check_names(const struct plugin *const *plugin, uint32_t plugins)
{
    for (const char *p = run.entries; p && *p; p += strcspn(p, ","), p += *p == ',') {
        const char *names[MOST_VIEWS + 1] = {NULL};
        uint32_t n = 0;
        bool found = false;
        char word[80];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","), p);
        for (uint32_t i = 0; i < plugins; i++)
            for (const struct plugin_entry *const *e = plugin[i]->first; e != plugin[i]->last; e++) {
                found = found || strcmp((*e)->name, word) == 0;
                if (n < MOST_VIEWS)
                    names[n++] = (*e)->name;
            }
        const char *meant = text_nearest(word, names);
        if (!found)
            error_exit(EXIT_WRONG_USE, "replay: there is no entry %s; %s%s%s", word,
                       meant ? "was " : "faultline list 08 shows all", meant ? meant : "", meant ? " meant?" : "");
    }
}

static void find_entries(void)
{
    char path[FILE_PATH];
    const char *build = getenv("FAULTLINE_BUILD");
    const struct plugin *plugin[2];
    uint32_t plugins = 1;
    plugin[0] = load(file_path(path, "%s/labs/08-ring-attention/reference.so", build && *build ? build : "build"));
    if (run.plugin)
        plugin[plugins++] = load(run.plugin);
    check_names(plugin, plugins);
    add_fastest(plugin[0]);
    add_entries(plugin[0], run.entries ? run.entries : "ring", "");
    if (plugins == 2)
        add_entries(plugin[1], run.entries, " (yours)");
}

/* After the text: whoever looks at a window is the first entry again. */
static void find_windows(void)
{
    const uint64_t usual[] = {run.text.tokens / 4, run.text.tokens / 16};
    const char *p = run.windows;
    for (size_t i = 0; p ? *p != '\0' : i < 2; i++) {
        uint64_t keys = usual[i % 2];
        if (p) {
            const size_t n = scaled(p, &keys);
            if (n == 0 || keys == 0 || (p[n] && p[n] != ','))
                error_exit(EXIT_WRONG_USE, "replay: --window takes numbers of tokens, such as 64K,4K, not \"%s\"", p);
            p += n + (p[n] == ',');
        }
        if (i == MOST_WINDOWS)
            error_exit(EXIT_WRONG_USE, "replay: --window takes at most %u windows", MOST_WINDOWS);
        if (keys > run.text.tokens)
            error_exit(EXIT_WRONG_USE, "replay: a window of %llu tokens (--window) is larger than the text, which has %zu",
                       (unsigned long long)keys, run.text.tokens);
        if (keys == 0)
            continue;
        struct recall_view *v = add_view(run.view[0].entry, "", &run.view[0].way);
        v->all = false;
        v->keys = keys;
    }
}

/* ---- passes ---- */

static void show_progress(uint32_t finished, void *context)
{
    (void)context;
    progress_set(&run.progress, run.steps + finished);
}

static void *memory(size_t count, size_t size)
{
    void *all = calloc(count ? count : 1, size);
    if (!all)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return all;
}

static struct recall_pass pass_of(const struct recall_view *v, const uint32_t *const *after, uint32_t n)
{
    struct recall_pass pass = {.code = &run.code, .after = after, .n = n, .end = run.text.tokens};
    pass.first = v->keys < run.text.tokens - run.code.context ? run.text.tokens - v->keys : run.code.context;
    return pass;
}

/* What a view reads for each question; places and share (of each) may be NULL. */
static void ask(struct recall_view *v, const uint32_t *const *after, uint32_t n, uint32_t *word, double *share,
                double *places)
{
    struct recall_pass pass = pass_of(v, after, n);
    pass.out = memory((size_t)n * RECALL_D, sizeof *pass.out);
    pass.lse = memory(n, sizeof *pass.lse);
    v->failed = recall_attend(&v->way, &pass, show_progress, NULL);
    run.steps += recall_steps(&pass);
    for (uint32_t i = 0; i < n && v->failed == 0; i++) {
        double one;
        word[i] = recall_read(&run.code, pass.out + (size_t)i * RECALL_D, share ? &share[i] : &one);
        if (places)
            places[i] = recall_places(&run.code, pass.lse[i]);
    }
    free(pass.out);
    free(pass.lse);
}

/* The view writes on, word by word, each by what it said before. */
static void write_on(struct recall_view *v)
{
    struct recall_answer *a = &v->answer;
    uint32_t line[QUESTION + RECALL_MOST_WORDS], said = 0;
    memcpy(line, run.asked, run.question * sizeof *line);
    while (a->words < run.words && !(a->words && said == RECALL_END)) {
        double share, places;
        const uint32_t *after = line + run.question + a->words;
        ask(v, &after, 1, &said, &share, &places);
        if (v->failed)
            return;
        if (a->words == 0) {
            a->places = places;
            a->share = share;
        }
        if (places < 0.5)
            return;
        line[run.question + a->words] = said;
        a->word[a->words++] = said;
        a->share = fmin(a->share, share);
    }
}

/* The others are asked for every word of the first one's answer at once, each after the words before it: so they would
 * have written the same as far as they say the same. */
static void check_answer(struct recall_view *v)
{
    struct recall_answer *a = &v->answer;
    const uint32_t n = run.view[0].answer.words;
    const uint32_t *after[RECALL_MOST_WORDS];
    double share[RECALL_MOST_WORDS], places[RECALL_MOST_WORDS];
    if (n == 0)
        return;
    for (uint32_t i = 0; i < n; i++)
        after[i] = run.asked + run.question + i;
    ask(v, after, n, a->word, share, places);
    if (v->failed)
        return;
    a->places = places[0];
    a->share = 1;
    for (uint32_t i = 0; i < n; i++) {
        a->share = fmin(a->share, share[i]);
        v->same += a->word[i] == *after[i];
    }
    v->asked += n;
    while (a->words < n && (a->words == 0 || a->word[a->words - 1] == *after[a->words - 1]))
        a->words++;
}

static void answer_question(void)
{
    struct error err;
    struct recall_report *r = &run.report;
    if (recall_text_find(&run.text, r->question, run.asked, QUESTION, &run.question, &err) != 0)
        error_exit(EXIT_WRONG_USE, "replay: --question: %s: %s", run.trace, err.text);
    if (run.question < run.code.context)
        error_exit(EXIT_WRONG_USE,
                   "replay: --question has %zu words, and %u are needed to find a place (fewer with --context)",
                   run.question, run.code.context);
    const uint32_t *const after = run.asked + run.question;
    r->places = recall_where(&run.text, after - run.code.context, run.code.context);
    if (r->places.count == 0)
        r->nearest = recall_nearest(&run.text, after, run.code.context, &r->nearest_at);
    progress_start(&run.progress, "question", run.views * (run.words + 1) * RECALL_STRIPES / 2, run.quiet);
    for (uint32_t i = 0; i < run.views; i++) {
        struct recall_view *v = &run.view[i];
        if (v->failed)
            continue;
        if (i == 0 || !v->all)
            write_on(v);
        else
            check_answer(v);
        if (i == 0)
            memcpy(run.asked + run.question, v->answer.word, v->answer.words * sizeof *run.asked);
    }
    progress_end(&run.progress);
}

static void find_needles(void)
{
    struct recall_needles *n = &run.report.needles;
    uint32_t *word = memory(n->questions, sizeof *word), *first = memory(n->questions, sizeof *first);
    uint64_t steps = 0;
    for (uint32_t i = 0; i < run.views; i++) {
        const struct recall_pass pass = pass_of(&run.view[i], n->after, n->questions);
        steps += run.view[i].failed ? 0 : recall_steps(&pass);
    }
    run.steps = 0;
    progress_start(&run.progress, "sentences", steps, run.quiet);
    for (uint32_t i = 0; i < run.views; i++) {
        struct recall_view *v = &run.view[i];
        if (v->failed)
            continue;
        ask(v, n->after, n->questions, i ? word : first, NULL, NULL);
        recall_score(n, i ? word : first, v->found);
        for (uint32_t k = 0; k < n->questions && i > 0 && v->all; k++)
            v->same += word[k] == first[k];
        v->asked += i > 0 && v->all ? n->questions : 0;
    }
    progress_end(&run.progress);
    free(word);
    free(first);
}

static void plant_needles(void)
{
    struct error err;
    uint32_t each = (uint32_t)run.needles;
    while (each > 0 && recall_needles_room(run.code.context, each) > run.text.tokens)
        each--;
    if (each == 0)
        error_exit(EXIT_WRONG_USE,
                   "%s: has %zu tokens, and sentences can be planted into %zu or more. A longer text, or --needles 0",
                   run.trace, run.text.tokens, recall_needles_room(run.code.context, 1));
    if (recall_plant(&run.text, run.code.context, each, run.seed, &run.report.needles, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s: %s (--needles 0 leaves them out)", run.trace, err.text);
}

/* ---- all of it ---- */

static void read_text(void)
{
    struct error err;
    const char *path = spool_trace(run.trace);
    if (recall_text_read(path, run.tokens ? run.tokens : MOST_TOKENS, &run.text, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    const uint32_t longest = recall_longest((double)run.text.tokens, RECALL_OTHERS);
    if (run.context > longest)
        error_exit(EXIT_WRONG_USE,
                   "replay: --context %llu: keys of %u signs tell %zu places apart by %u words at most: a word needs "
                   "more signs than that many places have digits, in binary",
                   (unsigned long long)run.context, RECALL_D, run.text.tokens, longest);
    run.context = run.context ? run.context : longest < 4 ? longest : 4;
    if (run.text.tokens <= run.context)
        error_exit(EXIT_WRONG_USE, "%s: has %zu tokens: a key takes %llu words, and what follows", run.trace,
                   run.text.tokens, (unsigned long long)run.context);
    int code = recall_code_create(&run.text, (uint32_t)run.context, (double)run.text.tokens, run.seed, &run.code);
    if (code)
        error_exit(EXIT_CANNOT_TELL, "%s: %s", run.trace, strerror(-code));
    for (uint32_t i = 0; i < run.views; i++)
        run.view[i].keys = run.text.tokens - run.context;
}

static int write_json(void)
{
    struct error err;
    json_t *json = recall_report_json(&run.report);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    int code = 0;
    if (strcmp(run.json, "-") == 0)
        puts(text);
    else
        code = file_write(run.json, text, strlen(text), &err);
    free(text);
    json_decref(json);
    if (code)
        fprintf(stderr, "faultline: %s\n", err.text);
    return code;
}

/* Without gnuplot there is none on the terminal; in a file that was asked for its absence is an error. */
static int draw(bool told)
{
    struct error err;
    char *svg = NULL;
    int code = 0;
    json_t *plot = run.report.needles.each ? recall_report_plot(&run.report) : NULL;
    if (plot && told && !run.quiet) {
        putchar('\n');
        (void)report_print_plot(stdout, plot, &err);
    }
    if (run.plot && !plot)
        code = error_set(&err, -EINVAL, "replay: --plot shows what becomes of planted sentences, and there are none");
    else if (run.plot && (code = plot_svg(plot, "recall", &svg, &err)) == 0)
        code = file_write(run.plot, svg, strlen(svg), &err);
    if (code)
        fprintf(stderr, "faultline: %s\n", err.text);
    free(svg);
    json_decref(plot);
    return code;
}

static void print_cost(double seconds)
{
    struct rusage used;
    char memory_text[TEXT_NUMBER], time_text[TEXT_NUMBER];
    getrusage(RUSAGE_SELF, &used);
    printf("best here: %s. All of it took %s with %u threads, and %s of memory at most: keys and values are made block "
           "by block\n",
           run.best, text_duration(time_text, seconds * 1e9), parallel_threads(),
           text_bytes(memory_text, (double)used.ru_maxrss * 1024));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    const double began = now();
    parse(argc, argv);
    find_entries();
    read_text();
    find_windows();
    run.report = (struct recall_report){.trace = run.trace,
                                        .question = run.report.question,
                                        .text = &run.text,
                                        .code = &run.code,
                                        .tokens = run.tokens,
                                        .seed = run.seed,
                                        .views = run.views,
                                        .view = run.view};
    if (run.report.question)
        answer_question();
    if (run.needles) { /* the question comes first: planting changes the text */
        plant_needles();
        find_needles();
    }
    const bool told = !run.json || strcmp(run.json, "-") != 0;
    if (told)
        recall_report_print(&run.report);
    if (told)
        print_cost(now() - began);
    int code = draw(told) ? EXIT_WRONG_USE : EXIT_FINE;
    if (run.json && write_json() != 0)
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
