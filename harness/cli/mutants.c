/* mutants: how good are a lab's tests? One-change copies of the model solution, each built and checked as a hand-in.
 *
 * One that passes all public tests is the same program, which reference/NN/survivors.md says with its reason, or shows
 * a rule without a test. Those that the compiler makes the same instructions of are the same program for certain
 * (Papadakis et al., "Trivial compiler equivalence", ICSE 2015), and are left out.
 *
 * What stands word for word in the starter is given, not answered, and stays as it is.
 *
 * A mutant is tested one test and one seed at a time, up to the first that fails: first the test that caught the one
 * before it in the same function, then the quick ones. */
#include "cli/command.h"
#include "cli/mutations.h"

#include "base/parallel.h"
#include "base/process.h"
#include "base/side_by_side.h"
#include "base/terminal.h"
#include "base/text.h"
#include "grade/grade.h"
#include "host/sandbox.h"
#include "sim/rng.h"

#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum end { NOT_RUN, CAUGHT, SURVIVED, SAME, NO_BUILD, FAULT };

/* In memory that all processes share. */
struct outcome {
    enum end end;
    uint32_t test; /* CAUGHT: by which, in the order of struct run's tests */
};
struct shared {
    _Atomic uint32_t done;
    struct outcome outcome[];
};

struct mutant {
    const char *file; /* of those to hand in */
    struct mutation change;
    uint32_t line;
    char *before, *after; /* the lines that it changes */
    const char *reason;   /* in survivors.md, or NULL */
};

struct explained {
    char *key, *reason; /* key: what mutant_key makes */
    bool used;
};

struct run {
    struct session *session;
    struct grade_options options;
    struct mutant *mutant;
    uint32_t n;
    struct grade_test *test; /* those of the model solution's result, the quickest first */
    uint32_t tests;
    char *model; /* its instructions, without names and lines */
    size_t model_size;
    struct explained *explained;
    uint32_t explanations;
    struct shared *shared;
    struct progress progress;
};

static const char *reference_file(const struct session *s, const char *file, char *path)
{
    return file_path(path, "%s/reference/%s/%s", s->root, strchr(s->lab->folder, '/') + 1, file);
}

static void *need(void *memory)
{
    if (!memory)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return memory;
}

static void read_whole(const char *path, char **data, size_t *size)
{
    struct error err;
    if (file_read(path, 64 << 20, data, size, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
}

/* ---- which there are ---- */

/* The lines that a mutation is in, and what becomes of them. */
static void write_lines(struct mutant *m, const char *text)
{
    size_t start = m->change.from, end = m->change.to;
    m->line = 1;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    end += strcspn(text + end, "\n");
    for (size_t i = 0; i < start; i++)
        m->line += text[i] == '\n';
    m->before = need(strndup(text + start, end - start));
    if (asprintf(&m->after, "%.*s%s%.*s", (int)(m->change.from - start), text + start, m->change.instead,
                 (int)(end - m->change.to), text + m->change.to) < 0)
        need(NULL);
}

/* Is the function in the starter too, word for word? */
static bool is_given(const struct mutation *m, const char *text, const char *starter)
{
    return memmem(starter, strlen(starter), text + m->begin, m->end - m->begin);
}

static void find_mutants(struct run *r, const char *only)
{
    const struct lab *lab = r->session->lab;
    char path[FILE_PATH], name[FILE_PATH], include[2][FILE_PATH + 2];
    struct error err;
    file_path(include[0], "-I%s/harness", r->session->root);
    file_path(include[1], "-I%s/%s", r->session->root, lab->folder);
    const char *const flags[] = {"-std=c17", "-D_GNU_SOURCE", include[0], include[1], NULL};
    for (char **f = lab->hand_in; *f; f++) {
        char *text, *starter;
        size_t size;
        struct mutation *change;
        read_whole(file_path(path, "%s/%s/starter/%s", r->session->root, lab->folder, *f), &starter, &size);
        reference_file(r->session, file_path(name, "solution/%s", *f), path);
        read_whole(path, &text, &size);
        int n = mutations_find(path, text, size, flags, &change, &err);
        if (n < 0)
            error_exit(n == -ENOSYS ? EXIT_WRONG_USE : EXIT_CANNOT_TELL, "%s", err.text);
        r->mutant = need(realloc(r->mutant, (r->n + (size_t)n + 1) * sizeof *r->mutant));
        for (int i = 0; i < n; i++) {
            if ((only && strcmp(only, change[i].function) != 0) || is_given(&change[i], text, starter))
                continue;
            struct mutant *m = &r->mutant[r->n++];
            *m = (struct mutant){.file = *f, .change = change[i]};
            write_lines(m, text);
        }
        free(change);
        free(starter);
        free(text);
    }
    if (r->n == 0)
        error_exit(EXIT_WRONG_USE, "the model solution has nothing to change%s%s", only ? " in " : "",
                   only ? only : "");
}

static int by_place(const void *a, const void *b)
{
    const struct mutant *x = a, *y = b; /* addresses were those of the list: files in order, places in order */
    return x->file != y->file ? (x->file < y->file ? -1 : 1)
                              : (x->change.from > y->change.from) - (x->change.from < y->change.from);
}

/* Leaves so many of them, drawn by the seed. */
static void draw(struct run *r, uint32_t wanted, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (uint32_t i = 0; i < wanted && wanted < r->n; i++) {
        const uint32_t k = i + rng_below(&rng, r->n - i);
        const struct mutant kept = r->mutant[i];
        r->mutant[i] = r->mutant[k];
        r->mutant[k] = kept;
    }
    for (uint32_t i = wanted; i < r->n; i++) {
        free(r->mutant[i].before);
        free(r->mutant[i].after);
    }
    r->n = wanted < r->n ? wanted : r->n;
    qsort(r->mutant, r->n, sizeof *r->mutant, by_place);
}

/* ---- survivors.md ---- */

/* Adds the words of lines[0 … size-1] to key, with single blanks, so that it does not matter how they are indented. */
static void add_words(FILE *key, char mark, const char *lines, size_t size)
{
    bool blank = true;
    fprintf(key, "\n%c", mark);
    for (size_t i = 0; i < size; i++) {
        const bool space = isspace((unsigned char)lines[i]);
        if (!space)
            fprintf(key, "%s%c", blank ? " " : "", lines[i]);
        blank = space;
    }
}

static char *mutant_key(const struct mutant *m)
{
    char *text;
    size_t size;
    FILE *out = need(open_memstream(&text, &size));
    fputs(m->change.function, out);
    add_words(out, '-', m->before, strlen(m->before));
    add_words(out, '+', m->after, strlen(m->after));
    fclose(out);
    return text;
}

/* "## function", the lines of the change, indented and with - and + before them, and the reason. */
static void read_explanation(struct run *r, const char *path, char *section)
{
    char *body = section + strcspn(section, "\n"), *lines[2] = {NULL}, *reason;
    size_t size[2], reason_size;
    FILE *out[2] = {need(open_memstream(&lines[0], &size[0])), need(open_memstream(&lines[1], &size[1]))},
         *why = need(open_memstream(&reason, &reason_size));
    for (char *line = body; *line;) {
        line += *line == '\n';
        const size_t n = strcspn(line, "\n");
        if (strncmp(line, "    -", 5) == 0 || strncmp(line, "    +", 5) == 0)
            fprintf(out[line[4] == '+'], "%.*s\n", (int)(n - 5), line + 5);
        else if (n > 0)
            fprintf(why, "%s%.*s", ftell(why) ? " " : "", (int)n, line);
        line += n;
    }
    fclose(out[0]), fclose(out[1]), fclose(why);
    *body = '\0';
    if (!size[0] || !size[1] || !reason_size)
        error_exit(EXIT_WRONG_USE,
                   "%s: \"%s\": must have the lines before (\"    -\") and after (\"    +\"), as `faultline mutants` "
                   "prints them, and the reason",
                   path, section);
    struct mutant m = {.before = lines[0], .after = lines[1]};
    snprintf(m.change.function, sizeof m.change.function, "%s", section);
    r->explained = need(realloc(r->explained, (r->explanations + 1) * sizeof *r->explained));
    r->explained[r->explanations++] = (struct explained){mutant_key(&m), reason, false};
    free(lines[0]);
    free(lines[1]);
}

static void read_explanations(struct run *r)
{
    char path[FILE_PATH], *text;
    size_t size;
    if (!file_exists(reference_file(r->session, "survivors.md", path)))
        return;
    read_whole(path, &text, &size);
    for (char *section = strstr(text, "\n## "), *next; section; section = next) {
        next = strstr(section + 4, "\n## ");
        if (next)
            *next = '\0';
        read_explanation(r, path, section + 4);
    }
    free(text);
    for (uint32_t i = 0; i < r->n; i++) {
        char *key = mutant_key(&r->mutant[i]);
        for (uint32_t k = 0; k < r->explanations; k++)
            if (strcmp(key, r->explained[k].key) == 0) {
                r->mutant[i].reason = r->explained[k].reason;
                r->explained[k].used = true;
            }
        free(key);
    }
    for (uint32_t k = 0; k < r->explanations && !r->session->options.only; k++)
        if (!r->explained[k].used)
            error_exit(EXIT_WRONG_USE, "%s: there is no such change of the model solution (any more): ## %s", path,
                       r->explained[k].key);
}

/* ---- one of them ---- */

/* What of a plugin runs, without names, lines and the linker's identity, into *code, to free. */
static int instructions(const char *work, const char *plugin, char **code, size_t *size, struct error *err)
{
    char out[FILE_PATH];
    file_path(out, "%s/stripped", work);
    const char *argv[] = {"strip", "-s", "-R", ".note.gnu.build-id", "-o", out, plugin, NULL};
    const struct process p = {.argv = argv};
    struct process_result result;
    const int failed = process_run(&p, &result, err);
    return failed ? failed : file_read(out, 64 << 20, code, size, err);
}

/* A folder to hand in: the model solution, with m's change in it (NULL: with none). */
static int hand_in(const struct run *r, const struct mutant *m, const char *folder, struct error *err)
{
    char from[FILE_PATH], to[FILE_PATH], name[FILE_PATH], *text, *changed;
    size_t size;
    int code = 0;
    for (char **f = r->session->lab->hand_in; *f && code == 0; f++) {
        code =
            file_read(reference_file(r->session, file_path(name, "solution/%s", *f), from), 1 << 20, &text, &size, err);
        if (code)
            break;
        const bool here = m && m->file == *f;
        const int n = asprintf(&changed, "%.*s%s%s", here ? (int)m->change.from : 0, text,
                               here ? m->change.instead : "", text + (here ? m->change.to : 0));
        need(n < 0 ? NULL : changed);
        code = file_write(file_path(to, "%s/%s", folder, *f), changed, (size_t)n, err);
        free(changed);
        free(text);
    }
    return code;
}

/* Builds it as a submission, below work. */
static int build(const struct run *r, const struct mutant *m, const char *work, char *plugin, struct error *err)
{
    char folder[FILE_PATH], *notes = NULL, *output = NULL;
    int code = hand_in(r, m, file_path(folder, "%s/handed-in", work), err);
    if (code == 0)
        code = submission_take(r->session->lab, folder, work, &notes, err);
    if (code == 0)
        code = submission_build(r->session->lab, &r->options, work, plugin, &output, err);
    free(notes);
    free(output);
    return code;
}

/* One test with one seed. What it may take follows from what the model solution took: a loop without end is seen in a
 * few seconds, and an instruction that is counted takes thousands of times as long as it would. */
static enum end run_test(const struct run *r, const char *plugin, uint32_t i, uint64_t seed, struct error *err)
{
    const struct lab_test *test = r->test[i].test;
    struct lab lab = *r->session->lab;
    struct grade_options options = r->options;
    struct grade_result *result;
    char name[200];
    const uint64_t enough = 2 + (uint64_t)(5 * r->test[i].seconds);
    if (lab.limits.cpu_seconds > enough)
        lab.limits.cpu_seconds = enough;
    snprintf(name, sizeof name, "%.90s/%.90s", test->task->id, test->id);
    options.only = name;
    options.seed = seed;
    options.program_ms = 20000 + (unsigned)(20000 * r->test[i].seconds);
    const int code = grade_plugin(&lab, plugin, &options, &result, err);
    if (code)
        return code == -ETIMEDOUT ? CAUGHT : FAULT;
    const enum end end = result->fault ? FAULT : result->test[0].passed ? SURVIVED : CAUGHT;
    if (end == FAULT)
        error_set(err, -EIO, "%s: %s", name, result->test[0].message);
    grade_result_destroy(result);
    return end;
}

/* The test that caught the last one in this function, unless it is slow; or the quickest. */
static uint32_t first_test(const struct run *r, uint32_t i)
{
    for (uint32_t k = i; k-- > 0 && strcmp(r->mutant[k].change.function, r->mutant[i].change.function) == 0;)
        if (r->shared->outcome[k].end == CAUGHT && r->shared->outcome[k].test < r->tests / 2)
            return r->shared->outcome[k].test;
    return 0;
}

static struct outcome run_tests(const struct run *r, uint32_t i, const char *plugin, struct error *err)
{
    const uint32_t first = first_test(r, i);
    for (uint32_t seed = 0; seed < r->session->lab->public_seeds; seed++)
        for (uint32_t k = 0; k < r->tests; k++) {
            const uint32_t test = k == 0 ? first : k <= first ? k - 1 : k;
            const enum end end = run_test(r, plugin, test, r->session->lab->public_seed[seed], err);
            if (end != SURVIVED)
                return (struct outcome){end, test};
        }
    return (struct outcome){SURVIVED, 0};
}

static struct outcome run_mutant(const struct run *r, uint32_t i, struct error *err)
{
    char work[FILE_PATH], plugin[FILE_PATH], *code = NULL;
    size_t size;
    struct outcome o = {FAULT, 0};
    if (file_temp_dir(work, "faultline-mutant", err) != 0)
        return o;
    const int failed = build(r, &r->mutant[i], work, plugin, err);
    if (failed == -ENOEXEC)
        o.end = NO_BUILD;
    else if (failed == 0 && instructions(work, plugin, &code, &size, err) == 0)
        o = size == r->model_size && memcmp(code, r->model, size) == 0 ? (struct outcome){SAME, 0}
                                                                       : run_tests(r, i, plugin, err);
    free(code);
    file_remove_tree(work);
    return o;
}

/* ---- what is printed ---- */

static void print_lines(char mark, const char *lines)
{
    for (size_t n; *lines; lines += n + (lines[n] == '\n')) {
        n = strcspn(lines, "\n");
        printf("    %c%.*s\n", mark, (int)n, lines);
    }
}

static void print_mutant(const struct mutant *m, const char *what)
{
    printf("%s:%u: %s, %s\n## %s\n\n", m->file, m->line, m->change.kind, what, m->change.function);
    print_lines('-', m->before);
    print_lines('+', m->after);
    putchar('\n');
}

static void piece(uint32_t i, void *context, struct side_counts *counts)
{
    const struct run *r = context;
    const struct mutant *m = &r->mutant[i];
    struct error err = {""};
    struct progress progress = r->progress;
    const struct outcome o = run_mutant(r, i, &err);
    r->shared->outcome[i] = o;
    if (progress.shown && isatty(STDOUT_FILENO) && (o.end == SURVIVED || o.end == FAULT))
        fputs("\r\033[K", stdout);
    char text[200];
    snprintf(text, sizeof text, "survivors.md says the same program, but %.80s catches it",
             o.end == CAUGHT ? r->test[o.test].test->id : "");
    if (o.end == SURVIVED && !m->reason)
        print_mutant(m, "survived");
    if (o.end == CAUGHT && m->reason)
        print_mutant(m, text);
    if (o.end == FAULT)
        print_mutant(m, err.text);
    counts->passed = 1;
    progress_set(&progress, atomic_fetch_add(&r->shared->done, 1) + 1);
}

static void lost(uint32_t i, void *context, const char *how)
{
    const struct run *r = context;
    r->shared->outcome[i].end = FAULT;
    print_mutant(&r->mutant[i], how);
}

struct sum {
    uint32_t of[FAULT + 1], explained, contradicted;
};

static struct sum add_up(const struct run *r)
{
    struct sum sum = {.explained = 0};
    for (uint32_t i = 0; i < r->n; i++) {
        const enum end end = r->shared->outcome[i].end;
        sum.of[end]++;
        sum.explained += end == SURVIVED && r->mutant[i].reason;
        sum.contradicted += end == CAUGHT && r->mutant[i].reason;
    }
    return sum;
}

static json_t *result_json(const struct run *r, const struct sum *sum)
{
    static const char *const ends[] = {"not run", "caught", "survived", "same", "no build", "fault"};
    json_t *list = json_array();
    for (uint32_t i = 0; i < r->n; i++) {
        const struct mutant *m = &r->mutant[i];
        const struct outcome o = r->shared->outcome[i];
        json_t *json = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "file", m->file, "line", (int)m->line,
                                 "function", m->change.function, "kind", m->change.kind, "before", m->before, "after",
                                 m->after, "end", ends[o.end]);
        if (o.end == CAUGHT)
            json_object_set_new(json, "test", json_string(r->test[o.test].test->id));
        if (m->reason)
            json_object_set_new(json, "reason", json_string(m->reason));
        json_array_append_new(list, json);
    }
    return json_pack("{s:i, s:s, s:i, s:i, s:i, s:i, s:i, s:o}", "format", 1, "lab", r->session->lab->id, "caught",
                     (int)sum->of[CAUGHT], "survived", (int)sum->of[SURVIVED], "explained", (int)sum->explained, "same",
                     (int)sum->of[SAME], "no_build", (int)sum->of[NO_BUILD], "mutants", list);
}

/* ---- all ---- */

static int quicker(const void *a, const void *b)
{
    const struct grade_test *x = a, *y = b;
    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

static struct grade_result *grade_model(struct run *r, const char *work, struct error *err)
{
    char plugin[FILE_PATH];
    struct grade_result *result = NULL;
    if (build(r, NULL, work, plugin, err) == 0 && instructions(work, plugin, &r->model, &r->model_size, err) == 0 &&
        grade_plugin(r->session->lab, plugin, &r->options, &result, err) == 0)
        return result;
    return NULL;
}

/* The model solution must have all points, or nothing can be learnt from its changes. */
static struct grade_result *check_model(struct run *r)
{
    char work[FILE_PATH];
    struct error err;
    if (file_temp_dir(work, "faultline-mutant", &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    struct grade_result *result = grade_model(r, work, &err);
    file_remove_tree(work);
    if (!result)
        error_exit(EXIT_CANNOT_TELL, "the model solution: %s", err.text);
    for (uint32_t i = 0; i < result->tests; i++)
        if (!result->test[i].passed)
            error_exit(EXIT_CANNOT_TELL, "the model solution itself fails %s: %s", result->test[i].test->id,
                       result->test[i].message);
    qsort(result->test, result->tests, sizeof *result->test, quicker);
    r->test = result->test;
    r->tests = result->tests;
    return result;
}

enum exit_code command_mutants(struct session *s)
{
    struct run r = {.session = s};
    uint64_t sample = UINT32_MAX;
    if (s->options.sample && (!text_number(s->options.sample, &sample) || sample == 0 || sample > UINT32_MAX))
        error_exit(EXIT_WRONG_USE, "mutants: --sample takes how many of them to draw, 1 or more, not \"%s\"",
                   s->options.sample);
    session_need_build(s, s->lab);
    r.options = (struct grade_options){.root = s->root, .build = s->build, .as_found = true, .jobs = 1, .quiet = true};
    find_mutants(&r, s->options.only);
    read_explanations(&r);
    draw(&r, (uint32_t)sample, s->options.have_seed ? s->options.seed : 1);
    sandbox_layers(NULL); /* found out once, for all children */
    struct grade_result *model = check_model(&r);
    const size_t size = sizeof *r.shared + r.n * sizeof *r.shared->outcome;
    r.shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.shared == MAP_FAILED)
        need(NULL);
    const struct side_work work = {r.n, parallel_threads(), &r, piece, lost};
    struct side_counts ignored;
    progress_start(&r.progress, "mutants", r.n, s->options.quiet);
    side_by_side(&work, &ignored);
    progress_end(&r.progress);
    const struct sum sum = add_up(&r);
    const uint32_t real = sum.of[CAUGHT] + sum.of[SURVIVED] - sum.explained, open = sum.of[SURVIVED] - sum.explained;
    printf("lab %s: %u mutants; %u do not build, %u are the same instructions, %u are explained in survivors.md\n",
           s->lab->id, r.n, sum.of[NO_BUILD], sum.of[SAME], sum.explained);
    printf("caught: %u of %u (%.0f %%); survived: %u\n", sum.of[CAUGHT], real,
           real ? 100.0 * sum.of[CAUGHT] / real : 100.0, open);
    enum exit_code code = open || sum.contradicted ? EXIT_FAILED : EXIT_FINE;
    if (sum.of[FAULT]) {
        printf("%u could not be tested: see above\n", sum.of[FAULT]);
        code = EXIT_CANNOT_TELL;
    }
    if (s->options.json && session_write_json(s->options.json, result_json(&r, &sum)) != EXIT_FINE)
        code = EXIT_WRONG_USE;
    for (uint32_t i = 0; i < r.n; i++) {
        free(r.mutant[i].before);
        free(r.mutant[i].after);
    }
    for (uint32_t k = 0; k < r.explanations; k++) {
        free(r.explained[k].key);
        free(r.explained[k].reason);
    }
    free(r.explained);
    free(r.mutant);
    free(r.model);
    munmap(r.shared, size);
    grade_result_destroy(model);
    return code;
}
